"""What fits on the disk, and what is told where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core import disk_space
from uploader.core.configuration import Settings
from uploader.core.disk_space import CLAIM_AHEAD, CLAIMS, copied_from, estimate, reserved, short, trouble
from uploader.core.model import HoldCause
from uploader.core.planner_view import PlannerView, Queued, Settled
from uploader.core.planning_pass import PlanningPass
from uploader.core.unexpected_errors import UnexpectedError
from uploader.core.waits import ROOM

pytestmark = pytest.mark.unit

NOW = 1000.0
MIB = 1 << 20
SETTINGS = settings_with(limits={"min_free_bytes": 0}, staging={"max_bytes": 1 << 40})
EMPTY = PlannerView(destinations={"/d": a_folder("p"), "/e": a_folder("p")}, converters=2)


def settled(*sizes: int, folder: str = "/d", first: int = 1) -> tuple[Settled, ...]:
    """Files that may be claimed."""
    return tuple(Settled(n, folder, size) for n, size in enumerate(sizes, first))


def queued(*sizes: int) -> tuple[Queued, ...]:
    """Files that wait for a converter."""
    return tuple(Queued(n, "/d", size, f"c{n}") for n, size in enumerate(sizes, 1))


def turn(view: PlannerView, settings: Settings = SETTINGS) -> PlanningPass:
    """A turn that has not begun."""
    return PlanningPass(view, NOW, settings)


def claimed(view: PlannerView, settings: Settings = SETTINGS) -> list[act.Action]:
    """What is claimed of a view."""
    now = turn(view, settings)
    disk_space.claim(now)
    return now.plan.actions


def converted(view: PlannerView, settings: Settings = SETTINGS) -> list[act.Action]:
    """What is converted of a view."""
    now = turn(view, settings)
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

    assert claimed(view) == [act.Claim(1), act.Claim(6), act.Claim(2)]
    assert claimed(replace(view, copying={"/d": CLAIMS})) == [act.Claim(6)]


def test_folders_share_the_converters() -> None:
    """Whoever has least in work is next: a folder of ten is not behind a folder of a million."""
    one_slot = {"queued_total": EMPTY.converters + CLAIM_AHEAD - 1}
    view = replace(EMPTY, settled=(*settled(1, 1), *settled(1, folder="/e", first=9)), **one_slot)

    assert claimed(view) == [act.Claim(1)]
    assert claimed(replace(view, queued=queued(1))) == [act.Claim(9)]
    assert claimed(replace(view, copying={"/d": 1})) == [act.Claim(9)]


def test_a_folder_of_higher_priority_goes_first() -> None:
    """Its files are claimed and converted before others, also where it has more in work."""
    places = {"/d": a_folder("p", priority=1), "/e": a_folder("p")}
    files = (*settled(1, folder="/e"), *settled(1, 1, first=5))
    waiting = (Queued(1, "/e", 1, "c1"), Queued(2, "/d", 1, "c2"), Queued(3, "/d", 1, "c3"))
    view = replace(EMPTY, destinations=places)

    assert claimed(replace(view, settled=files)) == [act.Claim(5), act.Claim(6), act.Claim(1)]
    assert converted(replace(view, queued=waiting)) == [act.Convert(2), act.Convert(3)]


def test_no_more_is_claimed_than_converters_will_take_soon() -> None:
    """A private copy that waits for days costs disk and tells nothing."""
    view = replace(EMPTY, settled=settled(1), queued_total=EMPTY.converters + CLAIM_AHEAD)

    assert claimed(view) == []
    assert claimed(replace(view, queued_total=view.queued_total - 1)) == [act.Claim(1)]


@pytest.mark.parametrize(
    ("view", "settings"),
    [
        (replace(EMPTY, free_bytes=5 * MIB), SETTINGS),
        (replace(EMPTY, free_bytes=9 * MIB), settings_with(SETTINGS, limits={"min_free_bytes": 4 * MIB})),
        (replace(EMPTY, reserved_bytes=5 * MIB, free_bytes=10 * MIB), SETTINGS),
        (replace(EMPTY, staged_bytes=5 * MIB), settings_with(SETTINGS, staging={"max_bytes": 10 * MIB})),
    ],
    ids=["disk", "reserve", "running", "staging"],
)
def test_smaller_files_pass_one_that_does_not_fit(view: PlannerView, settings: Settings) -> None:
    """Whatever bounds the room, a large file waits and does not block."""
    assert claimed(replace(view, settled=settled(4 * MIB, MIB)), settings) == [act.Claim(2)]


@pytest.mark.parametrize(
    ("view", "settings"),
    [
        (replace(EMPTY, free_bytes=5 * MIB), SETTINGS),
        (replace(EMPTY, free_bytes=9 * MIB), settings_with(SETTINGS, limits={"min_free_bytes": 4 * MIB})),
        (replace(EMPTY, free_bytes=9 * MIB, reserved_bytes=4 * MIB), SETTINGS),
    ],
    ids=["disk", "reserve", "running"],
)
def test_smaller_conversions_pass_one_that_does_not_fit(view: PlannerView, settings: Settings) -> None:
    """And what the first will write is no longer free for the second."""
    assert converted(replace(view, queued=queued(4 * MIB, MIB)), settings) == [act.Convert(2)]
    assert converted(replace(view, queued=queued(MIB, MIB)), settings) == [act.Convert(1)]


def test_what_is_busy_or_belongs_to_no_folder_is_not_converted() -> None:
    """Nor claimed while something is done about it."""
    view = replace(EMPTY, queued=queued(1, 1), busy=frozenset({("file", 1)}))

    assert converted(view) == [act.Convert(2)]
    assert converted(replace(view, destinations={})) == []
    assert claimed(replace(view, settled=settled(1, 1))) == [act.Claim(2)]


def test_of_twins_that_a_folder_wants_once_one_is_converted() -> None:
    """One that is completed ends the other; one that is under way lets it wait."""
    wanting = replace(EMPTY, destinations={"/d": a_folder("p", duplicates="skip")})
    one, other = (replace(file, content="same") for file in queued(1, 1))
    view = replace(wanting, queued=(one, other))

    assert converted(replace(view, twins_completed=frozenset({1, 2}))) == [act.SkipTwin(1), act.SkipTwin(2)]
    assert converted(replace(view, twins_pending=frozenset({2}))) == [act.Convert(1)]
    assert converted(view) == [act.Convert(1)]


def test_claims_that_run_and_files_that_rest_count() -> None:
    """The first take places ahead of the converters; the second, whom a mistake keeps back, give theirs up."""
    full = EMPTY.converters + CLAIM_AHEAD
    mistake = UnexpectedError(("file", 9), "Convert", "a.tif", "It broke.", NOW, NOW + 60)
    view = replace(EMPTY, settled=settled(1), queued_total=full - 1)

    assert claimed(replace(view, running={"Claim": 1})) == []
    assert claimed(replace(view, queued_total=full, mistakes=(mistake,))) == [act.Claim(1)]


def told(view: PlannerView, settings: Settings = SETTINGS) -> PlanningPass:
    """A turn in which files were converted and claimed, as far as there is room."""
    now = turn(view, settings)
    disk_space.convert(now)
    disk_space.claim(now)
    return now


BUSY = frozenset({("session", 1)})
NO_ROOM = {
    "conversion": replace(EMPTY, queued=queued(9 * MIB), free_bytes=MIB, staged_bytes=40 * MIB),
    "claim": replace(EMPTY, settled=settled(9 * MIB), free_bytes=MIB, staged_bytes=40 * MIB),
}


@pytest.mark.parametrize("view", NO_ROOM.values(), ids=NO_ROOM)
def test_a_file_that_finds_no_room_is_held_once_nothing_else_happens(view: PlannerView) -> None:
    """Once, with what is free; what runs may make room, and until then it is a wait and no hold."""
    (hold,) = told(view).plan.holds
    beside = told(replace(view, busy=BUSY)).plan

    assert (hold.cause, hold.until) == (HoldCause.STAGING_FULL, NOW + 30)
    assert "1 MiB are free" in hold.reason
    assert beside.holds == []
    assert [(wait.why, wait.files) for wait in beside.waits] == [(ROOM, 1)]


def test_what_was_decided_in_this_turn_may_make_room() -> None:
    """As what runs already."""
    now = turn(NO_ROOM["claim"])
    now.do(act.Complete(1))
    disk_space.claim(now)

    assert now.plan.holds == []


@pytest.mark.parametrize("view", NO_ROOM.values(), ids=NO_ROOM)
def test_a_hold_that_was_told_lasts_until_there_is_room(view: PlannerView) -> None:
    """Calls that run beside it do not end it, nor does a smaller file that passes; room for the file does."""
    before = told(view).plan
    assert before.no_room_for == {1}
    after = replace(view, no_room_for=before.no_room_for, busy=BUSY)
    passing = replace(after, free_bytes=5 * MIB, settled=(*view.settled, Settled(7, "/e", 1)))

    assert [hold.cause for hold in told(after).plan.holds] == [HoldCause.STAGING_FULL]
    assert (told(passing).plan.actions, told(passing).plan.no_room_for) == ([act.Claim(7)], {1})
    assert told(replace(after, free_bytes=90 * MIB)).plan.holds == []
    assert told(replace(after, free_bytes=90 * MIB)).plan.no_room_for == frozenset()


def test_a_hold_does_not_pass_on_to_others_that_wait_for_a_moment() -> None:
    """Else it would never end while much is to do: the file that it was told for has its room."""
    view = replace(NO_ROOM["claim"], settled=settled(9 * MIB, 8 * MIB), busy=BUSY, no_room_for=frozenset({1}))

    assert told(view).plan.no_room_for == {1}
    assert told(replace(view, no_room_for=frozenset({99}))).plan.holds == []


def test_a_file_that_is_told_of_stays_so_while_it_is_not_its_turn() -> None:
    """Where the converters have enough to do, nobody new is told to wait for room."""
    full = replace(NO_ROOM["claim"], queued_total=EMPTY.converters + CLAIM_AHEAD)

    assert told(full).plan.holds == []
    assert len(told(replace(full, no_room_for=frozenset({1}))).plan.holds) == 1


@pytest.mark.parametrize(
    ("view", "settings"),
    [
        (replace(NO_ROOM["conversion"], staged_bytes=9 * MIB), SETTINGS),
        (replace(NO_ROOM["claim"], staged_bytes=9 * MIB), SETTINGS),
    ],
    ids=["conversion", "claim"],
)
def test_what_not_even_an_empty_staging_takes_is_told_at_once(view: PlannerView, settings: Settings) -> None:
    """A daemon that is busy for days must not be silent about it for as long; what runs may free its reserve."""
    busy = replace(view, busy=BUSY)
    settings = settings_with(settings, limits={"min_free_bytes": 0})

    assert [hold.cause for hold in told(busy, settings).plan.holds] == [HoldCause.STAGING_FULL]
    assert told(replace(busy, reserved_bytes=40 * MIB), settings).plan.holds == []


def test_a_file_that_exceeds_all_of_staging_has_a_hold_of_its_own() -> None:
    """Whatever is free and runs: only a person can end it, and staging is not full for others."""
    large = Settled(1, "/d", 9 * MIB, b"below/a.tif")
    view = replace(EMPTY, settled=(large, *settled(1, first=2)), busy=BUSY, free_bytes=90 * MIB)
    narrow = settings_with(SETTINGS, staging={"max_bytes": 20 * MIB})
    plan = told(view, narrow).plan
    (hold,) = plan.holds

    assert (hold.cause, hold.subject) == (HoldCause.FILE_EXCEEDS_STAGING, "/d/below/a.tif")
    assert (hold.files, hold.size, hold.until) == (1, 9 * MIB, None)
    assert "may take 28 MiB, and staging.max_bytes is 20 MiB." in hold.reason
    assert plan.actions == [act.Claim(2)]
    assert not told(replace(view, settled=(large,), busy=frozenset()), narrow).expecting


def test_of_many_that_exceed_all_of_staging_the_first_are_told() -> None:
    """And how many more there are."""
    narrow = settings_with(SETTINGS, staging={"max_bytes": 20 * MIB})
    holds = told(replace(EMPTY, settled=settled(*[9 * MIB] * 22)), narrow).plan.holds

    assert len(holds) == 20
    assert "2 more files." in holds[0].way_out


def test_a_second_try_has_all_converters() -> None:
    """It starts only when none is busy, and nothing starts beside it."""
    first, *rest = queued(1, 1, 1)
    view = replace(EMPTY, queued=(replace(first, alone=True), *rest))

    assert converted(view) == [act.Convert(1, alone=True)]
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
