"""What has become of files in sums: how many were completed, when, and which sources are still to go.

A daemon asks for it at every look of a person, over a history that only grows. So everything is read once; after that
the events that were added since say what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uploader.core.lifecycle import (
    ITEM_KNOWN,
    ITEM_MADE,
    ITEMS,
    OBJECT_STORED,
    SOURCE_GONE,
    SOURCE_SEEN_AGAIN,
    SOURCE_SETTLED,
)
from uploader.journal.hold_rows import read_profile
from uploader.journal.opening import newest_event
from uploader.journal.pruning import sums
from uploader.journal.queries import LEAVING, scalar
from uploader.journal.rows import clock, in_list, rows
from uploader.journal.sqlite_library import Database
from uploader.system.days import midnight

ENDED = "ended"
"""The profile's key of the sums that were kept."""

HOUR = 3600.0
MINUTE = 60.0


@dataclass(slots=True)
class EndedSums:
    """The sums, as of the last `update`. Sizes in bytes, times in unix seconds."""

    completed: Counter[str] = field(default_factory=Counter)
    """By folder: files whose item was made."""
    disposed: int = 0
    """Those of them whose source was archived or deleted."""
    uploaded: int = 0
    """Bytes of their objects."""
    leaving: dict[int, str] = field(default_factory=dict)
    """By id, with their folder: completed files whose source is still to be archived or deleted."""
    last: float | None = None
    """When a file was completed last."""
    _minutes: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    """By minute since the epoch and folder: files completed, and their bytes; of today, and of the hour before now."""
    _event: int = -1
    """The last event that was read; -1: nothing was read yet."""
    _forgotten: Mapping[str, Any] = field(default_factory=dict)

    def update(self, db: Database) -> None:
        """Take over what was added. Where history was forgotten since, all is read again. Within one transaction."""
        forgotten = dict(sums(db)["files"])
        newest = newest_event(db)
        if self._event < 0:
            self._take_over(db)
        if self._event < 0 or forgotten != self._forgotten or newest < self._event:
            self._read(db)
        else:
            self._follow(db)
        self._event, self._forgotten = newest, forgotten
        oldest = min(midnight(clock()), clock() - HOUR) // MINUTE
        self._minutes = {key: made for key, made in self._minutes.items() if key[0] >= oldest}

    def kept(self) -> dict[str, Any]:
        """The sums with the event up to which they go: who reads the journal next goes on from there."""
        return {
            "event": self._event,
            "forgotten": dict(self._forgotten),
            "completed": dict(self.completed),
            "disposed": self.disposed,
            "uploaded": self.uploaded,
            "last": self.last,
        }

    def since(self, moment: float) -> tuple[int, int]:
        """Files completed from this minute on, today or in the last hour, and their bytes."""
        found = [made for (minute, _), made in self._minutes.items() if minute >= moment // MINUTE]
        return sum(files for files, _ in found), sum(size for _, size in found)

    def by_folder_since(self, moment: float) -> Counter[str]:
        """Files completed from this minute on, by folder."""
        found: Counter[str] = Counter()
        for (minute, folder), (files, _) in self._minutes.items():
            if minute >= moment // MINUTE:
                found[folder] += files
        return found

    def first_since(self, moment: float) -> float | None:
        """When the first of them was completed, to the minute; None where none was."""
        found = [minute for minute, _ in self._minutes if minute >= moment // MINUTE]
        return min(found) * MINUTE if found else None

    def _take_over(self, db: Database) -> None:
        """Begin with the sums that a daemon has kept, if it has: a million rows need not be read."""
        kept = read_profile(db).get(ENDED)
        if kept is None:
            return
        self._event, self._forgotten = kept["event"], kept["forgotten"]
        self.completed, self.disposed = Counter(kept["completed"]), kept["disposed"]
        self.uploaded, self.last = kept["uploaded"], kept["last"]
        self._read_leaving(db)
        self._read_minutes(db)

    def _read(self, db: Database) -> None:
        sql = (
            "SELECT folder, COUNT(*) AS n, COALESCE(SUM(object_size), 0) AS size FROM files "  # noqa: S608
            f"WHERE state IN ({in_list(ITEMS)}) GROUP BY folder"
        )
        found = rows(db, sql)
        self.completed = Counter({row["folder"]: row["n"] for row in found})
        self.uploaded = sum(row["size"] for row in found)
        self.disposed = scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'disposed'")
        self._read_leaving(db)
        last = "SELECT MAX(changed_at) FROM sessions WHERE state = 'completed'"
        self.last = db.conn.execute(last).fetchone()[0]
        self._event = newest_event(db)
        self._read_minutes(db)

    def _read_minutes(self, db: Database) -> None:
        """Up to the event to which the sums go."""
        self._minutes = {}
        for row in _made(db, _first_event(db, min(midnight(clock()), clock() - HOUR)), self._event):
            self._count(row)

    def _read_leaving(self, db: Database) -> None:
        leaving = rows(db, f"SELECT id, folder FROM files WHERE {LEAVING}")  # noqa: S608 - a condition of ours
        self.leaving = {row["id"]: row["folder"] for row in leaving}

    def _follow(self, db: Database) -> None:
        for row in _made(db, self._event + 1):
            self._count(row)
            self.completed[row["folder"]] += 1
            self.uploaded += row["object_size"] or 0
            if row["leaving"]:
                self.leaving[row["id"]] = row["folder"]
        words = in_list({*SOURCE_SETTLED, SOURCE_SEEN_AGAIN})
        sql = f"SELECT file_id, event FROM events WHERE id > ? AND event IN ({words})"  # noqa: S608 - words of ours
        events = db.conn.execute(sql, (self._event,)).fetchall()
        self.disposed += sum(event == SOURCE_GONE for _, event in events)
        for file_id, _ in events:
            self.leaving.pop(file_id, None)
        if any(event == SOURCE_SEEN_AGAIN for _, event in events):
            self._read_leaving(db)

    def _count(self, row: Mapping[str, Any]) -> None:
        """What a repair has recognised was completed at some other time."""
        if row["event"] != ITEM_MADE:
            return
        key = int(row["time"] // MINUTE), row["folder"]
        files, size = self._minutes.get(key, (0, 0))
        self._minutes[key] = (files + 1, size + (row["object_size"] or 0))
        self.last = max(self.last or 0.0, row["time"])


def stored_since(db: Database, moment: float) -> int:
    """Bytes of the objects that have arrived at the store since then (unix seconds)."""
    sql = (
        "SELECT COALESCE(SUM(files.object_size), 0) FROM events JOIN files ON files.id = events.file_id "
        "WHERE events.id >= ? AND events.event = ?"
    )
    return scalar(db, sql, _first_event(db, moment), OBJECT_STORED.value)


def _made(db: Database, first: int, last: int = (1 << 63) - 1) -> list[dict[str, Any]]:
    """The files that were completed by events from this one on, up to another."""
    sql = (
        "SELECT events.time, events.event, files.id, files.folder, files.object_size, "  # noqa: S608 - words of ours
        f"{LEAVING} AS leaving FROM events JOIN files ON files.id = events.file_id "
        f"WHERE events.id BETWEEN ? AND ? AND events.event IN ({in_list(ITEM_KNOWN)}) ORDER BY events.id"
    )
    return rows(db, sql, first, last)


def _first_event(db: Database, since: float) -> int:
    """The first event from this time on, found by halving: their ids go with the time."""
    low = db.conn.execute("SELECT COALESCE(MIN(id), 1) FROM events").fetchone()[0]
    high = newest_event(db) + 1
    while low < high:
        middle = (low + high) // 2
        sql = "SELECT id, time FROM events WHERE id >= ? ORDER BY id LIMIT 1"
        event_id, at = db.conn.execute(sql, (middle,)).fetchone()
        if at < since:
            low = event_id + 1
        else:
            high = middle
    return int(low)
