"""What truly is in a sandbox's folder: read from SQLite and the disk, with nothing of the program in between.

    found = audit(root)
    assert problems(found) == []

Works beside a running sandbox and after a killed one. It knows the tables by name and nothing else.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Session:
    """One upload session; sizes in bytes, `state` open, completed, failed or lost."""

    id: str
    project_id: str
    state: str
    file_count: int
    total_bytes: int
    reserved_bytes: int
    collection_id: str | None
    item_id: str | None
    asset_key: str | None
    is_categorical: bool
    status: str
    bytes_uploaded: int
    error_message: str | None
    error_step: str | None


@dataclass(frozen=True)
class Item:
    """One file of one item: an item with three assets comes three times.

    `md5` is that of the bytes the item was made from, `real_md5` that of the bytes on disk now (empty: none).
    `made_by` is the session that made the item, `upload_id` the one that brought this file; they differ where
    a session added to a given item.
    """

    id: str
    file_name: str
    object_path: str
    md5: str
    real_md5: str
    size: int
    upload_id: str
    made_by: str
    project_id: str
    collection_id: str | None
    asset_key: str
    is_categorical: bool


@dataclass(frozen=True)
class Stored:
    """One object: what the store recorded, and what is on disk (`real_md5` empty: the file is gone)."""

    path: str
    upload_id: str
    file_name: str
    size: int
    md5: str
    real_md5: str
    content_type: str


@dataclass(frozen=True)
class Event:
    """One row of the history. `kind` call, effect or unsent.

    `status` None: the connection was cut. `sent`: the operation's own answer left. `committed`: it had an effect.
    """

    id: int
    at: float
    kind: str
    call_id: str
    operation: str
    upload_id: str
    status: int | None
    sent: bool
    committed: bool
    bytes_in: int
    had_authorization: bool
    detail: str


@dataclass(frozen=True)
class Audit:
    """Everything at one moment."""

    sessions: tuple[Session, ...]
    items: tuple[Item, ...]
    objects: tuple[Stored, ...]
    history: tuple[Event, ...]
    reserved_bytes: int
    used_bytes: int

    @property
    def open_sessions(self) -> tuple[Session, ...]:
        """Sessions that have not ended."""
        return tuple(one for one in self.sessions if one.state == "open")

    @property
    def file_names(self) -> list[str]:
        """The file names of all items, sorted, with repetitions."""
        return sorted(one.file_name for one in self.items)

    def calls(self, operation: str = "") -> tuple[Event, ...]:
        """The calls in order; of one operation (`uploads.complete`, `store.put`, `token`) or all."""
        return tuple(one for one in self.history if one.kind == "call" and operation in ("", one.operation))

    def effects(self, name: str = "") -> tuple[Event, ...]:
        """The effects in order; of one name (`session.opened`, `object.stored`, `item.made` …) or all."""
        return tuple(one for one in self.history if one.kind == "effect" and name in ("", one.operation))


def audit(root: Path) -> Audit:
    """Read a sandbox's folder; hashes every stored file."""
    database = sqlite3.connect(root / "sandbox.sqlite", timeout=30)
    database.row_factory = sqlite3.Row
    try:
        database.execute("BEGIN")
        objects = tuple(_stored(row, root) for row in database.execute("SELECT * FROM object ORDER BY path"))
        real = {one.path: one.real_md5 for one in objects}
        query = """SELECT item.id, item.upload_id AS made_by, project_id, collection_id, asset.* FROM asset
                   JOIN item ON item.id = asset.item_id WHERE item.deleted_at IS NULL ORDER BY asset.sequence"""
        organization = database.execute(
            "SELECT sum(reserved_bytes), sum(used_bytes) FROM organization"
        ).fetchone()
        return Audit(
            sessions=tuple(
                _session(row) for row in database.execute("SELECT * FROM session ORDER BY created_at, id")
            ),
            items=tuple(_item(row, real) for row in database.execute(query)),
            objects=objects,
            history=tuple(_event(row) for row in database.execute("SELECT * FROM history ORDER BY id")),
            reserved_bytes=organization[0],
            used_bytes=organization[1],
        )
    finally:
        database.close()


def problems(found: Audit, *, twins: Container[str] = (), open_sessions: int = 0) -> list[str]:
    """Every violation, one line each; empty when all is well.

    `twins` are file names that may come more than once in a project, `open_sessions` how many may not have ended.
    """
    return [
        *_unfinished(found, open_sessions),
        *_damaged(found),
        *_repeated(found, twins),
        *_illegal(found),
        *(
            f"call {one.id}: credentials were sent to the store"
            for one in found.calls("store.put")
            if _leaks(one)
        ),
    ]


def _unfinished(found: Audit, allowed: int) -> Iterable[str]:
    if len(found.open_sessions) > allowed:
        yield f"{len(found.open_sessions)} open session(s): {[one.id for one in found.open_sessions]}"
    held = sum(one.reserved_bytes for one in found.open_sessions)
    if not allowed and found.reserved_bytes:
        yield f"{found.reserved_bytes} bytes of quota are reserved"
    if held != found.reserved_bytes:
        yield f"the sandbox counts {found.reserved_bytes} reserved bytes, its open sessions {held}"


def _damaged(found: Audit) -> Iterable[str]:
    for one in found.items:
        if one.real_md5 != one.md5:
            yield f"{one.file_name}: the object {one.object_path} is not what item {one.id} was made from"
    for stored in found.objects:
        if stored.real_md5 != stored.md5:
            yield f"{stored.path}: the bytes on disk are not those that were recorded"


def _repeated(found: Audit, twins: Container[str]) -> Iterable[str]:
    seen: dict[tuple[str, str], str] = {}
    for one in found.items:
        key = (one.project_id, one.file_name)
        if key in seen and one.file_name not in twins:
            yield f"{one.file_name}: two items in project {one.project_id}: {seen[key]} and {one.id}"
        seen.setdefault(key, one.id)


def _illegal(found: Audit) -> Iterable[str]:
    """Calls that their session's state forbade. A repeated fail is none: its first answer may have been lost."""
    ended: dict[str, str] = {}
    ends = {"session.completed": "completed", "session.failed": "failed"}
    for one in found.history:
        state = ended.get(one.upload_id, "")
        if one.kind == "effect" and one.operation in ends:
            ended[one.upload_id] = ends[one.operation]
        elif one.kind == "effect" and one.operation == "object.stored" and state:
            yield f"call {one.call_id}: a file was stored into the {state} session {one.upload_id}"
        elif (
            one.kind == "call" and one.status == 409 and (state, one.operation) != ("failed", "uploads.fail")
        ):
            yield f"call {one.id}: {one.operation} on the {state or 'open'} session {one.upload_id}"


def _leaks(one: Event) -> bool:
    return one.had_authorization


def _session(row: sqlite3.Row) -> Session:
    return Session(**{**_fields(Session, row), "is_categorical": bool(row["is_categorical"])})


def _item(row: sqlite3.Row, real: dict[str, str]) -> Item:
    given = {
        name: row[name] for name in Item.__dataclass_fields__ if name not in ("id", "asset_key", "real_md5")
    }
    given |= {"id": row["item_id"], "asset_key": row["key"], "real_md5": real.get(row["object_path"], "")}
    return Item(**{**given, "is_categorical": bool(row["is_categorical"])})


def _stored(row: sqlite3.Row, root: Path) -> Stored:
    path = root / "objects" / row["blob"]
    real = ""
    if path.exists():
        with path.open("rb") as file:
            real = hashlib.file_digest(file, "md5").hexdigest()
    return Stored(
        **{name: row[name] for name in Stored.__dataclass_fields__ if name != "real_md5"}, real_md5=real
    )


def _event(row: sqlite3.Row) -> Event:
    flags = {name: bool(row[name]) for name in ("sent", "committed", "had_authorization")}
    return Event(**{**_fields(Event, row), **flags})


def _fields(kind: type, row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in kind.__dataclass_fields__}
