"""Which live files are of one kind, and what a plan sees of them; made anew only where one of them has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from uploader.core.live_rows import LiveFile
from uploader.core.ordered_index import OrderedIndex, Rank

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """So many files, none of them of these folders."""

    size: int
    left_out: frozenset[str] = frozenset()


EVERYTHING = Window(1 << 62)
"""All files there are."""


def of_folder(file: LiveFile) -> tuple[Hashable, ...]:
    """The line of a file that stands among those of its folder."""
    return (file.row.folder,)


def by_id(file: LiveFile) -> Rank:
    """The earliest discovered first."""
    return (file.row.id,)


def batch_line(file: LiveFile) -> tuple[Hashable, ...]:
    """What decides which session a converted file may join: files for one target do not keep back those for another."""
    return file.row.folder, file.own_target, file.categorical, file.batch_group


def by_priority(file: LiveFile) -> Rank:
    """The highest priority first, of equal ones the earliest discovered."""
    return (-file.priority, *by_id(file))


def scheduled_last(file: LiveFile) -> Rank:
    """The same, after all others those that have a time."""
    return (file.not_before > 0, *by_priority(file))


def smallest_first(file: LiveFile) -> Rank:
    """The smallest to be sent first, after all others those that have a time."""
    return (file.not_before > 0, file.row.object_size, *by_id(file))


class Index:
    """Files of one kind in order, in lines whose names begin with a folder."""

    def __init__(
        self,
        belongs: Callable[[LiveFile], bool],
        rank: Callable[[LiveFile], Rank] = by_id,
        line: Callable[[LiveFile], tuple[Hashable, ...]] = of_folder,
    ) -> None:
        self._belongs = belongs
        self._rank = rank
        self._line = line
        self._ids = OrderedIndex()
        self._made: dict[Window, object] = {}
        """By window: what was made of it last."""

    def put(self, file_id: int, file: LiveFile | None) -> None:
        """Note what a file is now."""
        if file is not None and self._belongs(file):
            self._ids.put(file_id, self._rank(file), self._line(file))
        elif not self._ids.drop(file_id):
            return
        self.changed()

    def changed(self) -> None:
        """What was made of a window may be another thing now."""
        self._made.clear()

    def count(self, left_out: frozenset[str]) -> int:
        """How many files there are, without those of these folders."""
        return self._ids.count(lambda line: line[0] not in left_out)  # type: ignore[index]

    def first(self, window: Window) -> list[int]:
        """The first files of all, by their ranks."""
        found = self._ids.in_order(lambda line: line[0] not in window.left_out)  # type: ignore[index]
        return [rank[-1] for rank in islice(found, window.size)]

    def first_of_each(self, window: Window) -> list[int]:
        """The first files of each line, as many of each, in no order that means anything."""
        found = self._ids.first(window.size, lambda line: line[0] not in window.left_out)  # type: ignore[index]
        return [rank[-1] for rank in found]

    def in_order(self) -> Iterator[int]:
        """All of them, by their ranks."""
        return (rank[-1] for rank in self._ids.in_order())

    def window(self, window: Window, make: Callable[[], T]) -> T:
        """What `make` makes, kept until something changes."""
        if window not in self._made:
            self._made.clear()
            self._made[window] = make()
        found: T = self._made[window]  # type: ignore[assignment]
        return found
