"""When retrying is told as a hold, and of whom: the platform, the object store, or one session.

Where the platform has answered, and shows no items of a session, nobody fails: the session is unclear. Else who is to
blame is seen from what went well meanwhile. Where calls are answered, the platform is there; where objects are stored,
the store is; what fails all the same is one session's own matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uploader.core.hold_causes import CAUSES
from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.planner_view import Session
from uploader.core.planning_pass import ORGANIZATION, OUTAGE_SHOWN_AFTER, PLATFORM, PlanningPass

OVERLAP = 10.0
"""Seconds into an outage in which an answer proves nothing: it may have been under way when the outage began."""

WAY_OUT = "It is tried again by itself; `uploader check` tells more."

STORE_WAY_OUT = (
    "It is tried again by itself; `uploader log` of one of the files tells what came instead of an answer. See whether "
    "a proxy or a firewall keeps this host from the store."
)
"""`uploader check` has no signed URL with which it could ask the store."""

WORDS = {
    HoldCause.PLATFORM_UNREACHABLE: "The platform does not answer as it should.",
    HoldCause.STORE_UNREACHABLE: "The platform answers, but its object store does not take the files.",
    HoldCause.SESSION_FAILING: "The platform answers others, but not this session.",
    HoldCause.SESSION_UNCLEAR: "The items of this session are not to be seen.",
}


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Whom a row's retrying is blamed on, since when, and when it is tried next."""

    cause: HoldCause
    since: float
    until: float
    text: str
    session: str


def show_outages(turn: PlanningPass) -> None:
    """Show what has been retried for a while, each cause once; what another hold explains is left to that one."""
    found: dict[tuple[HoldCause, str], list[_Trouble]] = {}
    for session in turn.view.sessions:
        if session.hold or turn.unopened(session) or _explained(turn, session):
            continue
        for trouble in _troubles(turn, session):
            subject = trouble.session if _scope(trouble.cause) is Scope.SESSION else ""
            found.setdefault((trouble.cause, subject), []).append(trouble)
    for (cause, subject), same in found.items():
        turn.show(_hold(turn, cause, subject, same))


def _explained(turn: PlanningPass, session: Session) -> bool:
    """Whether a hold of the journal says already why the session's calls do not succeed."""
    target = (Scope.TARGET, session.key.target)
    return any(turn.held(*gate) for gate in (PLATFORM, ORGANIZATION, target))


def _troubles(turn: PlanningPass, session: Session) -> Iterable[_Trouble]:
    """The session's own retrying, and that of its transfers."""
    name = session.name
    since = _lasting(turn, session.retrying_since)
    if since is not None:
        cause = HoldCause.SESSION_UNCLEAR if session.unseen else _of_calls(turn, since)
        yield _Trouble(cause, since, session.not_before, session.last_error, name)
    for member in session.members:
        since = _lasting(turn, None if member.held else member.retrying_since)
        if since is not None:
            yield _Trouble(_of_transfers(turn, since), since, member.not_before, "", name)


def _lasting(turn: PlanningPass, since: float | None) -> float | None:
    """Since when something is retried; None where it has not lasted long enough to be told."""
    return None if since is None or turn.now - since < OUTAGE_SHOWN_AFTER else since


def _of_calls(turn: PlanningPass, since: float) -> HoldCause:
    there = turn.view.answered_at >= since + OVERLAP
    return HoldCause.SESSION_FAILING if there else HoldCause.PLATFORM_UNREACHABLE


def _of_transfers(turn: PlanningPass, since: float) -> HoldCause:
    """Before each transfer a call asks for its URL: where that is answered, the store is what fails."""
    if turn.view.answered_at < since + OVERLAP:
        return HoldCause.PLATFORM_UNREACHABLE
    stored = others_stored(since, turn.view.stored_at)
    return HoldCause.SESSION_FAILING if stored else HoldCause.STORE_UNREACHABLE


def others_stored(since: float | None, stored_at: float) -> bool:
    """Whether the store has taken others since a file is retried; `stored_at` is when it last took one."""
    return since is not None and stored_at >= since + OVERLAP


def _scope(cause: HoldCause) -> Scope:
    return CAUSES[cause].scopes[0]


def _hold(turn: PlanningPass, cause: HoldCause, subject: str, same: list[_Trouble]) -> Hold:
    """The first of those who are tried again may end it for all."""
    return Hold(
        _scope(cause),
        subject,
        next((trouble.text for trouble in same if trouble.text), WORDS[cause]),
        STORE_WAY_OUT if cause is HoldCause.STORE_UNREACHABLE else WAY_OUT,
        since=min(trouble.since for trouble in same),
        until=max(turn.now + 1.0, min(trouble.until for trouble in same)),
        cause=cause,
    )
