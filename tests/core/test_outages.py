"""Whom an outage is blamed on, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core.model import (
    FileState,
    Hold,
    HoldCause,
    Scope,
    SessionKey,
    SessionState,
)
from uploader.core.outages import WORDS
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView, Session, SessionMember

pytestmark = pytest.mark.unit

NOW = 10_000.0
KEY = SessionKey("p", "", "", "", categorical=False)
EMPTY = PlannerView({"/d": a_folder("p")})


def calling(number: int, since: float, *, error: str = "no route") -> Session:
    """A session whose own call is retried since so many seconds ago, and again in five."""
    return Session(
        number, KEY, SessionState.PLANNED, (), NOW + 5 + number, retrying_since=NOW - since, last_error=error
    )


def sending(number: int, since: float) -> Session:
    """A session of which one transfer is retried."""
    member = SessionMember(number, FileState.BATCHED, 1, NOW + 7, NOW - since)
    return Session(number, KEY, SessionState.OPEN, (member,))


def shown(*sessions: Session, **more: object) -> list[tuple[HoldCause, str, str]]:
    """Cause, subject and reason of each hold of a plan."""
    holds = plan(replace(EMPTY, sessions=sessions, **more), NOW, settings_with()).holds
    return [(hold.cause, hold.subject, hold.reason) for hold in holds]


def test_one_outage_is_one_hold() -> None:
    """However many sessions sit in back-off: it began with the first of them, and the first one tries again."""
    sessions = (calling(1, 31), calling(2, 300), calling(3, 40), sending(4, 90))
    (hold,) = plan(replace(EMPTY, sessions=sessions), NOW, settings_with()).holds

    assert (hold.scope, hold.cause, hold.reason) == (
        Scope.PLATFORM,
        HoldCause.PLATFORM_UNREACHABLE,
        "no route",
    )
    assert (hold.since, hold.until) == (NOW - 300, NOW + 6)


def test_a_short_one_is_not_told() -> None:
    """The first half minute of retrying is nobody's concern."""
    assert shown(calling(1, 29), sending(2, 29)) == []


def test_who_alone_fails_is_told_alone() -> None:
    """Where others are answered the platform is there; an answer from the first moments proves nothing."""
    assert shown(calling(1, 60), answered_at=NOW - 59) == [(HoldCause.PLATFORM_UNREACHABLE, "", "no route")]
    assert shown(calling(1, 60), calling(2, 60), answered_at=NOW - 40) == [
        (HoldCause.SESSION_FAILING, "1", "no route"),
        (HoldCause.SESSION_FAILING, "2", "no route"),
    ]


@pytest.mark.parametrize("answered_at", [0.0, NOW - 1])
def test_a_platform_that_shows_no_items_has_answered(answered_at: float) -> None:
    """Their session is unclear, by the platform's name for it; once asking fails as well, that is told."""
    asked = replace(calling(1, 60, error="no items"), upload_id="up-1", locate_tries=3)

    assert shown(asked, answered_at=answered_at) == [(HoldCause.SESSION_UNCLEAR, "up-1", "no items")]
    assert shown(replace(asked, tries=1)) == [(HoldCause.PLATFORM_UNREACHABLE, "", "no items")]


def test_a_session_that_waits_for_a_person_is_not_retried() -> None:
    """It has a hold of its own, which says so."""
    assert shown(replace(calling(1, 300), hold="Look there.", locate_tries=12)) == []
    assert shown(replace(calling(1, 300), hold="Look there.")) == []


def test_a_store_that_takes_nothing_is_not_the_platform() -> None:
    """Its URLs are signed, and no transfer of any session comes to its end."""
    two = (sending(1, 60), sending(2, 45))
    cause = HoldCause.STORE_UNREACHABLE

    assert shown(*two, answered_at=NOW - 1) == [(cause, "", WORDS[cause])]
    (hold,) = plan(replace(EMPTY, sessions=two, answered_at=NOW - 1), NOW, settings_with()).holds
    assert "`uploader log`" in hold.way_out
    assert {cause for cause, *_ in shown(*two, answered_at=NOW - 1, stored_at=NOW - 1)} == {
        HoldCause.SESSION_FAILING
    }


@pytest.mark.parametrize(
    ("scope", "subject"), [(Scope.PLATFORM, ""), (Scope.ORGANIZATION, ""), (Scope.TARGET, "p")]
)
def test_what_a_hold_explains_is_told_once(scope: Scope, subject: str) -> None:
    """Sessions that wait for a new key make no outage of it."""
    hold = Hold(scope, subject, "refused", until=NOW + 60)

    assert shown(calling(1, 600), sending(2, 600), holds=(hold,)) == []
