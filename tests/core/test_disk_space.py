"""What fits on the disk, and what is told where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uploader.core import actions as act
from uploader.core import disk_space
from uploader.core.disk_space import CLAIM_AHEAD, CLAIMS, copied_from, estimate, reserved, short, trouble
from uploader.core.model import Destination, HoldCause, Limits, Scope
from uploader.core.planner_view import PlannerView, Queued, Settled
from uploader.core.planning_pass import PlanningPass
from uploader.core.unexpected_errors import UnexpectedError

pytestmark = pytest.mark.unit

NOW = 1000.0
MIB = 1 << 20
LIMITS = Limits(converters=2, min_free_bytes=0, staging_bytes=1 << 40)
EMPTY = PlannerView(destinations={"/d": Destination("p"), "/e": Destination("p")})


def settled(*sizes: int, folder: str = "/d", first: int = 1) -> tuple[Settled, ...]:
    """Files that may be claimed."""
    return tuple(Settled(n, folder, size) for n, size in enumerate(sizes, first))


def queued(*sizes: int) -> tuple[Queued, ...]:
    """Files that wait for a converter."""
    return tuple(Queued(n, "/d", size, f"c{n}") for n, size in enumerate(sizes, 1))


def turn(view: PlannerView, limits: Limits = LIMITS) -> PlanningPass:
    """A turn that has not begun."""
    return PlanningPass(view, NOW, limits)


def claimed(view: PlannerView, limits: Limits = LIMITS) -> list[act.Action]:
    """What is claimed of a view."""
    now = turn(view, limits)
    disk_space.claim(now)
    return now.plan.actions


def converted(view: PlannerView, limits: Limits = LIMITS) -> list[act.Action]:
    """What is converted of a view."""
    now = turn(view, limits)
    disk_space.convert(now)
    return now.plan.actions


def test_what_runs_has_its_room() -> None:
    """A claim needs the copy and its conversion, a conversion what it writes, and others nothing."""
    view = replace(EMPTY, settled=settled(10), queued=queued(20))

    assert reserved(view, act.Claim(1)) == 10 + estimate(10)
    assert reserved(view, act.Convert(1)) == estimate(20)
    assert reserved(view, act.Claim(99)) == reserved(view, act.Complete(1)) == 0


def test_a_conversion_may_write_more_than_it_reads() -> None:
    """A source that is compressed well may come out twice as large, and a small one has a head."""
    assert estimate(0) >= MIB
    assert estimate(100 * MIB) >= 200 * MIB


def test_only_a_claim_copies_from_a_folder() -> None:
    """So that one folder that hangs does not take all threads."""
    view = replace(EMPTY, settled=settled(10, folder="/e"))

    assert [copied_from(view, one) for one in (act.Claim(1), act.Convert(1), act.Claim(9))] == ["/e", "", ""]


def test_each_folder_is_copied_from_by_a_few_at_a_time() -> None:
    """Files of another folder go past those that wait."""
    view = replace(EMPTY, settled=(*settled(*[1] * 5), *settled(1, folder="/e", first=6)))

    assert claimed(view) == [act.Claim(1), act.Claim(2), act.Claim(6)]
    assert claimed(replace(view, copying={"/d": CLAIMS})) == [act.Claim(6)]


def test_no_more_is_claimed_than_converters_will_take_soon() -> None:
    """A private copy that waits for days costs disk and tells nothing."""
    view = replace(EMPTY, settled=settled(1), queued_total=LIMITS.converters + CLAIM_AHEAD)

    assert claimed(view) == []
    assert claimed(replace(view, queued_total=view.queued_total - 1)) == [act.Claim(1)]


@pytest.mark.parametrize(
    ("view", "limits"),
    [
        (replace(EMPTY, free_bytes=5 * MIB), LIMITS),
        (replace(EMPTY, free_bytes=9 * MIB), replace(LIMITS, min_free_bytes=4 * MIB)),
        (replace(EMPTY, reserved_bytes=5 * MIB, free_bytes=10 * MIB), LIMITS),
        (replace(EMPTY, staged_bytes=5 * MIB), replace(LIMITS, staging_bytes=10 * MIB)),
    ],
    ids=["disk", "reserve", "running", "staging"],
)
def test_smaller_files_pass_one_that_does_not_fit(view: PlannerView, limits: Limits) -> None:
    """Whatever bounds the room, a large file waits and does not block."""
    assert claimed(replace(view, settled=settled(4 * MIB, MIB)), limits) == [act.Claim(2)]


@pytest.mark.parametrize(
    ("view", "limits"),
    [
        (replace(EMPTY, free_bytes=5 * MIB), LIMITS),
        (replace(EMPTY, free_bytes=9 * MIB), replace(LIMITS, min_free_bytes=4 * MIB)),
        (replace(EMPTY, free_bytes=9 * MIB, reserved_bytes=4 * MIB), LIMITS),
    ],
    ids=["disk", "reserve", "running"],
)
def test_smaller_conversions_pass_one_that_does_not_fit(view: PlannerView, limits: Limits) -> None:
    """And what the first will write is no longer free for the second."""
    assert converted(replace(view, queued=queued(4 * MIB, MIB)), limits) == [act.Convert(2)]
    assert converted(replace(view, queued=queued(MIB, MIB)), limits) == [act.Convert(1)]


def test_what_is_busy_or_belongs_to_no_folder_is_not_converted() -> None:
    """Nor claimed while something is done about it."""
    view = replace(EMPTY, queued=queued(1, 1), busy=frozenset({("file", 1)}))

    assert converted(view) == [act.Convert(2)]
    assert converted(replace(view, destinations={})) == []
    assert claimed(replace(view, settled=settled(1, 1))) == [act.Claim(2)]


def test_of_twins_that_a_folder_wants_once_one_is_converted() -> None:
    """One that is completed ends the other; one that is under way lets it wait."""
    wanting = replace(EMPTY, destinations={"/d": Destination("p", duplicates="skip")})
    one, other = (replace(file, content="same") for file in queued(1, 1))
    view = replace(wanting, queued=(one, other))

    assert converted(replace(view, twins_completed=frozenset({1, 2}))) == [act.SkipTwin(1), act.SkipTwin(2)]
    assert converted(replace(view, twins_pending=frozenset({2}))) == [act.Convert(1)]
    assert converted(view) == [act.Convert(1)]


def test_claims_that_run_and_files_that_rest_count() -> None:
    """The first take places ahead of the converters; the second, whom a mistake keeps back, give theirs up."""
    full = LIMITS.converters + CLAIM_AHEAD
    mistake = UnexpectedError(("file", 9), "Convert", "a.tif", "It broke.", NOW, NOW + 60)
    view = replace(EMPTY, settled=settled(1), queued_total=full - 1)

    assert claimed(replace(view, running={"Claim": 1})) == []
    assert claimed(replace(view, queued_total=full, mistakes=(mistake,))) == [act.Claim(1)]


def test_a_file_that_cannot_be_claimed_is_told_when_nothing_else_happens() -> None:
    """What runs, or was decided on in this turn, may still make room."""
    view = replace(EMPTY, settled=settled(9 * MIB), free_bytes=MIB)
    idle, busy, acting = turn(view), turn(replace(view, busy=frozenset({("session", 1)}))), turn(view)
    acting.do(act.Complete(1))
    for now in (idle, busy, acting):
        disk_space.claim(now)

    assert [len(now.plan.holds) for now in (idle, busy, acting)] == [1, 0, 0]


def test_a_conversion_that_fits_nowhere_is_told() -> None:
    """Once, with what is free; while another conversion runs it may still make room."""
    view = replace(EMPTY, queued=queued(9 * MIB), free_bytes=MIB)
    alone, beside = turn(view), turn(replace(view, running={"Convert": 1}))
    for now in (alone, beside):
        disk_space.convert(now)
        disk_space.claim(now)

    assert [(hold.scope, hold.until) for hold in alone.plan.holds] == [(Scope.STAGING, NOW + 30)]
    assert "0.00 GiB are free" in alone.plan.holds[0].reason
    assert beside.plan.holds == []


def test_a_second_try_has_all_converters() -> None:
    """It starts only when none is busy, and nothing starts beside it."""
    first, *rest = queued(1, 1, 1)
    view = replace(EMPTY, queued=(replace(first, alone=True), *rest))

    assert converted(view) == [act.Convert(1)]
    assert converted(replace(view, running={"Convert": 1})) == [act.Convert(2)]


@pytest.mark.parametrize(
    ("size", "staged", "short_of_room"),
    [(4 * MIB, 0, False), (4 * MIB, 9 * MIB, True), (90 * MIB, 9 * MIB, False)],
)
def test_room_is_short_where_uploading_would_make_it(size: int, staged: int, short_of_room: bool) -> None:
    """Not where the file fits as it is, and not where it would not fit an empty staging either."""
    free = 9 * MIB if not staged else MIB
    view = replace(EMPTY, queued=queued(size), staged_bytes=staged, free_bytes=free)

    assert short(turn(view)) is short_of_room
    assert not short(turn(replace(view, staging_trouble="it hangs")))


def test_a_staging_folder_in_trouble_is_told_first() -> None:
    """Its own words are the reason, and there is no second hold about room."""
    now = turn(replace(EMPTY, queued=queued(9 * MIB), free_bytes=0, staging_trouble="It hangs."))
    trouble(now)
    disk_space.convert(now)

    told = [(hold.cause, hold.reason, hold.until) for hold in now.plan.holds]
    assert told == [(HoldCause.STAGING_UNUSABLE, "It hangs.", NOW + 30)]


def test_a_file_that_is_being_claimed_waits_for_no_room() -> None:
    """It has its own."""
    view = replace(EMPTY, settled=settled(4 * MIB), staged_bytes=20 * MIB, free_bytes=MIB)

    assert short(turn(view))
    assert not short(turn(replace(view, busy=frozenset({("file", 1)}))))
