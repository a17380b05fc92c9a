"""What went through each stage in the last 24 hours, in spans of time: what a plot of the throughput is made of.

The event log may hold millions of lines of a day. So each look takes over what is new, and a bounded number of older
lines, until the day is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uploader.core.lifecycle import STAGE_ENDS
from uploader.journal.opening import newest_event
from uploader.journal.rows import clock, in_list
from uploader.journal.sqlite_library import Database

DAY = 86400.0
SPAN = 600
"""Seconds that one number of the plot sums up."""

FIRST_LOOK = 20_000
OLDER = 2_000
"""Older lines that the first look reads, and each one after it."""

NEWER = 20_000
"""New lines that one look reads."""

_SQL = (
    "SELECT e.event, CAST(e.time / :span AS INTEGER) AS span, COUNT(*) AS files, SUM(f.size) AS size "  # noqa: S608
    "FROM events e JOIN files f ON f.id = e.file_id "
    f"WHERE e.id > :above AND e.id <= :upto AND e.time >= :since AND e.event IN ({in_list(STAGE_ENDS)}) "
    "GROUP BY e.event, span"
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Sums of a day: by the event that ends a stage, files and bytes in the drop folder of each span, oldest first."""

    since: float
    """When the first span began (unix seconds); each lasts `SPAN` seconds."""
    stages: Mapping[str, Sequence[tuple[int, int]]]
    whole: bool
    """Whether all of the day has been read."""


class StageHistory:
    """The sums as of the last `look`."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], tuple[int, int]] = {}
        self._first = self._last = -1
        """The lines above the first, up to the last, are counted; -1: none were looked at yet."""
        self._whole = False

    def look(self, db: Database) -> Throughput:
        """Take over what was added, and some of what is older. Within one thread at a time."""
        now = clock()
        newest = newest_event(db)
        if self._last < 0 or newest < self._last or newest - self._last > NEWER:
            self._sums, self._whole = {}, False  # nothing was read yet, or too much has happened since
            self._first = self._last = newest
            self._read_older(db, now, FIRST_LOOK)
        else:
            self._count(db, self._last, newest, now)
            self._last = newest
            self._read_older(db, now, OLDER)
        oldest = int((now - DAY) // SPAN) + 1
        self._sums = {key: made for key, made in self._sums.items() if key[1] >= oldest}
        return self._told(oldest, int(now // SPAN))

    def _read_older(self, db: Database, now: float, most: int) -> None:
        if self._whole:
            return
        above = max(0, self._first - most)
        self._count(db, above, self._first, now)
        self._first = above
        at = db.conn.execute(
            "SELECT time FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (above,)
        ).fetchone()
        self._whole = at is None or at[0] < now - DAY

    def _count(self, db: Database, above: int, upto: int, now: float) -> None:
        cursor = db.conn.execute(_SQL, {"span": SPAN, "above": above, "upto": upto, "since": now - DAY})
        for event, span, files, size in cursor:
            before = self._sums.get((event, span), (0, 0))
            self._sums[event, span] = (before[0] + files, before[1] + size)

    def _told(self, oldest: int, newest: int) -> Throughput:
        stages = {
            event.value: [self._sums.get((event.value, span), (0, 0)) for span in range(oldest, newest + 1)]
            for event in STAGE_ENDS
        }
        return Throughput(oldest * SPAN, stages, self._whole)
