"""When which file is looked at next."""

from __future__ import annotations

import pytest

from uploader.core.look_schedule import LookSchedule

pytestmark = pytest.mark.unit


def test_each_file_has_one_time_and_is_handed_out_once() -> None:
    """The last plan counts, earlier or later than the one before."""
    schedule = LookSchedule()
    for file_id, due in ((1, 5.0), (2, 3.0), (1, 9.0), (3, 7.0), (3, 1.0), (2, None), (4, None)):
        schedule.plan(file_id, due)

    assert (len(schedule), schedule.next()) == (2, 1.0)
    assert [schedule.pop(0.9), schedule.pop(1.0), schedule.pop(8.9), schedule.pop(9.0)] == [None, 3, None, 1]
    assert (schedule.next(), schedule.pop(1000.0)) == (None, None)


def test_what_is_planned_again_and_again_costs_what_one_plan_costs() -> None:
    """Old plans are cleared away by and by."""
    schedule = LookSchedule()
    for second in range(10_000):
        schedule.plan(1, float(second))

    assert len(schedule._heap) < 2000
    assert schedule.pop(10_000.0) == 1
