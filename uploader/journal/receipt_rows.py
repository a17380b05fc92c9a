"""The receipts of all files that became an item: read in pages from the rows of these files, and never pruned.

The view `all_receipts` has them. What it shows of a file's row goes to the table `receipts` when the row is forgotten.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uploader.core import receipts
from uploader.core.errors import JournalError
from uploader.core.footprints import Ring, known_ring
from uploader.core.lifecycle import FILE_ENDS, ITEMS
from uploader.journal import content_hashes
from uploader.journal.rows import in_list
from uploader.journal.sqlite_library import Database

Values = Mapping[str, Any] | Sequence[Any]
"""Of a query, by name or by place."""

PAGE = 1000
"""Receipts that one query reads: no reading transaction lasts as long as who prints them."""

_OVER = in_list(FILE_ENDS - ITEMS)

LOOKED_AT = 20_000
"""Receipts that one page looks at."""

FOR_EVER = 1e12
"""A time that never comes."""

_KEPT = "id IN (SELECT value FROM json_each(?))"


def keep_receipts(db: Database, file_ids: Collection[int]) -> None:
    """Within a transaction: write down what the rows of these files say of their items, before they are forgotten."""
    for row in _whole(db, f"SELECT * FROM all_receipts WHERE {_KEPT}", (json.dumps([*file_ids]),)):  # noqa: S608
        columns = {**row, "content": content_hashes.stored(row["content"])}
        columns["source_sha256"] = receipts.group_hash(row["content"] or "", row["source_sha256"])
        db.conn.execute(
            f"INSERT INTO receipts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608
            tuple(columns.values()),
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which receipts are wanted; empty text and None: all. `since` in unix seconds, by when the item was known."""

    since: float | None = None
    folder: str = ""
    project_id: str = ""
    state: str = ""

    @property
    def condition(self) -> str:
        """As SQL, with the values of `values`."""
        return (
            "completed_at >= :since AND :folder IN ('', folder) AND :project_id IN ('', project_id) "
            "AND :state IN ('', state)"
        )

    @property
    def values(self) -> dict[str, Any]:
        """The values by name."""
        return {
            "since": self.since or 0.0,
            "folder": self.folder,
            "project_id": self.project_id,
            "state": self.state,
        }


def by_time(db: Database, chosen: Selection) -> Iterator[dict[str, Any]]:
    """Receipts in the order in which the items came about, also while a daemon adds some."""
    return _pages(db, chosen, "(completed_at, id) > (:completed_at, :id)", "completed_at, id")


def by_item(db: Database, chosen: Selection) -> Iterator[dict[str, Any]]:
    """Receipts with those of one item together; those of which the item is not known come last."""
    yield from _pages(db, chosen, "item_id > '' AND (item_id, id) > (:item_id, :id)", "item_id, id")
    yield from _pages(db, chosen, "item_id IS NULL AND id > :id", "id")


def newest(
    db: Database, chosen: Selection, before: tuple[float, int] | None, most: int
) -> tuple[list[dict[str, Any]], tuple[float, int] | None]:
    """Receipts before a time and an id, the latest first; and the time and id of the next page, if there is one.

    `LOOKED_AT` receipts are looked at, so that a page may be short, or empty, although there are more.
    """
    at, file_id = before or (FOR_EVER, 0)
    given = {**chosen.values, "at": at, "id": file_id, "looked": LOOKED_AT, "most": most}
    looked = (
        "SELECT completed_at, id FROM all_receipts WHERE (completed_at, id) < (:at, :id) AND completed_at >= :since "
        "ORDER BY completed_at DESC, id DESC LIMIT :looked"
    )
    number = _rows(db, f"SELECT COUNT(*) AS number FROM ({looked})", given)[0]["number"]  # noqa: S608
    last = _rows(db, f"{looked[:-7]}1 OFFSET {max(0, number - 1)}", given)
    if not last:
        return [], None
    end = last[0]["completed_at"], last[0]["id"]
    sql = (
        "SELECT * FROM all_receipts WHERE (completed_at, id) < (:at, :id) "  # noqa: S608 - words of ours
        f"AND (completed_at, id) >= (:end_at, :end_id) AND {chosen.condition} "
        "ORDER BY completed_at DESC, id DESC LIMIT :most"
    )
    found = _whole(db, sql, {**given, "end_at": end[0], "end_id": end[1]})
    if len(found) == most:
        return found, (found[-1]["completed_at"], found[-1]["id"])
    return found, end if number == LOOKED_AT else None


def receipt_row(db: Database, file_id: int) -> dict[str, Any] | None:
    """One receipt; None where the file is no item."""
    return next(iter(_whole(db, "SELECT * FROM all_receipts WHERE id = ?", (file_id,))), None)


def keeps_receipts(db: Database) -> bool:
    """Whether the journal is of a version that has them."""
    return bool(_rows(db, "SELECT 1 FROM sqlite_master WHERE name = 'all_receipts'"))


def footprints(db: Database, file_ids: Collection[int]) -> dict[int, Ring]:
    """Where these files lie, by their ids; what has no footprint is left out."""
    sql = " UNION ".join(
        f"SELECT id, footprint FROM {table} WHERE footprint IS NOT NULL "  # noqa: S608 - tables of ours
        "AND id IN (SELECT value FROM json_each(:ids))"
        for table in ("files", "receipts")
    )
    found = _rows(db, sql, {"ids": json.dumps([*file_ids])})
    rings = ((row["id"], known_ring(row["footprint"])) for row in found)
    return {file_id: ring for file_id, ring in rings if ring}


def contents(db: Database, file_ids: Collection[int]) -> dict[int, str]:
    """The content hashes of those of these files that are, or may still become, an item."""
    own = "id IN (SELECT value FROM json_each(:ids))"
    live = f"SELECT id, content, source_sha256 FROM files WHERE {own} AND state NOT IN ({_OVER})"  # noqa: S608
    sql = f"{live} UNION SELECT id, content, source_sha256 FROM receipts WHERE {own}"  # noqa: S608
    found = _rows(db, sql, {"ids": json.dumps([*file_ids])})
    hashes = (
        (row["id"], receipts.hashes(content_hashes.told(row["content"]), row["source_sha256"])[0])
        for row in found
    )
    return {file_id: content for file_id, content in hashes if content}


def _pages(db: Database, chosen: Selection, further: str, order: str) -> Iterator[dict[str, Any]]:
    """All rows, page by page: those of the next one lie `further` than the last row of the one before."""
    last: dict[str, Any] = {"completed_at": chosen.since or 0.0, "item_id": "", "id": 0}
    sql = f"SELECT * FROM all_receipts WHERE {further} AND {chosen.condition} ORDER BY {order} LIMIT {PAGE}"  # noqa: S608
    while found := _whole(db, sql, {**chosen.values, **last}):
        yield from found
        last = {name: found[-1][name] for name in last}


def _whole(db: Database, sql: str, values: Values) -> list[dict[str, Any]]:
    """All receipts of a query, with what they leave out."""
    found = _rows(db, sql, values)
    return [receipts.whole({**row, "content": content_hashes.told(row["content"])}) for row in found]


def _rows(db: Database, sql: str, values: Values = ()) -> list[dict[str, Any]]:
    """All rows of a query. Raises JournalError where an earlier version wrote the journal."""
    try:
        cursor = db.conn.execute(sql, values)
    except sqlite3.OperationalError as error:
        if not str(error).startswith(("no such table: all_receipts", "no such column: footprint")):
            raise
        raise JournalError(
            "The journal is of an earlier version, which kept no receipts, or kept them elsewhere.",
            "Start this version of the daemon once: it brings the journal up to date.",
        ) from error
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
