"""What is told without being asked: when an alarm goes out, is repeated, and is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core import alarms as al
from uploader.core.model import Hold, HoldCause, Scope

pytestmark = pytest.mark.unit

STALLED, REPEAT, CLEAR_AFTER = 300.0, 3600.0, 60.0
KEY = Hold(Scope.PLATFORM, "", "Refused.", "Put another.", since=1000.0, cause=HoldCause.KEY_REFUSED)
OUTAGE = replace(KEY, cause=HoldCause.PLATFORM_UNREACHABLE)
PAUSE = replace(KEY, scope=Scope.MACHINE, cause=HoldCause.PAUSED)


class Round:
    """Someone who is told, turn after turn."""

    def __init__(self) -> None:
        self.told: dict[al.Key, al.SentAlarm] = {}

    def at(self, now: float, *holds: Hold) -> list[str]:
        """What goes out at this time while these holds last."""
        alarms = al.of_holds(now, holds, STALLED, self.told)
        self.told = al.watched(now, self.told, alarms)
        notices = al.due(now, self.told, alarms, repeat_every=REPEAT, clear_after=CLEAR_AFTER)
        for notice in notices:
            self.told = al.delivered(now, self.told, notice)
        return [f"{n.event} {n.alarm.cause}{' again' * n.repeated}" for n in notices]


@pytest.mark.parametrize(("hold", "age"), [(KEY, 0.0), (OUTAGE, STALLED), (PAUSE, 86_400.0)])
def test_a_hold_becomes_an_alarm_at_its_age(hold: Hold, age: float) -> None:
    """A refused key at once, an outage when it lasts, a pause when it seems to be forgotten."""
    if age:
        assert al.of_holds(1000.0 + age - 1, [hold], STALLED, ()) == ()
    (alarm,) = al.of_holds(1000.0 + age, [hold], STALLED, ())

    assert (alarm.cause, alarm.reason, alarm.way_out, alarm.since) == (
        hold.cause,
        "Refused.",
        "Put another.",
        1000.0,
    )


def test_an_alarm_goes_out_once_then_by_its_rhythm_then_an_all_clear() -> None:
    """Between these nothing is said, whatever the words of the hold are by then."""
    told = Round()
    assert told.at(1000.0, KEY) == ["alarm key_refused"]
    assert told.at(1001.0, replace(KEY, reason="Still.")) == []
    assert told.at(1000.0 + REPEAT, KEY) == ["alarm key_refused again"]
    assert told.at(5000.0) == told.at(5000.0 + CLEAR_AFTER - 1) == []
    assert told.at(5000.0 + CLEAR_AFTER) == ["clear key_refused"]
    assert told.at(5000.0 + CLEAR_AFTER + 1) == []


def test_what_comes_back_before_it_was_over_is_the_same_alarm() -> None:
    """A hold that flaps by the minute would else be two notices a minute."""
    told = Round()
    assert told.at(1000.0, KEY) == ["alarm key_refused"]
    for minute in range(1, 20):
        assert told.at(1000.0 + minute * CLEAR_AFTER - 30) == []
        assert told.at(1000.0 + minute * CLEAR_AFTER, replace(KEY, since=1000.0 + minute * CLEAR_AFTER)) == []


def test_a_hold_that_begins_anew_stays_an_alarm_that_is_known() -> None:
    """After a restart an outage is younger than it was; it is no other one, and not over."""
    told = Round()
    assert told.at(1000.0 + STALLED, OUTAGE) == ["alarm platform_unreachable"]
    assert told.at(1400.0, replace(OUTAGE, since=1399.0)) == []
    assert told.at(1400.0 + CLEAR_AFTER, replace(OUTAGE, since=1399.0)) == []


def test_holds_of_different_subjects_are_different_alarms() -> None:
    """One folder is back, the other is still away."""
    one = replace(OUTAGE, scope=Scope.FOLDER, subject="/a", cause=HoldCause.FOLDER_MISSING)
    other, told = replace(one, subject="/b"), Round()
    assert told.at(2000.0, one, other) == ["alarm folder_missing"] * 2
    told.at(2100.0, other)
    assert told.at(2100.0 + CLEAR_AFTER, other) == ["clear folder_missing"]
    assert [key[2] for key in told.told] == ["/b"]


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=40))
def test_whatever_comes_and_goes_is_told_in_turn(steps: list[tuple[int, bool]]) -> None:
    """No all-clear without its alarm, no second alarm before it but a repeat, and an all-clear once it is calm."""
    told, now, said = Round(), 1000.0, []
    for seconds, held in steps:
        now += seconds
        said += told.at(now, *([KEY] if held else []))
    for seconds in (1, 1 + CLEAR_AFTER):
        said += told.at(now + seconds)
    firsts = [line for line in said if not line.endswith("again")]

    assert firsts == ["alarm key_refused", "clear key_refused"] * (len(firsts) // 2)
    assert told.told == {}


def test_a_disk_is_near_its_reserve_until_it_is_clearly_above() -> None:
    """At the border it would else be told with each file that comes and goes."""
    assert [al.near_reserve(free, 100, known=False) for free in (199, 200, 249)] == [True, False, False]
    assert [al.near_reserve(free, 100, known=True) for free in (199, 249, 250)] == [True, True, False]
    assert not al.near_reserve(0, 0, known=True)
    assert al.of_disk("/s", 150, 100, 7.0).key == (al.DISK_LOW, "staging", "/s")


def test_rejected_files_are_gathered_by_folder() -> None:
    """One is told by its name, of more the first, and how many they are."""
    one = al.Rejection("/a", "/a/x.tif", "It is no raster.", 10, 5.0)
    many = [al.Rejection("/b", f"/b/{n}.tif", "Too large.", 100, 6.0 + n) for n in range(3)]
    first, second = al.of_rejections([many[0], one, *many[1:]])[::-1]

    assert (first.subject, first.reason, first.files, first.size) == ("/a/x.tif", "It is no raster.", 1, 10)
    assert (second.subject, second.scope, second.files, second.size, second.since) == (
        "/b",
        "folder",
        3,
        300,
        6.0,
    )
    assert "3 files were rejected; the first is /b/0.tif: Too large." in second.reason
