"""What is next, for views that can occur: the whole decision table of the daemon without a daemon."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core import waits
from uploader.core.batching import WORTH_A_SESSION
from uploader.core.configuration import Settings
from uploader.core.damaged_copies import DamagedCopy
from uploader.core.disk_space import estimate, reserved
from uploader.core.model import (
    FileState,
    Hold,
    HoldCause,
    Layout,
    PlatformProfile,
    Scope,
    SessionKey,
    SessionState,
)
from uploader.core.planner import LIVE_SESSIONS, plan
from uploader.core.planner_view import Disposal, PlannerView, Queued, Session, SessionMember, Settled, Waiting
from uploader.core.staging_refusals import RefusedFile
from uploader.core.unexpected_errors import UnexpectedError

pytestmark = pytest.mark.unit

NOW = 1_000_000.0
KEY = SessionKey("p", "", "", "", categorical=False)
KNOWN = PlatformProfile(layouts={"p": Layout.PER_FILE})
EMPTY = PlannerView(destinations={"/d": a_folder("p")}, profile=KNOWN, converters=2)
SETTINGS = settings_with(
    transfer={"concurrency": 4},
    batch={"linger_seconds": 10.0, "max_wait_seconds": 300.0, "max_files": 100, "max_bytes": 1000},
)


def waiting(file_id: int, *, size: int = 10, age: float = 60, name: str = "", **more: object) -> Waiting:
    """A converted file."""
    return Waiting(file_id, "/d", size, NOW - age, False, name or f"f{file_id}.tif", **more)  # type: ignore[arg-type]


def session(
    state: SessionState, *members: FileState, session_id: int = 7, key: SessionKey = KEY, **more: object
) -> Session:
    """A live session whose members are in these states."""
    files = tuple(SessionMember(i, s, 10) for i, s in enumerate(members, start=1))
    return Session(session_id, key, state, files, **more)  # type: ignore[arg-type]


def hold(scope: Scope, until: float | None, subject: str = "") -> Hold:
    """Something that holds work back."""
    return Hold(scope, subject, "because", since=NOW - 60, until=until)


def actions(view: PlannerView, settings: Settings = SETTINGS) -> list[act.Action]:
    """What the plan for a view does."""
    return plan(view, NOW, settings).actions


def members_of(view: PlannerView, settings: Settings = SETTINGS) -> list[int]:
    """The files of the session that the plan freezes."""
    (action,) = actions(view, settings)
    assert isinstance(action, act.PlanSession)
    return [file.file_id for file in action.batch.files]


def test_nothing_to_do_is_idle() -> None:
    """An empty house is idle and waits for nothing."""
    result = plan(EMPTY, NOW, SETTINGS)

    assert (result.actions, result.idle, result.wake_at) == ([], True, None)


def test_a_settling_file_is_waited_for() -> None:
    """Until it is claimed or gone, there is something to come."""
    assert not plan(replace(EMPTY, settling={"/d": 1}), NOW, SETTINGS).idle


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (session(SessionState.PLANNED, FileState.BATCHED), act.Initiate(7)),
        (session(SessionState.OPEN, FileState.BATCHED), act.Put(1, 7)),
        (session(SessionState.OPEN, FileState.STORED), act.Complete(7)),
        (session(SessionState.OPEN), act.Abandon(7)),
        (session(SessionState.COMPLETING, FileState.STORED), act.Complete(7)),
        (session(SessionState.COMPLETING, FileState.STORED, locating=True), act.Locate(7)),
        (session(SessionState.FAILING, FileState.STORED), act.Abandon(7)),
        (session(SessionState.COMPLETED, FileState.COMPLETED, readback_due=True), act.ReadBack(7)),
    ],
)
def test_each_session_state_has_its_step(given: Session, expected: act.Action) -> None:
    """One step for each state, the same after any restart."""
    assert actions(replace(EMPTY, sessions=(given,))) == [expected]


def test_complete_waits_for_the_last_member() -> None:
    """A session with one unsent file is not completed."""
    view = replace(EMPTY, sessions=(session(SessionState.OPEN, FileState.STORED, FileState.BATCHED),))

    assert actions(view) == [act.Put(2, 7)]


def test_complete_waits_for_the_last_report() -> None:
    """A progress report that is still on its way would arrive at a completed session."""
    view = replace(
        EMPTY, sessions=(session(SessionState.OPEN, FileState.STORED),), busy=frozenset({("file", 1)})
    )

    assert actions(view) == []


def test_transfers_are_bounded() -> None:
    """No more PUTs than the configuration allows, over all sessions."""
    many = tuple(
        replace(
            session(SessionState.OPEN, session_id=s),
            members=tuple(SessionMember(s * 10 + i, FileState.BATCHED, 1) for i in range(4)),
        )
        for s in range(3)
    )
    view = replace(EMPTY, sessions=many, running={"Put": 1})

    assert len(actions(view)) == 3


def test_what_is_busy_is_not_started_again() -> None:
    """One action at a time for a file or a session."""
    view = replace(EMPTY, sessions=(session(SessionState.PLANNED),), busy=frozenset({("session", 7)}))

    assert actions(view) == []
    assert not plan(view, NOW, SETTINGS).idle


def test_a_failing_session_waits_for_its_transfers() -> None:
    """`fail` is not sent while a member's PUT is still running."""
    view = replace(
        EMPTY, sessions=(session(SessionState.FAILING, FileState.BATCHED),), busy=frozenset({("file", 1)})
    )

    assert actions(view) == []


def test_a_retry_is_waited_for() -> None:
    """A session whose time has not come wakes the planner when it comes, and is not idle."""
    result = plan(
        replace(EMPTY, sessions=(session(SessionState.PLANNED, not_before=NOW + 5, retrying_since=NOW - 1),)),
        NOW,
        SETTINGS,
    )

    assert (result.actions, result.wake_at, result.idle) == ([], NOW + 5, False)


def test_a_long_outage_is_shown_and_counts_as_a_hold() -> None:
    """After half a minute of retrying, the outage is a hold in the words of its last error."""
    late = session(SessionState.PLANNED, not_before=NOW + 5, retrying_since=NOW - 31, last_error="no route")
    result = plan(replace(EMPTY, sessions=(late,)), NOW, SETTINGS)

    assert [(h.scope, h.reason) for h in result.holds] == [(Scope.PLATFORM, "no route")]
    assert result.idle


@pytest.mark.parametrize("scope", [Scope.PLATFORM, Scope.ORGANIZATION, Scope.TARGET])
def test_a_hold_stops_initiate_until_it_is_due(scope: Scope) -> None:
    """Before its time nothing is sent, at its time one probe."""
    subject = "p" if scope is Scope.TARGET else ""
    two = (session(SessionState.PLANNED, session_id=1), session(SessionState.PLANNED, session_id=2))
    before = replace(EMPTY, sessions=two, holds=(hold(scope, NOW + 1, subject),))
    due = replace(EMPTY, sessions=two, holds=(hold(scope, NOW, subject),))

    assert actions(before) == []
    assert plan(before, NOW, SETTINGS).idle
    assert actions(due) == [act.Initiate(1)]
    assert actions(replace(due, running={"Initiate": 1}, busy=frozenset({("session", 1)}))) == []


def test_a_quota_hold_does_not_stop_what_is_open() -> None:
    """Open sessions have their reservation: they go on."""
    view = replace(
        EMPTY,
        sessions=(session(SessionState.OPEN, FileState.BATCHED),),
        holds=(hold(Scope.ORGANIZATION, NOW + 60),),
    )

    assert actions(view) == [act.Put(1, 7)]


def test_another_targets_hold_is_no_matter() -> None:
    """A refused project does not hold up its neighbour."""
    view = replace(
        EMPTY,
        destinations=EMPTY.destinations | {"/e": a_folder("other")},
        settling={"/e": 1},
        sessions=(session(SessionState.PLANNED),),
        holds=(hold(Scope.TARGET, NOW + 60, "other"),),
    )

    assert actions(view) == [act.Initiate(7)]


def test_a_full_batch_closes_at_once() -> None:
    """By number or by bytes."""
    assert members_of(
        replace(EMPTY, waiting=(waiting(1, age=0), waiting(2, age=0))),
        settings_with(SETTINGS, batch={"max_files": 2}),
    ) == [1, 2]
    assert members_of(replace(EMPTY, waiting=(waiting(1, size=600, age=0), waiting(2, size=600, age=0)))) == [
        1
    ]


def test_a_batch_lingers_for_more() -> None:
    """What is not full waits for a while after the last arrival, and longer while more can be expected."""
    view = replace(EMPTY, waiting=(waiting(1, age=4),))
    result = plan(view, NOW, SETTINGS)

    assert (result.actions, result.wake_at, result.idle) == ([], NOW + 6, False)
    busy = replace(EMPTY, running={"Put": 4}, coming=frozenset({"/d"}))
    assert actions(replace(busy, waiting=(waiting(1, age=60),))) == []
    assert members_of(replace(busy, waiting=(waiting(1, age=301),))) == [1]


def test_the_last_batch_of_a_run_that_ends_waits_for_nothing() -> None:
    """A daemon that ends when it is idle closes it at once, unless a file settles, is ready, or is converted."""
    view = replace(EMPTY, waiting=(waiting(1, age=0),), ends_when_idle=True)
    queued = Queued(2, "/d", 10, "c")

    assert members_of(view) == [1]
    assert actions(replace(view, settling={"/d": 1})) == []
    converting = replace(
        view,
        queued=(queued,),
        busy=frozenset({("file", 2)}),
        running={"Convert": 1},
        since={("file", 2): NOW - 60},
    )
    assert actions(converting) == []


def test_a_batch_closes_smaller_while_more_files_could_be_sent_at_once() -> None:
    """Four may be: those count that are sent, or are about to be, and not those of a session that only completes."""
    view = replace(EMPTY, waiting=(waiting(9, age=11),), coming=frozenset({"/d"}))

    def planned(*sessions: Session) -> bool:
        return any(isinstance(one, act.PlanSession) for one in actions(replace(view, sessions=sessions)))

    assert planned()
    assert planned(session(SessionState.COMPLETING, FileState.STORED))
    assert planned(session(SessionState.OPEN, FileState.BATCHED, hold="It waits for a person."))
    assert planned(session(SessionState.OPEN, *[FileState.STORED] * 3, *[FileState.BATCHED] * 3))
    assert not planned(session(SessionState.PLANNED, *[FileState.BATCHED] * 4))
    assert not planned(session(SessionState.OPEN, FileState.STORED, *[FileState.BATCHED] * 4))


def test_what_keeps_a_free_line_busy_for_long_waits_for_no_others() -> None:
    """A session closes at once with as many bytes, however many more files come; not so where the line is full."""
    large = PlannerView(EMPTY.destinations, profile=KNOWN, coming=frozenset({"/d"}))
    settings = settings_with(transfer={"concurrency": 4})

    def planned(size: int, *sessions: Session) -> bool:
        view = replace(large, waiting=(waiting(8, size=size, age=0),), sessions=sessions)
        return any(isinstance(one, act.PlanSession) for one in actions(view, settings))

    assert planned(WORTH_A_SESSION)
    assert not planned(WORTH_A_SESSION - 1)
    assert planned(WORTH_A_SESSION, session(SessionState.OPEN, *[FileState.BATCHED] * 3))
    assert not planned(WORTH_A_SESSION, session(SessionState.OPEN, *[FileState.BATCHED] * 4))


@pytest.mark.parametrize("concurrency", [4, 16])
def test_a_free_line_gets_more_sessions_than_a_full_one(concurrency: int) -> None:
    """One for each file that could be sent at once, also where a session holds one file; and no end of them."""
    settings = settings_with(transfer={"concurrency": concurrency})
    single = replace(KEY, item_id="i")
    view = replace(EMPTY, destinations={"/d": a_folder("p", item_id="i")}, waiting=(waiting(99),))

    def planned(live: int, state: SessionState, member: FileState) -> bool:
        sessions = tuple(session(state, member, session_id=n, key=single) for n in range(live))
        found = plan(replace(view, sessions=sessions), NOW, settings).actions
        return any(isinstance(one, act.PlanSession) for one in found)

    assert planned(concurrency - 1, SessionState.OPEN, FileState.BATCHED)
    assert not planned(max(concurrency, LIVE_SESSIONS), SessionState.OPEN, FileState.BATCHED)
    assert planned(LIVE_SESSIONS + concurrency - 1, SessionState.COMPLETING, FileState.STORED)
    assert not planned(LIVE_SESSIONS + concurrency, SessionState.COMPLETING, FileState.STORED)


def test_the_transfers_of_a_folder_of_higher_priority_go_first() -> None:
    """Of the open sessions, whatever their age."""

    def of(session_id: int, folder: str) -> Session:
        members = tuple(
            SessionMember(session_id * 10 + n, FileState.BATCHED, 10, folder=folder) for n in range(3)
        )
        return Session(session_id, KEY, SessionState.OPEN, members)

    places = {"/d": a_folder("p"), "/e": a_folder("p", priority=1)}
    settings = settings_with(SETTINGS, transfer={"concurrency": 4})

    found = actions(replace(EMPTY, destinations=places, sessions=(of(1, "/d"), of(2, "/e"))), settings)
    assert [one.file_id for one in found if isinstance(one, act.Put)] == [20, 21, 22, 10]


def test_as_many_transfers_as_were_found_to_carry_most_where_nobody_has_said() -> None:
    """With `concurrency = 0` the view has the number; with any other it says nothing."""
    members = tuple(SessionMember(n, FileState.BATCHED, 10, folder="/d") for n in range(20))
    view = replace(
        EMPTY,
        sessions=(Session(1, KEY, SessionState.OPEN, members),),
        running={"Put": 2},
        parallel_transfers=9,
    )

    for concurrency, expected in ((0, 7), (4, 2)):
        found = actions(view, settings_with(SETTINGS, transfer={"concurrency": concurrency}))
        assert sum(isinstance(one, act.Put) for one in found) == expected


def test_a_file_larger_than_a_batch_goes_alone() -> None:
    """The limit of a batch is no limit of a file."""
    assert members_of(replace(EMPTY, waiting=(waiting(1, size=5000), waiting(2)))) == [1]


def test_names_that_differ_by_case_only_do_not_share_a_session() -> None:
    """The platform might keep them as one object."""
    view = replace(
        EMPTY, waiting=(waiting(1, name="a.tif"), waiting(2, name="A.tif"), waiting(3, name="b.tif"))
    )

    assert members_of(view) == [1, 3]


def test_a_target_item_takes_one_file() -> None:
    """A session with an item or an asset key holds one file."""
    view = replace(EMPTY, destinations={"/d": a_folder("p", item_id="i")}, waiting=(waiting(1), waiting(2)))

    assert members_of(view) == [1]


def test_kinds_do_not_mix() -> None:
    """Categorical rasters have a session of their own, as have the halves of a bisected batch."""
    view = replace(
        EMPTY, waiting=(waiting(1), replace(waiting(2), categorical=True), waiting(3, group="9.a"))
    )

    assert members_of(view) == [1]


def test_folders_with_one_destination_share_a_session() -> None:
    """What is to go to the same place goes together, in the order of its arrival, whatever folder it lay in."""
    files = tuple(replace(waiting(i), folder="/d" if i % 2 else "/e") for i in range(1, 5))
    both = {"/d": a_folder("p"), "/e": a_folder("p", after_upload="delete")}

    assert members_of(replace(EMPTY, destinations=both, waiting=files)) == [1, 2, 3, 4]


def test_the_first_session_to_a_target_carries_two_files() -> None:
    """The layout is learned before more is sent."""
    fresh = replace(EMPTY, profile=PlatformProfile())
    files = tuple(waiting(i) for i in range(1, 9))

    assert members_of(replace(fresh, waiting=files)) == [1, 2]
    assert act.PlanSession not in map(
        type,
        actions(replace(fresh, waiting=files, sessions=(session(SessionState.OPEN, FileState.BATCHED),))),
    )


def test_one_item_per_session_holds_the_target() -> None:
    """A hundred rasters never end in one item; with one file a session it goes on."""
    view = replace(
        EMPTY, profile=PlatformProfile(layouts={"p": Layout.PER_SESSION}), waiting=(waiting(1), waiting(2))
    )
    result = plan(view, NOW, SETTINGS)

    assert result.actions == []
    assert [(h.cause, h.subject) for h in result.holds] == [(HoldCause.LAYOUT_UNKNOWN, "p")]
    assert "max_files = 1" in result.holds[0].text
    assert result.idle
    assert members_of(view, settings_with(SETTINGS, batch={"max_files": 1})) == [1]


def test_a_short_quota_takes_the_smallest_first() -> None:
    """While the quota is short, what fits passes."""
    view = replace(
        EMPTY,
        profile=replace(KNOWN, quota_cap=50),
        waiting=(waiting(1, size=400), waiting(2, size=30), waiting(3, size=20)),
    )

    assert members_of(view) == [3, 2]


def test_conversion_takes_what_fits() -> None:
    """A raster that does not fit on the disk lets smaller ones pass; when none fits, staging is on hold."""
    big, small = Queued(1, "/d", 1 << 30, "x"), Queued(2, "/d", 10, "y")
    free = SETTINGS.limits.min_free_bytes + estimate(10)

    assert actions(replace(EMPTY, queued=(big, small), free_bytes=free)) == [act.Convert(2)]
    result = plan(replace(EMPTY, queued=(big,), free_bytes=free), NOW, SETTINGS)
    assert result.actions == []
    assert [h.cause for h in result.holds] == [HoldCause.STAGING_FULL]
    assert result.idle


def test_a_raster_that_killed_a_child_runs_alone() -> None:
    """Its second try has the converters for itself."""
    alone, other = Queued(1, "/d", 10, "x", alone=True), Queued(2, "/d", 10, "y")

    assert actions(replace(EMPTY, queued=(alone, other))) == [act.Convert(1, alone=True)]
    assert (
        actions(replace(EMPTY, queued=(alone,), running={"Convert": 1}, busy=frozenset({("file", 2)}))) == []
    )


def test_on_a_cluster_it_needs_a_worker_and_not_all_of_them() -> None:
    """It is begun beside others, and its worker sees to it that it is alone there."""
    alone, other = Queued(1, "/d", 10, "x", alone=True), Queued(2, "/d", 10, "y")
    view = replace(EMPTY, queued=(alone, other), converters=2, converters_apart=True)

    assert actions(view) == [act.Convert(1, alone=True), act.Convert(2)]
    assert actions(replace(view, running={"Convert": 1})) == [act.Convert(1, alone=True)]


def test_a_machine_that_is_short_converts_nothing_but_one_trial() -> None:
    """Nobody else is started until one conversion has come to an end; then all are again."""
    files = tuple(Queued(n, "/d", 1, "c") for n in (1, 2, 3))
    held = replace(EMPTY, queued=files, queued_total=3, holds=(hold(Scope.MACHINE, NOW + 9),))
    due = replace(held, holds=(hold(Scope.MACHINE, NOW - 1),))
    trying = replace(due, busy=frozenset({("file", 1)}), running={"Convert": 1})

    assert actions(held) == []
    assert plan(held, NOW, SETTINGS).wake_at == NOW + 9
    assert actions(due) == [act.Convert(1)]
    assert actions(trying) == []
    assert len(actions(replace(held, holds=()))) == 2


def test_a_daemon_without_threads_is_told() -> None:
    """What waits for a thread is a hold once it has waited for a while, with what to do about it."""
    assert plan(replace(EMPTY, no_thread_since=NOW - 1), NOW, SETTINGS).holds == []

    (shown,) = plan(replace(EMPTY, no_thread_since=NOW - 60), NOW, SETTINGS).holds
    assert (shown.cause, shown.since) == (HoldCause.MACHINE_SHORT, NOW - 60)
    assert "TasksMax" in shown.way_out


def test_claims_keep_a_little_ahead_of_the_converters() -> None:
    """A backlog of a million files is not copied into staging at once."""
    view = replace(EMPTY, settled=tuple(Settled(i, "/d", 10) for i in range(100)))

    assert actions(view) == [act.Claim(0), act.Claim(1)]
    assert actions(replace(view, queued_total=10)) == []


def test_a_folder_that_hangs_takes_no_claims_from_another() -> None:
    """Two files are copied from a folder at a time, however many others wait for theirs."""
    settled = (*(Settled(i, "/mute", 10) for i in range(5)), Settled(9, "/d", 10))
    view = replace(EMPTY, settled=settled, running={"Claim": 2}, copying={"/mute": 2})

    assert actions(view) == [act.Claim(9)]


def test_a_full_staging_folder_is_told() -> None:
    """What does not fit into staging waits, in words."""
    view = replace(EMPTY, settled=(Settled(1, "/d", 1000),), staged_bytes=SETTINGS.staging.max_bytes)
    result = plan(view, NOW, SETTINGS)

    assert result.actions == []
    assert [h.cause for h in result.holds] == [HoldCause.STAGING_FULL]


def test_twins_are_skipped_only_when_their_twin_is_safe() -> None:
    """`duplicates = "skip"`: skipped once the twin is completed, waiting before."""
    view = replace(EMPTY, queued=(Queued(1, "/d", 10, "x"), Queued(2, "/d", 10, "y")))

    assert actions(replace(view, twins_completed=frozenset({1}), twins_pending=frozenset({2}))) == [
        act.SkipTwin(1)
    ]


def test_twins_are_not_converted_side_by_side() -> None:
    """Whose twin was claimed first and is being converted waits for it, whatever their order."""
    skipping = {"/d": a_folder("p", duplicates="skip")}
    view = replace(EMPTY, destinations=skipping, queued=(Queued(1, "/d", 10, "x"), Queued(2, "/d", 10, "x")))

    assert actions(replace(view, busy=frozenset({("file", 2)}))) == []
    assert actions(view) == [act.Convert(1)]


def test_a_folder_that_left_the_configuration_is_told() -> None:
    """Its files wait; nothing is sent where nobody asked for it."""
    result = plan(replace(EMPTY, destinations={}, waiting=(waiting(1),)), NOW, SETTINGS)

    assert result.actions == []
    assert [(h.cause, h.subject) for h in result.holds] == [(HoldCause.FOLDER_UNCONFIGURED, "/d")]


def test_disposal_and_discard_come_first() -> None:
    """They make room."""
    view = replace(EMPTY, disposals=(Disposal(1), Disposal(2), Disposal(3)), discards=(9,))

    assert actions(view) == [act.Discard((9,)), act.Dispose(1), act.Dispose(2)]


def test_the_same_view_gives_the_same_plan() -> None:
    """Planning has no memory."""
    view = replace(
        EMPTY,
        waiting=(waiting(1), waiting(2)),
        sessions=(session(SessionState.OPEN, FileState.BATCHED, FileState.BATCHED),),
    )

    assert plan(view, NOW, SETTINGS) == plan(view, NOW, SETTINGS)


def test_room_is_kept_for_what_was_started():
    """A claim writes its copy and then its COG, a conversion the COG; other actions write nothing."""
    view = PlannerView(
        {"/d": a_folder("p")}, settled=(Settled(1, "/d", 100),), queued=(Queued(2, "/d", 50, "c"),)
    )
    claim, convert = reserved(view, act.Claim(1)), reserved(view, act.Convert(2))
    assert claim == 100 + estimate(100)
    assert convert == estimate(50)
    assert reserved(view, act.Discard((1,))) == 0


def mistake(kind: str, row_id: int, *, until: float = NOW + 5, step: str = "Convert") -> UnexpectedError:
    """One that somebody has made in the program."""
    return UnexpectedError((kind, row_id), step, "a.tif", "A mistake.", since=NOW - 1, until=until)


def test_whom_a_mistake_concerns_waits_and_is_shown_and_the_others_go_on() -> None:
    """A file that is converted, one that is sent, one that is planned, a session: each alone."""
    queued = (Queued(1, "/d", 10, "c1"), Queued(2, "/d", 10, "c2"))
    made = plan(replace(EMPTY, queued=queued, mistakes=(mistake("file", 1),)), NOW, SETTINGS)
    assert made.actions == [act.Convert(2)]
    assert [(hold.scope, hold.subject, hold.until) for hold in made.holds] == [(Scope.FILE, "a.tif", NOW + 5)]
    assert made.wake_at == NOW + 5

    live = session(SessionState.OPEN, FileState.BATCHED, FileState.BATCHED)
    assert actions(replace(EMPTY, sessions=(live,), mistakes=(mistake("file", 1),))) == [act.Put(2, 7)]

    ready = replace(EMPTY, waiting=tuple(waiting(n) for n in (1, 2, 3)), mistakes=(mistake("file", 2),))
    assert members_of(ready) == [1, 3]

    stored = session(SessionState.OPEN, FileState.STORED)
    held = plan(replace(EMPTY, sessions=(stored,), mistakes=(mistake("session", 7),)), NOW, SETTINGS)
    assert (held.actions, [hold.scope for hold in held.holds]) == ([], [Scope.SESSION])
    assert held.idle


def test_a_mistake_whose_time_has_come_is_tried_again_and_shown_while_it_is() -> None:
    """It is over once the action came to its end."""
    view = replace(EMPTY, queued=(Queued(1, "/d", 10, "c1"),), mistakes=(mistake("file", 1, until=NOW),))
    made = plan(view, NOW, SETTINGS)
    assert made.actions == [act.Convert(1)]
    assert [hold.until for hold in made.holds] == [NOW]


def test_a_mistake_whose_time_has_come_is_shown_while_it_waits_for_its_turn() -> None:
    """Else its hold would end and begin again, although nothing was made good."""
    files = (Queued(1, "/d", 10, "c1", alone=True), Queued(2, "/d", 10, "c2"))
    facts = {"busy": frozenset({("file", 2)}), "running": {"Convert": 1}}
    made = plan(
        replace(EMPTY, queued=files, mistakes=(mistake("file", 1, until=NOW),), **facts), NOW, SETTINGS
    )  # type: ignore[arg-type]

    assert (made.actions, [hold.cause for hold in made.holds]) == ([], [HoldCause.MISTAKE])
    assert made.wake_at is None


def test_a_file_that_a_mistake_keeps_from_being_claimed_is_not_waited_for() -> None:
    """Else `run --until-idle` would never end; the others are waited for."""
    view = replace(EMPTY, settling={"/d": 1}, mistakes=(mistake("file", 1, step="Claim"),))
    assert plan(view, NOW, SETTINGS).idle
    assert not plan(replace(view, settling={"/d": 2}), NOW, SETTINGS).idle


def test_files_and_sessions_that_mistakes_concern_take_no_place_from_others() -> None:
    """However many: others are claimed, and planned, as if they were not there."""
    made = tuple(mistake("file", n) for n in range(1, 40))
    view = replace(EMPTY, queued_total=39, settled=(Settled(50, "/d", 10),), mistakes=made)
    assert act.Claim(50) in actions(view)
    assert len(plan(view, NOW, SETTINGS).holds) == 20
    assert "19 more files" in plan(view, NOW, SETTINGS).holds[0].text

    stuck = tuple(session(SessionState.OPEN, FileState.STORED, session_id=n) for n in range(1, 5))
    made = tuple(mistake("session", n, step="Complete") for n in range(1, 5))
    assert members_of(replace(EMPTY, sessions=stuck, waiting=(waiting(60),), mistakes=made)) == [60]


def _damaged(number: int, mended: FileState = FileState.CONVERTED) -> DamagedCopy:
    return DamagedCopy(number, f"/d/{number}.tif", "It is damaged.", mended, NOW - 60, NOW + 5, 4)


def test_a_copy_that_is_damaged_again_and_again_is_a_hold_and_is_not_waited_for() -> None:
    """Else a daemon that runs until it is idle would copy the file for ever; the others are waited for."""
    view = replace(EMPTY, settling={"/d": 1}, damaged_copies=(_damaged(1),))
    made = plan(view, NOW, SETTINGS)

    assert [(hold.cause, hold.subject, hold.since) for hold in made.holds] == [
        (HoldCause.COPY_DAMAGED, "/d/1.tif", NOW - 60)
    ]
    assert (made.idle, made.wake_at) == (True, NOW + 5)
    assert not plan(replace(view, settling={"/d": 2}), NOW, SETTINGS).idle
    assert not plan(replace(view, damaged_copies=()), NOW, SETTINGS).holds


def test_an_object_that_is_damaged_again_and_again_takes_no_settling_file_from_those_waited_for() -> None:
    """Its file waits for another conversion, and settles no more."""
    view = replace(EMPTY, settling={"/d": 1}, damaged_copies=(_damaged(2, FileState.STORED),))

    assert not plan(view, NOW, SETTINGS).idle


def test_of_many_damaged_copies_the_first_are_shown() -> None:
    """And how many more there are."""
    made = plan(replace(EMPTY, damaged_copies=tuple(map(_damaged, range(21)))), NOW, SETTINGS)

    assert len(made.holds) == 20
    assert "1 more file." in made.holds[0].text


def _too_large(number: int, *, settles: bool = True) -> RefusedFile:
    path, since, until = f"/d/{number}.tif", NOW - 60, NOW + 300
    return RefusedFile(number, path, 5 << 30, "It is too large.", "Move.", since, until, settles, alone=True)


def test_a_file_too_large_for_staging_is_a_hold_and_is_not_waited_for() -> None:
    """Else a daemon that runs until it is idle would never end; who was copied already settles no more."""
    view = replace(EMPTY, settling={"/d": 1}, refused_files=(_too_large(1),), free_bytes=9 << 30)
    made = plan(view, NOW, SETTINGS)

    (hold,) = made.holds
    assert (hold.cause, hold.subject) == (HoldCause.FILE_EXCEEDS_STAGING, "/d/1.tif")
    assert (hold.since, hold.until, hold.files, hold.size) == (NOW - 60, NOW + 300, 1, 5 << 30)
    assert "it has 5 GiB, and 9 GiB are free" in hold.reason
    assert (made.idle, made.wake_at) == (True, NOW + 300)
    assert not plan(replace(view, settling={"/d": 2}), NOW, SETTINGS).idle
    assert not plan(replace(view, refused_files=(_too_large(1, settles=False),)), NOW, SETTINGS).idle


def test_of_many_files_too_large_for_staging_the_first_are_shown() -> None:
    """And how many more there are."""
    made = plan(replace(EMPTY, refused_files=tuple(map(_too_large, range(22)))), NOW, SETTINGS)

    assert len(made.holds) == 20
    assert "2 more files." in made.holds[0].text


def test_what_only_others_can_finish_is_told_and_not_waited_for() -> None:
    """Transfers, ready markers, and the names that say that scenes are complete."""
    later = replace(
        EMPTY, unfinished=2, waiting=(waiting(1, not_before=NOW + 60), waiting(2, not_before=NOW + 50))
    )

    found = plan(later, NOW, SETTINGS)

    assert (found.idle, found.wake_at) == (True, NOW + 50)
    assert [(wait.why, wait.files, wait.until) for wait in found.waits] == [
        (waits.ARRIVAL, 2, None),
        (waits.SCENE_MARKER, 2, NOW + 60),
    ]
