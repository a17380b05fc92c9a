"""Which private copies are told to be damaged again and again, and when that is over."""

from __future__ import annotations

import pytest

from uploader.core.damaged_copies import DamagedCopies
from uploader.core.failure_policy import FREE_COPIES
from uploader.core.model import FileState
from uploader.core.transitions.change import LogLine

pytestmark = pytest.mark.unit


def damaged(times: int, mended: FileState = FileState.CONVERTED) -> DamagedCopies:
    """File 1, whose copy was damaged so many times."""
    copies = DamagedCopies()
    for turn in range(times):
        copies.found(1, "/d/a.tif", f"Damage {turn}.", mended, now=100.0 + turn, after=5.0)
    return copies


def came_to(state: FileState, file_id: int = 1) -> LogLine:
    """A line of the event log."""
    return LogLine("moved", state, "", file_id)


def test_what_may_be_chance_is_not_told() -> None:
    """One more time is, since the first one, in the words of the last."""
    assert damaged(FREE_COPIES).lasting() == ()
    (copy,) = damaged(FREE_COPIES + 1).lasting()

    assert (copy.times, copy.since, copy.until) == (4, 100.0, 108.0)
    assert copy.reason == "Damage 3."
    assert copy.settles


@pytest.mark.parametrize(
    "state", [FileState.CONVERTED, FileState.REJECTED, FileState.GONE, FileState.UNPACKED]
)
def test_it_is_over_when_the_copy_is_whole_or_needed_no_more(state: FileState) -> None:
    """Another file's end says nothing, nor that the copy is made again."""
    copies = damaged(9)
    copies.committed([came_to(FileState.SETTLING), came_to(FileState.QUEUED), came_to(state, file_id=2)])
    assert copies.times(1) == 9

    copies.committed([came_to(state)])

    assert (copies.lasting(), copies.times(1)) == ((), 0)


def test_what_was_found_as_it_was_sent_is_over_when_it_is_stored() -> None:
    """A conversion makes it anew, and says nothing of how the disk keeps it; nor does a copy damaged meanwhile."""
    copies = damaged(9, FileState.STORED)
    copies.found(1, "/d/a.tif", "Damage.", FileState.CONVERTED, now=200.0, after=5.0)
    copies.committed([came_to(FileState.CONVERTED)])
    (copy,) = copies.lasting()
    assert not copy.settles

    copies.committed([came_to(FileState.STORED)])

    assert copies.lasting() == ()
