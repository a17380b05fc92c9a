"""What becomes of rejected files and held sessions when a person asks for another try."""

from __future__ import annotations

import pytest

from uploader.core.model import FileState, Hold, Scope, SessionKey, SessionState
from uploader.core.scenes import Scene
from uploader.core.transitions import retry_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord

pytestmark = pytest.mark.unit

KEY = SessionKey("p", "", "", "", categorical=False)


def file(state: FileState, **columns) -> FileRecord:
    """The file 7."""
    return FileRecord(id=7, folder="/d", path=b"a.tif", sighting="", state=state, **columns)


def test_a_rejected_file_settles_again() -> None:
    """Nothing of its first life counts, and whoever doubts that it was uploaded is assured."""
    rejected = file(FileState.REJECTED, attempts=5, looks=3, losses=1, content="c")
    change, count = events.retried(1000.0, [rejected], [], denied=True)

    assert count == 1
    assert change.files[7]["state"] is FileState.SETTLING
    assert [change.files[7][name] for name in ("attempts", "looks", "losses", "content")] == [0, 0, 0, None]
    assert change.assured == [("/d", b"a.tif")]


@pytest.mark.parametrize(
    ("state", "denied", "given_up"),
    [
        (SessionState.COMPLETING, True, True),
        (SessionState.COMPLETING, False, False),
        (SessionState.COMPLETED, True, False),
    ],
)
def test_a_held_session_is_looked_for_again_or_given_up(
    state: SessionState, denied: bool, given_up: bool
) -> None:
    """Only a person who has looked says that its items do not exist; a completed one is looked for in any case."""
    session = SessionRecord(id=4, key=KEY, state=state, hold="look there", locate_tries=9)
    change, count = events.retried(1000.0, [], [(session, [file(FileState.STORED)])], denied=denied)

    assert count == 1
    assert change.sessions[4]["hold"] == ""
    assert change.sessions[4]["locate_tries"] == 0
    assert (change.sessions[4].get("state") is SessionState.FAILING) is given_up


def test_whatever_is_held_is_due_at_once() -> None:
    """What is counted is what is tried: a folder or staging is looked at all the time, and its hold ends by that."""
    holds = [
        Hold(scope, "s", "because", until=until)
        for scope, until in zip(Scope, [None, *[9e9] * (len(Scope) - 1)], strict=True)
    ]
    held = SessionRecord(id=4, key=KEY, hold="look there", locate_tries=9)
    later = SessionRecord(id=5, key=KEY, retrying_since=5.0)
    change, count = events.tried_now(
        1000.0, holds, [held, later], [file(FileState.QUEUED, retrying_since=5.0)]
    )

    assert {scope for scope, _ in change.holds} == events.PROBED
    assert {hold.until for hold in change.holds.values() if hold} == {0.0}
    assert (change.sessions[4]["hold"], change.sessions[4]["locate_tries"]) == ("", 0)
    assert (change.sessions[5], change.files[7]) == ({"not_before": 0.0}, {"not_before": 0.0})
    assert count == len(events.PROBED) + 3


def test_a_scene_is_tried_now() -> None:
    """Its collection is looked for at once, and what was said of it stays until then."""
    scene = Scene(id=3, project_id="p", name="S", retrying_since=995.0, not_before=1060.0, last_error="None.")

    change, count = events.tried_now(1000.0, [], [], [], [scene])

    assert (change.scenes[3]["not_before"], "last_error" in change.scenes[3], count) == (0.0, False, 1)
