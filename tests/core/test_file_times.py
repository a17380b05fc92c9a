"""A time for each of some files, of which the earliest comes first."""

from __future__ import annotations

import pytest

from uploader.core.file_times import FileTimes

pytestmark = pytest.mark.unit


def test_each_file_has_one_time_and_is_handed_out_once() -> None:
    """The last one that was set counts, earlier or later than the one before."""
    times = FileTimes()
    for file_id, time in ((1, 5.0), (2, 3.0), (1, 9.0), (3, 7.0), (3, 1.0), (2, None), (4, None)):
        times.set(file_id, time)

    assert (len(times), times.first()) == (2, 1.0)
    assert [times.pop(0.9), times.pop(1.0), times.pop(8.9), times.pop(9.0)] == [None, 3, None, 1]
    assert (times.first(), times.pop(1000.0)) == (None, None)


def test_a_time_that_is_set_again_and_again_costs_what_one_costs() -> None:
    """Earlier times are cleared away by and by."""
    times = FileTimes()
    for second in range(10_000):
        times.set(1, float(second))

    assert len(times._heap) < 2000
    assert times.pop(10_000.0) == 1
