"""Ids in an order, kept as they come and go: the first is known without sorting all of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator
from heapq import merge
from itertools import islice
from typing import Any

Rank = tuple[Any, ...]
"""What ids are ordered by. It ends with the id, so that no two are alike."""


def _everywhere(_: Hashable) -> bool:
    return True


class OrderedIndex:
    """Ids in lines, one for each place, by their ranks."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, list[Rank]] = {}
        self._at: dict[int, tuple[Hashable, Rank]] = {}

    def __contains__(self, item: int) -> bool:
        return item in self._at

    def put(self, item: int, rank: Rank, place: Hashable = None) -> None:
        """Have an id in the line of a place. `rank` ends with it."""
        if self._at.get(item) == (place, rank):
            return
        self.drop(item)
        self._at[item] = (place, rank)
        insort(self._lines.setdefault(place, []), rank)

    def drop(self, item: int) -> bool:
        """Take an id away. Returns whether it was there."""
        found = self._at.pop(item, None)
        if found is None:
            return False
        place, rank = found
        line = self._lines[place]
        del line[bisect_left(line, rank)]
        if not line:
            del self._lines[place]
        return True

    def in_order(self, wanted: Callable[[Hashable], bool] = _everywhere) -> Iterator[Rank]:
        """The ranks of all wanted places in one order. The index must not change meanwhile."""
        return merge(*(line for place, line in self._lines.items() if wanted(place)))

    def first(self, most: int, wanted: Callable[[Hashable], bool] = _everywhere) -> list[Rank]:
        """The first ranks of every wanted place, so many of each at most; places in no order that means anything."""
        return [rank for place, line in self._lines.items() if wanted(place) for rank in islice(line, most)]

    def count(self, wanted: Callable[[Hashable], bool] = _everywhere) -> int:
        """How many ids are at the wanted places."""
        return sum(len(line) for place, line in self._lines.items() if wanted(place))
