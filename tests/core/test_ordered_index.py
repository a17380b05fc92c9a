"""Ids in order."""

from __future__ import annotations

import random

import pytest

from uploader.core.ordered_index import OrderedIndex

pytestmark = pytest.mark.unit


def test_the_order_is_that_of_the_ranks_whatever_comes_and_goes() -> None:
    """Ten thousand steps beside a plain sort of all that is there."""
    rng, index, there = random.Random(1), OrderedIndex(), {}
    for _ in range(10_000):
        item = rng.randrange(60)
        if rng.random() < 0.4:
            assert index.drop(item) == (there.pop(item, None) is not None)
        else:
            there[item] = (rng.choice("ab"), (rng.randrange(4), item))
            index.put(item, there[item][1], there[item][0])
        for places in ("a", "b", "ab"):
            line = sorted(rank for at, rank in there.values() if at in places)
            assert list(index.in_order(lambda place, places=places: place in places)) == line
            assert index.count(lambda place, places=places: place in places) == len(line)
        assert (item in index) == (item in there)


def test_of_every_place_the_first_are_given() -> None:
    """As many of each at most; a place that nobody is at gives none."""
    index = OrderedIndex()
    for item in range(6):
        index.put(item, (-item, item), item % 2)
    index.put(5, (0, 5), 2)
    index.drop(5)

    assert sorted(index.first(2)) == [(-4, 4), (-3, 3), (-2, 2), (-1, 1)]
    assert index.first(2, lambda place: place == 2) == []
