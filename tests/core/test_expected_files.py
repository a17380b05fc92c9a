"""Which files a batch waits for, and which it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_planner import EMPTY, KEY, NOW, SETTINGS, hold, members_of, mistake, session, waiting
from tests.support.configured import settings_with
from uploader.core import actions as act
from uploader.core.configuration import Settings
from uploader.core.model import FileState, Scope, SessionState
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView, Queued, SessionMember, Settled

pytestmark = pytest.mark.unit

BUSY = replace(
    session(SessionState.OPEN, key=replace(KEY, project_id="p-other")),
    members=tuple(SessionMember(n, FileState.BATCHED, 10) for n in range(90, 99)),
)
VIEW = replace(EMPTY, waiting=(waiting(1, age=60),), converters=1, sessions=(BUSY,))
"""A converted file that has lingered for long enough, beside a line that is busy."""

RUNNING = {"busy": frozenset({("file", 2)}), "running": {"Convert": 1}}
YOUNG, OLD = {("file", 2): NOW - 5}, {("file", 2): NOW - 11}
QUEUED, SETTLED = (Queued(2, "/d", 10, "c"),), (Settled(2, "/d", 10),)


def waits(view: PlannerView, settings: Settings = SETTINGS) -> bool:
    """Whether the batch of the one converted file waits for more."""
    return not any(isinstance(action, act.PlanSession) for action in plan(view, NOW, settings).actions)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"coming": {"/d": 1}}, True),
        ({"coming": {"/other": 1}}, False),
        ({"queued": QUEUED}, True),
        ({"queued": QUEUED, **RUNNING, "since": YOUNG}, True),
        ({"queued": QUEUED, **RUNNING, "since": OLD}, False),
        ({"queued": (*QUEUED, Queued(3, "/d", 10, "d")), **RUNNING, "since": YOUNG}, True),
        ({"queued": (*QUEUED, Queued(3, "/d", 10, "d")), **RUNNING, "since": OLD}, False),
        ({"queued": (Queued(2, "/d", 10, "c", not_before=NOW + 60),)}, False),
        ({"queued": (Queued(2, "/d", 10, "c", retrying_since=NOW - 60),)}, False),
        ({"queued": QUEUED, "twins_pending": frozenset({2})}, False),
        ({"queued": QUEUED, "mistakes": (mistake("file", 2, until=NOW + 5),)}, True),
        ({"queued": QUEUED, "mistakes": (mistake("file", 2, until=NOW + 60),)}, False),
        ({"queued": QUEUED, "holds": (hold(Scope.MACHINE, NOW + 9),)}, False),
        ({"settled": SETTLED}, True),
        ({"settled": SETTLED, "busy": RUNNING["busy"], "running": {"Claim": 1}, "since": YOUNG}, True),
        ({"settled": SETTLED, "busy": RUNNING["busy"], "running": {"Claim": 1}, "since": OLD}, False),
        ({"settled": SETTLED, "mistakes": (mistake("file", 2, until=NOW + 60, step="Claim"),)}, False),
    ],
    ids=[
        "settles",
        "settles for another destination",
        "queued",
        "begun a moment ago",
        "a frozen converter",
        "behind a moment ago",
        "behind a frozen converter",
        "later",
        "in trouble",
        "waits for its twin",
        "a mistake keeps it from being converted for a moment",
        "a mistake keeps it from being converted",
        "the machine is short of something",
        "settled",
        "copied since a moment ago",
        "a copy that hangs",
        "a mistake keeps it from being copied",
    ],
)
def test_a_batch_waits_for_what_can_be_expected_soon_only(more: dict[str, object], expected: bool) -> None:
    """Each kind of file on its way, where it moves and where it does not."""
    assert waits(replace(VIEW, **more)) is expected  # type: ignore[arg-type]


def test_a_batch_closes_at_once_where_its_room_is_needed() -> None:
    """Only uploading makes room for the file that waits; what never fits is nothing to hurry for."""
    staging = {"staged_bytes": 8 << 20, "settled": (Settled(2, "/d", 4 << 20),)}
    settings = settings_with(SETTINGS, staging={"max_bytes": 16 << 20}, batch={"max_bytes": 1 << 30})
    fresh = replace(EMPTY, waiting=(waiting(1, age=1),))

    assert members_of(replace(fresh, **staging), settings) == [1]  # type: ignore[arg-type]
    assert waits(replace(fresh, **staging, staging_trouble="It does not answer."), settings)  # type: ignore[arg-type]
    assert waits(replace(fresh, **{**staging, "settled": (Settled(2, "/d", 1 << 20),)}), settings)  # type: ignore[arg-type]
    assert waits(replace(fresh, **{**staging, "settled": (Settled(2, "/d", 1 << 40),)}), settings)  # type: ignore[arg-type]
