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
        for place in "ab":
            line = sorted(rank for at, rank in there.values() if at == place)
            assert list(index.each(place)) == [rank[-1] for rank in line]
        assert len(index) == len(there)
        assert (item in index) == (item in there)


def test_of_every_place_the_first_are_given() -> None:
    """As many of each at most; a place that nobody is at gives none."""
    index = OrderedIndex()
    for item in range(6):
        index.put(item, (-item, item), item % 2)
    index.put(5, (0, 5), 2)
    index.drop(5)

    assert sorted(index.first(2)) == [1, 2, 3, 4]
    assert list(index.each(2)) == []
