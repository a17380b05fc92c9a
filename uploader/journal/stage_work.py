"""What went through each stage in the last hour, and what still has to: what a time for the end is made of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add

from uploader.core.holds import Amount
from uploader.core.lifecycle import PACED_STAGES
from uploader.core.throughput import Passed, StageWork
from uploader.journal.opening import newest_event
from uploader.journal.rows import clock, in_list, rows
from uploader.journal.sqlite_library import Database

HOUR = 3600.0
MINUTE = 60.0

NEWEST = 50_000
"""Events that are read at most at the first look: where many files pass, the last minutes tell as much as an hour."""

_SQL = (
    "SELECT e.event, CAST(e.time / 60 AS INTEGER) AS minute, COUNT(*) AS files, SUM(f.size) AS size, "  # noqa: S608
    "MIN(e.time) AS first, MAX(e.time) AS last FROM events e JOIN files f ON f.id = e.file_id "
    f"WHERE e.id > ? AND e.id <= ? AND e.time >= ? AND e.event IN ({in_list(PACED_STAGES)}) GROUP BY e.event, minute"
)


class StagePasses:
    """What went through, by minute, as of the last `update`."""

    def __init__(self) -> None:
        self._minutes: dict[tuple[str, int], Passed] = {}
        self._event = 0

    def update(self, db: Database) -> None:
        """Take over what was added. Within one transaction."""
        newest = newest_event(db)
        if newest < self._event:  # another journal was put in its place
            self._event, self._minutes = 0, {}
        since = clock() - HOUR
        for row in rows(db, _SQL, max(self._event, newest - NEWEST), newest, since):
            key = row["event"], row["minute"]
            made = Passed(row["files"], row["size"], row["first"], row["last"])
            self._minutes[key] = self._minutes[key] + made if key in self._minutes else made
        self._event = newest
        self._minutes = {key: made for key, made in self._minutes.items() if made.last >= since}

    def work(self, amounts: Iterable[Amount]) -> list[StageWork]:
        """Each stage that has a pace, with what is left of these pending files."""
        pending = list(amounts)
        return [
            self._stage(event.value, [a for a in pending if a.state in states])
            for event, states in PACED_STAGES.items()
        ]

    def _stage(self, event: str, left: list[Amount]) -> StageWork:
        passed = [made for (word, _), made in self._minutes.items() if word == event]
        files, size = sum(amount.files for amount in left), sum(amount.source for amount in left)
        return StageWork(reduce(add, passed) if passed else None, files, size)
