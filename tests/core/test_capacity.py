"""How many converters a machine carries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_disk_space import EMPTY, converted, queued
from uploader.core import capacity

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("cores", [1, 2, 4, 8, 32, 128])
def test_what_fits_is_what_is_taken(cores: int) -> None:
    """One rule in both directions: so many workers need so many tasks, and in these there is room for so many."""
    for workers in (1, 2, 7, 128):
        needed = capacity.tasks(workers, cores=cores, folders=3)
        assert capacity.workers(1000, needed, cores=cores, folders=3) == workers
        assert capacity.workers(1000, needed - 1, cores=cores, folders=3) == max(1, workers - 1)


def test_one_is_always_tried() -> None:
    """A limit that is too low for the rule may still do; and what is wanted is never exceeded."""
    assert capacity.workers(4, -5, cores=4, folders=1) == 1
    assert capacity.workers(4, 100_000, cores=4, folders=1) == 4
    assert capacity.workers(4, None, cores=4, folders=1) == 4


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_one_conversion_more_is_under_way_than_converters_work_on(workers: int) -> None:
    """While one is made ready, or put in its place, no converter is idle. Each takes room on the disk."""
    view = replace(EMPTY, queued=queued(*(1,) * 20), converters=capacity.under_way(workers))

    assert len(converted(view)) == workers + 1
    assert len(converted(replace(view, running={"Convert": workers}))) == 1
    assert converted(replace(view, running={"Convert": workers + 1})) == []
