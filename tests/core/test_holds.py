"""The one list of holds: what is one hold, in which order, how much waits, and what counts as a change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uploader.core.hold_causes import CAUSES
from uploader.core.hold_text import joined
from uploader.core.holds import (
    OF_FILES,
    ORDER,
    USUAL,
    WAITING,
    Amount,
    compared,
    counted,
    listed,
    of_file,
    of_session,
)
from uploader.core.live_rows import FileRow, LiveFile, LiveSession, SessionRow
from uploader.core.model import FileState, Hold, HoldCause, Scope, SessionKey, SessionState

pytestmark = pytest.mark.unit

NOW = 1000.0
KEY = Hold(
    Scope.PLATFORM, "", "The key is refused.", "Put a new one.", 900.0, 1060.0, cause=HoldCause.KEY_REFUSED
)


def hold(scope: Scope, cause: HoldCause = HoldCause.UNKNOWN, subject: str = "", **more: object) -> Hold:
    """A hold since ten seconds ago."""
    return Hold(scope, subject, "why", "how", NOW - 10, cause=cause, **more)  # type: ignore[arg-type]


def file(state: FileState, path: bytes = b"below/a.tif", text: str = "It stays.") -> LiveFile:
    """A file of 10 bytes whose object has 5, with a hold of its own."""
    row = FileRow(
        *(1, "/drop", path, state, "s", 10, "c", 5, b"", 0, "a-c.tif", None, "archive", 0, 0, 0, 0, 0)
    )
    return LiveFile(row, True, True, 1.0, False, "", False, NOW + 5, NOW - 5, text)


def test_one_cause_is_one_hold() -> None:
    """Five sessions that see one revoked key tell of it once: from the first of them on, until the next try."""
    seen = [replace(KEY, since=900.0 + n, until=1060.0 + n) for n in (2, 0, 4, 1, 3)]
    (found,) = listed(NOW, seen)

    assert (found.since, found.until) == (900.0, 1060.0)


def test_other_causes_are_other_holds() -> None:
    """A target that is refused, and one whose items do not match, need two things of a person."""
    causes = (HoldCause.TARGET_REFUSED, HoldCause.LAYOUT_UNKNOWN)
    found = listed(NOW, [hold(Scope.TARGET, cause, "p") for cause in causes])

    assert {one.cause for one in found} == set(causes)


def test_the_widest_come_first() -> None:
    """Whoever reads one line reads of what holds most."""
    assert set(ORDER) == set(Scope)
    found = listed(NOW, [hold(scope) for scope in reversed(Scope)])

    assert [one.scope for one in found][:3] == [Scope.JOURNAL, Scope.PLATFORM, Scope.ORGANIZATION]
    assert found[-1].scope is Scope.FILE


def test_no_time_lies_in_the_past() -> None:
    """What is due is tried now; a hold for a person has no time."""
    (due,) = listed(NOW, [replace(KEY, until=NOW - 30)])
    (waiting,) = listed(NOW, [replace(KEY, until=None)])

    assert (due.until, waiting.until) == (NOW, None)


def test_changes_are_beginnings_ends_and_whether_a_person_is_needed() -> None:
    """Another time or another word is the same hold."""
    quota = hold(Scope.ORGANIZATION, HoldCause.QUOTA)
    same = compared([KEY], [replace(KEY, until=2000.0, reason="It is still refused.")])
    found = compared([KEY], [quota])

    assert not same
    assert (found.begun, found.ended, found.changed) == ((quota,), (KEY,), ())
    assert compared([KEY], [replace(KEY, until=None)]).changed == (replace(KEY, until=None),)


def amount(state: FileState, folder: str = "/d", target: str = "p", **more: str) -> Amount:
    """Two files of five bytes each."""
    return Amount(folder, state, target, 2, 10, **more)


PENDING = [
    amount(FileState.SETTLING),
    amount(FileState.SETTLING, "/other", "q"),
    amount(FileState.QUEUED),
    amount(FileState.CONVERTED),
    amount(FileState.BATCHED, session="1"),
    amount(FileState.STORED, session="2", upload_id="up-2"),
]


@pytest.mark.parametrize(
    ("one", "files"),
    [
        (hold(Scope.JOURNAL), 12),
        (hold(Scope.PLATFORM), 6),
        (hold(Scope.ORGANIZATION), 4),
        (hold(Scope.TARGET, subject="p"), 4),
        (hold(Scope.TARGET, subject="q"), 0),
        (hold(Scope.STAGING), 6),
        (hold(Scope.MACHINE), 2),
        (hold(Scope.FOLDER, HoldCause.FOLDER_MISSING, "/d"), 2),
        (hold(Scope.FOLDER, HoldCause.FOLDER_UNCONFIGURED, "/d"), 10),
        (hold(Scope.SESSION, subject="up-2"), 2),
        (hold(Scope.SESSION, subject="1"), 2),
        (hold(Scope.FILE, files=3, size=15), 3),
    ],
)
def test_it_is_told_how_much_waits(one: Hold, files: int) -> None:
    """As far as the scope reaches; what has passed it does not wait."""
    (found,) = counted([one], PENDING)

    assert (found.files, found.size) == (files, 5 * files)


def test_every_scope_says_whose_files_wait() -> None:
    """A new scope has to be given its row."""
    assert set(WAITING) == set(Scope)
    assert set(USUAL) <= set(Scope)


@pytest.mark.parametrize("state", FileState)
def test_a_file_has_a_hold_in_some_states_only(state: FileState) -> None:
    """What stands in its row in another state is of an earlier step."""
    found = of_file(file(state))

    assert (found.cause if found else None) == OF_FILES.get(state)
    assert of_file(file(state, text="")) is None


def test_sources_that_stay_are_one_hold_a_folder() -> None:
    """A full archive keeps five hundred of them; the first is named, and how many more there are."""
    kept = [of_file(file(FileState.COMPLETED, f"below/{n}.tif".encode(), f"{n} stays.")) for n in range(500)]
    (found,) = counted(listed(NOW, [one for one in kept if one]), [])

    assert (found.subject, found.files, found.size) == ("/drop/below", 500, 2500)
    assert found.reason == "0 stays. So it is with 499 more files there."


def test_a_file_is_named_by_its_path() -> None:
    """Where it alone is what waits, since it was first tried in vain."""
    found = of_file(file(FileState.CONVERTED, text="It exceeds the quota."))

    assert found is not None
    assert (found.subject, found.since, found.until) == ("/drop/below/a.tif", NOW - 5, NOW + 5)


def test_each_hold_of_a_row_has_a_way_out() -> None:
    """Its own, or where an earlier version of the program has kept none the general one of its cause."""
    own, earlier = (
        of_file(file(FileState.COMPLETED, text=joined("It stays.", "Mount\nit."))),
        of_file(file(FileState.COMPLETED)),
    )
    assert own is not None
    assert earlier is not None

    assert (own.reason, own.way_out) == ("It stays.", "Mount it.")
    assert (earlier.reason, earlier.way_out) == ("It stays.", CAUSES[HoldCause.SOURCE_STAYS].way_out)


@pytest.mark.parametrize("state", [FileState.CONVERTED, FileState.BATCHED])
def test_one_refusal_for_want_of_quota_is_one_hold(state: FileState) -> None:
    """The organization's, as long as nothing smaller has passed; then the file's, also while it is tried again."""
    large, stays = of_file(file(state)), of_file(file(FileState.COMPLETED))
    assert large is not None
    assert stays is not None
    quota = hold(Scope.ORGANIZATION, HoldCause.QUOTA)

    assert [one.cause for one in listed(NOW, [large, quota, stays])] == [
        HoldCause.QUOTA,
        HoldCause.SOURCE_STAYS,
    ]
    assert [one.cause for one in listed(NOW, [large])] == [HoldCause.FILE_EXCEEDS_QUOTA]


def test_a_session_that_a_person_must_decide_on_is_a_hold() -> None:
    """By the platform's name for it, or by ours."""
    key = SessionKey("p", "", "", "", categorical=False)
    row = SessionRow(7, SessionState.COMPLETING, key, "k", {}, 5, "up-7", 1, 0, 0, (), 0, None, ())
    session = LiveSession(row, True, True, None, 0.0, joined("Nobody knows.", "Look there."), "", NOW)
    found = of_session(session)

    assert found is not None
    assert (found.subject, found.since, found.until) == ("up-7", NOW, None)
    assert (found.reason, found.way_out) == ("Nobody knows.", "Look there.")
    assert of_session(replace(session, hold="")) is None
