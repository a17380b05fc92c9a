"""The working set: what a commit touched is seen by the next plan, and nothing that is over is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uploader.core.live_rows import FileRow, LiveFile, LiveSession, SessionRow
from uploader.core.model import FileState, Hold, PlatformProfile, Scope, SessionKey, SessionState
from uploader.core.planner_view import Disposal
from uploader.core.working_set import ENDING_WINDOW, QUEUE_WINDOW, WAITING_WINDOW, Delta, WorkingSet

pytestmark = pytest.mark.unit

KEY = SessionKey("p", "", "", "", False)


def file(file_id: int, state: FileState, *, session: int | None = None, **more) -> LiveFile:
    """A live file of 10 bytes whose object has 5."""
    row = FileRow(
        *(file_id, "/drop", b"a.tif", state, "s", 10, "c", 5, b"", 0, "a-c.tif", session, "keep"),
        *(0, 0, 0, 0, 0),
    )
    facts = {"staged": True, "disposal_due": False, "changed_at": 1.0, "categorical": False}
    facts |= {"batch_group": "", "alone": False, "not_before": 0.0, "retrying_since": None}
    return LiveFile(row=row, **facts | more)


def session(session_id: int, state: SessionState, *, readback: str | None = None) -> LiveSession:
    """A session without members."""
    row = SessionRow(session_id, state, KEY, "k", {}, 5, "u", 0, 0, 0, (), 0, None, ())
    needed = state is not SessionState.COMPLETED or readback == "due"
    return LiveSession(row, needed, False, readback, 0.0, "", "")


def held(*deltas: Delta) -> WorkingSet:
    """A set that was told of these commits."""
    live = WorkingSet()
    for delta in deltas:
        live.apply(delta)
    return live


def test_a_file_is_seen_where_it_stands() -> None:
    """Queued, then converted: it leaves the one window for the other, and its object is counted."""
    live = held(Delta({1: file(1, FileState.QUEUED)}))
    assert [queued.file_id for queued in live.view({}).queued] == [1]
    live.apply(Delta({1: file(1, FileState.CONVERTED)}))
    view = live.view({})
    assert (view.queued, view.queued_total, [waiting.file_id for waiting in view.waiting]) == ((), 0, [1])
    assert view.staged_bytes == 15


def test_what_is_over_is_forgotten() -> None:
    """A file without copies whose source stays, a row that is gone, and a session that nobody needs."""
    members = {1: file(1, FileState.STORED, session=7), 2: file(2, FileState.STORED, session=7)}
    live = held(Delta(members, {7: session(7, SessionState.OPEN)}))
    ended = file(1, FileState.DISPOSED, session=7, staged=False)
    live.apply(Delta({1: ended, 2: None}, {7: session(7, SessionState.COMPLETED)}))
    assert (live.file(1), live.file(2), live.session(7)) == (None, None, None)
    assert live.view({}).staged_bytes == 0


def test_a_session_knows_its_members_as_they_are() -> None:
    """In order of their ids; one that left is none any more."""
    open_one = session(7, SessionState.OPEN)
    live = held(Delta({n: file(n, FileState.BATCHED, session=7) for n in (3, 1)}, {7: open_one}))
    live.apply(Delta({3: file(3, FileState.STORED, session=7)}, {7: open_one}))
    (seen,) = live.view({}).sessions
    assert [(m.file_id, m.state) for m in seen.members] == [(1, FileState.BATCHED), (3, FileState.STORED)]
    live.apply(Delta({1: file(1, FileState.CONVERTED)}))
    row = live.session(7)
    assert row is not None
    assert [member.id for member in row.members] == [3]


def test_a_session_that_was_asked_for_is_told_anew_after_each_change() -> None:
    """A member that is stored, one that leaves, and the session itself show in its row."""
    live = held(
        Delta({n: file(n, FileState.BATCHED, session=7) for n in (1, 2)}, {7: session(7, SessionState.OPEN)})
    )

    def told() -> tuple[SessionState, list[tuple[int, FileState]]]:
        row = live.session(7)
        assert row is not None
        return row.state, [(member.id, member.state) for member in row.members]

    assert told() == (SessionState.OPEN, [(1, FileState.BATCHED), (2, FileState.BATCHED)])
    live.apply(Delta({1: file(1, FileState.STORED, session=7)}))
    assert told() == (SessionState.OPEN, [(1, FileState.STORED), (2, FileState.BATCHED)])
    live.apply(Delta({2: None}))
    assert told() == (SessionState.OPEN, [(1, FileState.STORED)])
    live.apply(Delta({}, {7: session(7, SessionState.COMPLETING)}))
    assert told() == (SessionState.COMPLETING, [(1, FileState.STORED)])


def test_a_waiting_file_is_seen_as_its_last_commit_left_it() -> None:
    """Asked before and after it got a time and another size."""
    live = held(Delta({1: file(1, FileState.CONVERTED)}))
    (before,) = live.view({}).waiting
    later = file(1, FileState.CONVERTED, not_before=9.0)
    live.apply(Delta({1: replace(later, row=replace(later.row, object_size=6))}))
    (after,) = live.view({}).waiting
    assert [(w.size, w.not_before) for w in (before, after)] == [(5, 0.0), (6, 9.0)]


def test_members_that_ended_are_seen_as_long_as_their_session_is_needed() -> None:
    """The planner asks whether all of them are stored."""
    live = held(Delta({1: file(1, FileState.BATCHED, session=7)}, {7: session(7, SessionState.FAILING)}))
    rejected = file(1, FileState.REJECTED, session=7, staged=False)
    live.apply(Delta({1: rejected}, {7: session(7, SessionState.FAILING)}))
    assert len(live.view({}).sessions[0].members) == 1
    live.apply(Delta({}, {7: replace(session(7, SessionState.FAILED), needed=False)}))
    assert live.file(1) is None


@pytest.mark.parametrize(
    ("readback", "due"), [(None, True), ("verified", True), ("due", False), ("mismatch", False)]
)
def test_a_source_goes_only_after_its_items_were_read_back(readback: str | None, due: bool) -> None:
    """Where they have to be; the moment it is verified, the files of the session are due without being touched."""
    done = file(1, FileState.COMPLETED, session=7, disposal_due=True)
    live = held(Delta({1: done}, {7: session(7, SessionState.COMPLETED, readback="due")}))
    live.view({})
    live.apply(Delta({}, {7: session(7, SessionState.COMPLETED, readback=readback)}))
    assert live.view({}).disposals == ((Disposal(1),) if due else ())


def test_windows_are_bounded() -> None:
    """The first ones are seen, with room for those that a plan passes over."""
    due = {n: file(n, FileState.COMPLETED, disposal_due=True) for n in range(ENDING_WINDOW + 9)}
    live = held(Delta(due))
    assert [disposal.file_id for disposal in live.view({}).disposals] == list(range(ENDING_WINDOW))
    assert len(live.view({}, resting=5).disposals) == ENDING_WINDOW + 5


def test_the_highest_priority_is_seen_first() -> None:
    """Queued ones whose time has come before those that are tried again, then by priority, then as they came."""
    facts = [{}, {"priority": 1}, {"priority": 2, "not_before": 5.0}, {}]
    live = held(Delta({n: file(n, FileState.QUEUED, **more) for n, more in enumerate(facts, start=1)}))
    assert [queued.file_id for queued in live.view({}).queued] == [2, 1, 4, 3]
    live.apply(Delta({n: file(n, FileState.CONVERTED, **more) for n, more in enumerate(facts, start=1)}))
    assert [waiting.file_id for waiting in live.view({}).waiting] == [3, 2, 1, 4]


def test_the_whole_replaces_what_was_there() -> None:
    """Where the clock was set back all rows have moved at once."""
    hold = Hold(Scope.PLATFORM, "", "No answer.", "", 1.0)
    live = held(
        Delta({1: file(1, FileState.QUEUED)}), Delta(holds=(hold,), profile=PlatformProfile("signed_url"))
    )
    live.apply(Delta({2: file(2, FileState.QUEUED)}, whole=True))
    view = live.view({})
    assert [queued.file_id for queued in view.queued] == [2]
    assert (view.holds, view.profile.transfer_method) == ((hold,), "signed_url")


def test_files_that_wait_for_one_target_keep_nobody_of_another_from_being_seen() -> None:
    """Each folder has a window of its own: scheduled files come last, and the smallest first while quota is short."""
    many = WAITING_WINDOW + 10
    files = {n: file(n, FileState.CONVERTED, not_before=9.0 if n < 5 else 0.0) for n in range(many)}
    other = file(many, FileState.CONVERTED)
    files[many] = replace(other, row=replace(other.row, folder="/other"))
    last = many - 1
    files[last] = replace(files[last], row=replace(files[last].row, object_size=1))
    live = held(Delta(files))

    seen = [waiting.file_id for waiting in live.view({}, batch_files=1).waiting]
    assert seen == [*range(5, WAITING_WINDOW + 6), many]
    live.apply(Delta(profile=PlatformProfile(quota_cap=10)))
    seen = [waiting.file_id for waiting in live.view({}, batch_files=1).waiting]
    assert seen == [*range(5, WAITING_WINDOW + 5), last, many]


def test_paused_folders_do_not_fill_the_windows() -> None:
    """Nor do they count as queued: others go on beside them, and they are seen again once they are not left out."""
    paused = {n: file(n, FileState.QUEUED) for n in range(QUEUE_WINDOW)}
    other = file(100, FileState.QUEUED)
    other = replace(other, row=replace(other.row, folder="/other"))
    live = held(Delta({**paused, 100: other}))
    view = live.view({}, left_out=frozenset({"/drop"}))
    assert ([queued.file_id for queued in view.queued], view.queued_total) == ([100], 1)
    assert (len(live.view({}).queued), live.view({}).queued_total) == (QUEUE_WINDOW, QUEUE_WINDOW + 1)
