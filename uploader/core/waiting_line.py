"""Files of one drop folder that wait for a place: of too many to look at, the rest stays in the journal, in a line.

A file keeps its place for a turn. Where others wait, one that has not settled by then goes to the end of the line; it
is still taken, a few turns later than if it were alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

COUNTED = 500
"""Waiting files up to which they are counted with every batch; the others with every scan."""

PAGE = 500
"""Rows that are read from the journal together at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are to be read next: the first `most` settling ones with an id above `after`.

    Where the newest come first: with an id below it, the highest first; 0 is the beginning in either case.
    """

    after: int
    most: int
    newest_first: bool = False


@dataclass(slots=True)
class WaitingLine:
    """The line of one folder. It knows how many wait and who gave up a place, not who they are."""

    newest_first: bool = False
    """It is read from the end where files are added, and anew whenever one is."""
    waiting: int = 0
    """About how many settling files have no place."""
    gave_way: set[int] = field(default_factory=set)
    """Files that gave up their places: others come first, until the line has been gone through."""
    _blocked: bool = False
    """A file found no place since the line was begun."""
    _after: int = 0
    """The last row that was read; 0 at the beginning."""
    _gone_through: bool = False
    """The last row was read, and may still be looked at; then the line begins anew."""
    _gave_way_before: int = 0
    """How many had given up their places the last time that the line was gone through."""

    @property
    def stands(self) -> bool:
        """Whether somebody waits for a place that another one has."""
        return self._blocked or self._after > 0

    @property
    def unsettled(self) -> int:
        """How many files have given up their places to others that still wait."""
        return max(self._gave_way_before, len(self.gave_way)) if self.stands else 0

    @property
    def recount(self) -> bool:
        """Whether so few wait that they are counted with every batch."""
        return 0 < self.waiting < COUNTED

    def turned_away(self, file_id: int) -> None:
        """A file found no place, or has to let others pass."""
        self._blocked = True
        if self.newest_first and file_id not in self.gave_way:
            self._after = 0
        self.waiting = max(self.waiting, 1) if file_id in self.gave_way else self.waiting + 1

    def give_way(self, file_ids: Collection[int]) -> None:
        """These gave up their places."""
        self.gave_way.update(file_ids)
        self.waiting += len(file_ids)

    def next_page(self, room: int) -> Page | None:
        """The rows of whom somebody may get a place: whoever is read of finds one, or his turn is over."""
        return Page(self._after, min(PAGE, room), self.newest_first) if self.stands else None

    def paged(self, page: Page, ids: Sequence[int]) -> None:
        """These rows were read; who finds no place is told of by `turned_away`."""
        if page.after == 0:
            self._blocked = False  # until one of them finds no place
        self._after = ids[-1] if len(ids) == page.most else 0
        self._gone_through = self._after == 0

    def begin_anew(self) -> None:
        """All that was read has been looked at. At the end of the line it is the turn of those that gave way."""
        if self._gone_through:
            self._gone_through = False
            self._gave_way_before = len(self.gave_way)
            self.gave_way.clear()
