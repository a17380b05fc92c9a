"""What an effect brings for a file that a person gave up meanwhile."""

from __future__ import annotations

import pytest

from tests.core.transitions.test_file_events import COPY, NOW, SEEN, file
from uploader.core.lifecycle import FILE_ENDS
from uploader.core.model import FileState
from uploader.core.transitions import file_events, source_events
from uploader.core.transitions.file_events import Converted
from uploader.core.transitions.given_up import GIVEN_UP
from uploader.core.transitions.repaired import NOTHING
from uploader.core.transitions.source_events import SightedGroup

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("state", sorted(GIVEN_UP))
def test_what_comes_of_a_file_that_was_given_up_meanwhile_changes_nothing(state: FileState) -> None:
    """A person has forgotten it while an effect was at work; only a copy that was just made has to go."""
    given_up = file(state, current=None)
    made = Converted(5, 7, "encode", categorical=False, file_name="a.tif")
    changes = [
        source_events.looked(NOW, given_up, "half", 10.0),
        file_events.converted(NOW, given_up, made),
        file_events.look_again(NOW, given_up, None, "damaged", 0.0),
        file_events.twin(NOW, given_up),
        file_events.rejected(NOW, given_up, None, "no raster"),
        file_events.retried_later(NOW, given_up, "no room", 10.0),
        file_events.stuck(NOW, given_up, "no rights", 10.0),
    ]
    claimed, there = file_events.claimed(NOW, given_up, None, COPY, NOTHING)
    disposed = source_events.disposed(
        NOW, given_up, "archived", b"/done/a.tif", SightedGroup(SEEN.sighting, given_up.sighting)
    )

    assert [(change.files, change.log) for change in changes] == [({}, [])] * len(changes)
    assert (claimed.files, there) == ({7: {"staged": 1}}, state)
    assert (disposed.files[7]["archived_as"], "state" in disposed.files[7]) == (b"/done/a.tif", False)


@pytest.mark.parametrize("state", sorted(FILE_ENDS))
def test_a_file_that_has_ended_is_not_claimed_again(state: FileState) -> None:
    """A look that began earlier has brought it up again: only the copy that was just made has to go."""
    claimed, there = file_events.claimed(NOW, file(state), None, COPY, NOTHING)

    assert (claimed.files, claimed.log, there) == ({7: {"staged": 1}}, [], state)
