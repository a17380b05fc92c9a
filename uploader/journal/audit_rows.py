"""The receipts as an audit looks them up, and what it has seen so far, in tables on the disk of temporary files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any

from uploader.core.matching import stem_of
from uploader.core.recovery_matching import Target
from uploader.journal.receipt_rows import Selection, by_item, by_time
from uploader.journal.rows import rows
from uploader.journal.sqlite_library import Database

_ALL = Selection()
_OF_SESSION = (
    "SELECT * FROM all_receipts WHERE item_id IS NULL AND id IN ("
    "SELECT id FROM files WHERE session_id IN (SELECT id FROM sessions WHERE upload_id = ?1) "
    "UNION ALL SELECT id FROM receipts WHERE item_id IS NULL AND upload_id = ?1)"
)
"""The receipts without an item of an upload session, by the indexes that there are."""


class AuditRows:
    """Lookups on a reading connection to the journal; its own tables are gone with the connection."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.conn.execute("PRAGMA temp_store=FILE")
        for table in (
            "seen (item_id TEXT PRIMARY KEY) WITHOUT ROWID",
            "found (id INTEGER PRIMARY KEY)",  # receipts that a listed item is of
            "strange (item_id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID",
            "unlisted (project_id TEXT, collection_id TEXT)",
        ):
            db.conn.execute(f"CREATE TEMP TABLE {table}")

    def targets(self) -> set[Target]:
        """Where items of the receipts went."""
        found = self._db.conn.execute("SELECT DISTINCT project_id, collection_id FROM all_receipts")
        return {Target(*row) for row in found}

    def count(self) -> int:
        """How many receipts there are."""
        return int(self._db.conn.execute("SELECT COUNT(*) FROM all_receipts").fetchone()[0])

    def see(self, item_id: str) -> bool:
        """Note that an item was listed; whether it is new."""
        if not item_id:
            return False
        return self._db.conn.execute("INSERT OR IGNORE INTO seen VALUES (?)", (item_id,)).rowcount > 0

    def of_item(self, item_id: str) -> list[dict[str, Any]]:
        """The receipts of an item."""
        return self._noted(rows(self._db, "SELECT * FROM all_receipts WHERE item_id = ?", item_id))

    def of_names(self, stems: Collection[str], upload_id: str) -> list[dict[str, Any]]:
        """The receipts without an item whose files an item shows by these names; else those of its upload session."""
        found: list[dict[str, Any]] = []
        for stem in sorted(stems):
            sql = "SELECT * FROM all_receipts WHERE item_id IS NULL AND file_name BETWEEN ? AND ?"
            found += [
                row for row in rows(self._db, sql, stem, f"{stem}.~") if stem_of(row["file_name"]) == stem
            ]
        if not found and not stems and upload_id:
            found = rows(self._db, _OF_SESSION, upload_id)
        return self._noted(found)

    def _noted(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._db.conn.executemany("INSERT OR IGNORE INTO found VALUES (?)", [(row["id"],) for row in found])
        return found

    def session_known(self, upload_id: str) -> bool:
        """Whether an upload session of ours has made it, whose files are not completed yet."""
        sql = "SELECT 1 FROM sessions WHERE upload_id = ? AND upload_id != ''"
        return self._db.conn.execute(sql, (upload_id,)).fetchone() is not None

    def note_foreign(self, item_id: str, name: str) -> None:
        """Note an item that is nobody's."""
        self._db.conn.execute("INSERT OR IGNORE INTO strange VALUES (?, ?)", (item_id, name))

    def foreign(self) -> Iterator[tuple[str, str]]:
        """The noted items that still have no receipt: files that were completed meanwhile have theirs by now."""
        known = "SELECT 1 FROM all_receipts WHERE all_receipts.item_id = strange.item_id"
        sql = f"SELECT item_id, name FROM strange WHERE NOT EXISTS ({known}) ORDER BY item_id"  # noqa: S608
        yield from self._db.conn.execute(sql)

    def note_unlisted(self, target: Target) -> None:
        """Note that a target could not be listed to its end."""
        place = (target.project_id, target.collection_id)
        self._db.conn.execute("INSERT INTO unlisted VALUES (?, ?)", place)

    def unseen(self) -> Iterator[dict[str, Any]]:
        """Receipts that no listing has shown, but for those whose target could not be listed."""
        known = self._db.conn.execute
        sql = "SELECT 1 FROM unlisted WHERE project_id = ? AND collection_id IN ('', ?)"
        for row in by_time(self._db, _ALL):
            if known("SELECT 1 FROM found WHERE id = ?", (row["id"],)).fetchone():
                continue
            if not known(sql, (row["project_id"], row["collection_id"])).fetchone():
                yield row

    def with_assets(self, *, everything: bool) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Items with their receipts: all that are known, or those that were given as targets."""
        for item_id, found in groupby(by_item(self._db, _ALL), key=lambda row: row["item_id"]):
            wanted = [row for row in found if everything or row["target_item_id"]]
            if item_id and wanted:
                yield item_id, wanted
