"""What becomes true of files. One public method is one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uploader.core.lifecycle import FileEvent
from uploader.core.model import Destination, FileState, Sighting
from uploader.core.path_text import shown
from uploader.journal.recovery.recovered_items import after_repair
from uploader.journal.row_queries import file_row
from uploader.journal.rows import CALM, FRESH, clock, encode_sighting, log_event, move_file, one, set_columns
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion brought: the object's size in bytes and hashes, and the report as it is told."""

    size: int
    md5: bytes
    crc32c: int
    method: str
    categorical: bool
    file_name: str
    warnings: Sequence[dict[str, str]] = ()
    bands: Sequence[dict[str, float | None]] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    """What the folder said for the raster, because it did not say it itself."""


class Files:
    """The file machine in the journal."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def discovered(self, sightings: Sequence[Sighting]) -> list[int]:
        """Enter new versions of paths as settling; returns their ids in order.

        A version that is settling already takes the sighting over: whoever asks need not know what is true by now.
        """
        return await self._writer.transact("discovered", lambda db: [_enter(db, s) for s in sightings])

    async def looked(self, file_id: int, reason: str, after: float) -> None:
        """A settled file does not look whole; it is looked at again after so many seconds."""

        def work(db: Database) -> None:
            _bump(db, file_id, ("looks",), reason, after)
            log_event(db, "looked", FileState.SETTLING, reason, file_id=file_id)

        await self._writer.transact("looked", work)

    async def changed(self, file_id: int, sighting: Sighting) -> None:
        """A settling file was written to: its looks start anew. One that has left this state is not touched."""
        await self.changed_all([(file_id, sighting)])

    async def changed_all(self, found: Sequence[tuple[int, Sighting]]) -> None:
        """`changed` for many."""

        def work(db: Database) -> None:
            for file_id, sighting in found:
                if _settling(db, file_id):
                    _rewrite(db, file_id, sighting)

        await self._writer.transact("changed", work)

    async def vanished(self, file_ids: Sequence[int]) -> None:
        """Files left the drop folder before they were claimed. One that was claimed meanwhile is not touched."""

        def work(db: Database) -> None:
            for file_id in file_ids:
                if _settling(db, file_id):
                    move_file(db, file_id, FileEvent.VANISHED, current=None, **FRESH)

        await self._writer.transact("vanished", work)

    async def forgotten(self, folder: str, paths: Sequence[bytes]) -> None:
        """Paths no longer exist: what is dropped there next is new, whatever its content."""

        def work(db: Database) -> None:
            db.conn.executemany(
                "UPDATE files SET current = NULL WHERE folder = ? AND path = ? AND current = 1",
                [(folder, path) for path in paths],
            )

        await self._writer.transact("forgotten", work)

    async def claimed(
        self,
        file_id: int,
        sighting: Sighting,
        content: str,
        size: int,
        destination: Destination | None = None,
    ) -> FileState:
        """The private copy is whole. The same content at the same path ends as unchanged; else it is queued.

        After a repair of the journal, and where the destination is told, a file whose item the platform listed is
        completed by that, and one that may have been uploaded is rejected with words.
        """

        def work(db: Database) -> FileState:
            twin = one(
                db,
                "SELECT id FROM files WHERE folder = ? AND path = ? AND content = ? AND current = 1 "
                "AND id != ? ORDER BY id DESC",
                sighting.folder,
                sighting.path,
                content,
                file_id,
            )
            seen = encode_sighting(sighting)
            if twin:
                _seen_again(db, twin["id"], seen)
                note = f"the same content as version {twin['id']}"
                changes = {"current": None, "content": content, "staged": 1, "sighting": seen}
                return move_file(db, file_id, FileEvent.UNCHANGED, note, **FRESH, **changes)
            claim = {"content": content, "size": size, "staged": 1, "sighting": seen, **FRESH}
            if destination and (state := after_repair(db, file_id, sighting, destination, claim)):
                return state
            note = f"{size:,} bytes, sha256 {content[:12]}"
            return move_file(db, file_id, FileEvent.CLAIMED, note, **claim)

        return await self._writer.transact("claimed", work)

    async def converted(self, file_id: int, made: Converted) -> None:
        """The object is ready in staging."""
        notes = [
            f"{made.method}, {made.size:,} bytes",
            *(f"declared by the folder: {key} = {value}" for key, value in sorted(made.declared.items())),
            *(f"{w['code']}: {w['text']}" for w in made.warnings),
        ]
        await self._writer.transact(
            "converted",
            lambda db: move_file(
                db,
                file_id,
                FileEvent.CONVERTED,
                "; ".join(notes),
                object_size=made.size,
                object_md5=made.md5,
                object_crc32c=made.crc32c,
                method=made.method,
                categorical=int(made.categorical),
                file_name=made.file_name,
                warnings=json.dumps(list(made.warnings)),
                bands=json.dumps(list(made.bands)),
                alone=0,
                **FRESH,
            ),
        )

    async def look_again(self, file_id: int, reason: str, after: float) -> None:
        """A claimed file does not open, or its copy is damaged: it settles once more.

        Where its source is gone, or a newer version lies in its place, there is nothing to look at: it is gone, too.
        """

        def work(db: Database) -> None:
            move_file(db, file_id, FileEvent.LOOK_AGAIN, reason, content=None)
            if _superseded(db, file_id):
                move_file(db, file_id, FileEvent.VANISHED, current=None, **FRESH)
            else:
                _bump(db, file_id, ("looks",), reason, after)

        await self._writer.transact("look_again", work)

    async def twin(self, file_id: int) -> None:
        """Another path brought the same content in."""
        await self._writer.transact(
            "twin",
            lambda db: move_file(db, file_id, FileEvent.TWIN, "another path has the same content", **FRESH),
        )

    async def rejected(self, file_id: int, reason: str) -> None:
        """It will not pass as it is."""

        def work(db: Database) -> None:
            reject(db, file_id, reason)

        await self._writer.transact("rejected", work)

    async def stored(self, file_id: int, session_id: int) -> None:
        """The object store holds the bytes, and their hash was compared.

        Nothing is entered when the file has left the session meanwhile: its bytes count for that session only.
        """

        def work(db: Database) -> None:
            row = one(db, "SELECT state, session_id FROM files WHERE id = ?", file_id)
            if row and row["session_id"] == session_id and row["state"] == FileState.BATCHED:
                move_file(db, file_id, FileEvent.STORED, **FRESH)

        await self._writer.transact("stored", work)

    async def retry(
        self, file_id: int, reason: str, after: float, *, counted: bool = False, alone: bool = False
    ) -> None:
        """The same step again after so many seconds; `counted`: the file is the matter, not an outage."""

        def work(db: Database) -> None:
            _bump(db, file_id, ("tries", "refusals") if counted else ("tries",), reason, after)
            if alone:
                db.conn.execute(
                    "UPDATE files SET alone = 1, attempts = attempts + 1 WHERE id = ?", (file_id,)
                )
            log_event(db, "retry", "", f"{reason} (again in {after:.0f} s)", file_id=file_id)

        await self._writer.transact("retry", work)

    async def disposed(
        self, file_id: int, outcome: str, where: bytes, sighting: Sighting, identity: str = ""
    ) -> None:
        """The source is archived at the path `where`, or deleted, or must stay: it is another file than `sighting`.

        `identity` is the device and inode of an archived one, by which it is known under any other name.
        Where a claim has found the uploaded content under another sighting meanwhile, the disposal is tried again.
        """

        def work(db: Database) -> None:
            if outcome == "replaced" and file_row(db, file_id).sighting != encode_sighting(sighting):
                return
            columns = {"disposal": outcome, "archived_as": where or None, **FRESH}
            if identity:
                columns["archived_identity"] = identity
            if outcome in {"archived", "deleted", "missing"}:
                note = f"{outcome} {shown(where)}".strip()
                move_file(db, file_id, FileEvent.DISPOSED, note, current=None, **columns)
            else:
                set_columns(db, "files", file_id, columns)
                log_event(db, "kept", FileState.COMPLETED, f"source {outcome}, left alone", file_id=file_id)

        await self._writer.transact("disposed", work)

    async def stuck(self, file_id: int, reason: str, after: float) -> None:
        """The source cannot be archived or deleted; it is tried again after so many seconds."""

        def work(db: Database) -> None:
            _bump(db, file_id, ("tries",), reason, after)
            set_columns(db, "files", file_id, {"hold": reason})

        await self._writer.transact("stuck", work)

    async def discarded(self, file_id: int) -> None:
        """The private copies are gone."""
        await self._writer.transact("discarded", lambda db: set_columns(db, "files", file_id, {"staged": 0}))


def reject(db: Database, file_id: int, reason: str) -> None:
    """Within a transaction: end a file with a reason; no try is left for a version that is not there any more."""
    columns: dict[str, Any] = {**FRESH, "last_error": reason, "session_id": None}
    if _superseded(db, file_id):
        columns["current"] = None
    move_file(db, file_id, FileEvent.REJECTED, reason, **columns)


def _superseded(db: Database, file_id: int) -> bool:
    """Whether the path no longer exists, or a newer version of it was seen."""
    newer = (
        "SELECT 1 AS n FROM files AS old WHERE id = ? AND (current IS NULL OR EXISTS (SELECT 1 FROM files AS new "
        "WHERE new.folder = old.folder AND new.path = old.path AND new.current = 1 AND new.id > old.id))"
    )
    return one(db, newer, file_id) is not None


def _seen_again(db: Database, file_id: int, sighting: str) -> None:
    """The content of this version lies at its path, only its times or its place on the disk are others by now.

    A source that was left alone because of them can go after all: its bytes were read again, and are what was uploaded.
    """
    set_columns(db, "files", file_id, {"sighting": sighting})
    db.conn.execute("UPDATE files SET disposal = NULL WHERE id = ? AND disposal = 'replaced'", (file_id,))


def _settling(db: Database, file_id: int) -> bool:
    row = one(db, "SELECT state FROM files WHERE id = ?", file_id)
    return row is not None and row["state"] == FileState.SETTLING


def _rewrite(db: Database, file_id: int, sighting: Sighting) -> None:
    columns = {"looks": 0, "size": sighting.size, "sighting": encode_sighting(sighting), **FRESH}
    set_columns(db, "files", file_id, columns)


def _enter(db: Database, sighting: Sighting) -> int:
    """The settling version of a path: the one that is, or a new one."""
    row = one(
        db,
        "SELECT id, state, sighting FROM files WHERE folder = ? AND path = ? AND current = 1 ORDER BY id DESC LIMIT 1",
        sighting.folder,
        sighting.path,
    )
    if row is None or row["state"] != FileState.SETTLING:
        return _insert(db, sighting)
    if row["sighting"] != encode_sighting(sighting):
        _rewrite(db, row["id"], sighting)
    return int(row["id"])


def _insert(db: Database, sighting: Sighting) -> int:
    now = clock()
    db.conn.execute(
        "UPDATE files SET current = NULL WHERE folder = ? AND path = ? AND current = 1 AND state = 'rejected'",
        (sighting.folder, sighting.path),
    )
    cursor = db.conn.execute(
        "INSERT INTO files (folder, path, current, state, sighting, size, discovered_at, changed_at) "
        "VALUES (?, ?, 1, 'settling', ?, ?, ?, ?)",
        (sighting.folder, sighting.path, encode_sighting(sighting), sighting.size, now, now),
    )
    file_id = int(cursor.lastrowid or 0)
    log_event(db, "discovered", FileState.SETTLING, f"{sighting.size:,} bytes", file_id=file_id)
    return file_id


def _bump(db: Database, file_id: int, counters: tuple[str, ...], reason: str, after: float) -> None:
    now = clock()
    db.conn.execute(
        f"UPDATE files SET {', '.join(f'{c} = {c} + 1' for c in counters)}, "  # noqa: S608 - names are ours
        "retrying_since = COALESCE(retrying_since, ?), not_before = ?, last_error = ? WHERE id = ?",
        (now, now + after, reason, file_id),
    )


__all__ = ["CALM", "FRESH", "Converted", "Files", "reject"]
