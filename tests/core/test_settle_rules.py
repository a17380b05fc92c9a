"""When a group counts as the same, and when missing files count as gone."""

from __future__ import annotations

import pytest

from tests.core.test_settle_queue import sighted
from uploader.core.settle_rules import SettleRule, state_of, vanished

pytestmark = pytest.mark.unit


def test_marker_and_control_file_are_no_part_of_the_group() -> None:
    """A marker or a control file that is removed later makes no new version."""
    assert state_of(sighted(marked=True)) == state_of(sighted())
    assert state_of(sighted(control=b"a.tif.aria2")) == state_of(sighted())
    assert state_of(sighted()) != state_of(sighted(1))


@pytest.mark.parametrize(
    ("tracked", "missing", "device_changed", "expected"),
    [
        (5, 1, False, "gone"),
        (5, 4, False, "gone"),
        (1, 1, False, "gone"),
        (2, 2, False, "hold"),
        (5, 5, False, "hold"),
        (5, 1, True, "hold"),
        (1, 1, True, "hold"),
    ],
)
def test_files_that_vanish_together_were_unmounted(
    tracked: int, missing: int, device_changed: bool, expected: str
) -> None:
    """Only what vanishes one by one is gone."""
    assert vanished(tracked, missing, device_changed=device_changed) == expected


def test_a_place_is_kept_for_three_times_the_quiet_seconds() -> None:
    """And for a minute at least, so that files that settle slowly come to their end."""
    assert [SettleRule(quiet, "oldest").turn for quiet in (1.0, 20.0, 100.0)] == [60.0, 60.0, 300.0]
    assert SettleRule(100.0, "oldest", marker=True).turn == 60.0
