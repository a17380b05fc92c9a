"""One planning turn: what was seen, what is decided so far, and the gates that every rule passes through."""

from __future__ import annotations

from dataclasses import dataclass, field

from uploader.core.actions import Action
from uploader.core.configuration import Settings
from uploader.core.model import FileState, Hold, Scope, SessionState
from uploader.core.pauses import covered, in_force
from uploader.core.planner_view import PlannerView, Session

OUTAGE_SHOWN_AFTER = 30.0
"""Seconds of retrying after which an outage is shown, and counts, as a hold."""

PLATFORM = (Scope.PLATFORM, "")
ORGANIZATION = (Scope.ORGANIZATION, "")
"""The gates that all calls, and all sessions that are opened, pass through; see `PlanningPass.open`."""

CALLS = frozenset({"Initiate", "Put", "Complete", "Locate", "Abandon", "ReadBack", "AdvanceScene"})
"""Actions that speak to the platform: while a hold is probed, one of them runs at a time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """So many files in a state wait for something that comes by itself, at the latest at `until` (unix seconds)."""

    what: FileState
    why: str
    files: int
    until: float | None = None


@dataclass(slots=True)
class Plan:
    """What to do now, what holds work back, and when to look again (unix seconds)."""

    actions: list[Action] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    """Holds that follow from the view; they end by themselves when the view changes."""
    waits: list[Wait] = field(default_factory=list)
    """Files or sessions that wait although nothing is held."""
    wake_at: float | None = None
    idle: bool = False
    """Only ends and holds are left."""
    no_room_for: frozenset[int] = frozenset()
    """Files that the hold of staging is shown for: the next view tells of them."""
    stalled: frozenset[str] = frozenset()
    """Stages that this plan shows to stand still: the next view tells of them, too."""


class PlanningPass:
    """Collects the plan. `expecting` is set where more is to come by itself; then the turn is not idle."""

    def __init__(self, view: PlannerView, now: float, settings: Settings) -> None:
        self.view = view
        self.now = now
        self.settings = settings
        self.plan = Plan()
        self.expecting = False
        self.resting = frozenset(mistake.subject for mistake in view.mistakes if mistake.until > now)
        """Whom a mistake in the program keeps from being taken up."""
        self._taken = {*view.busy, *self.resting}
        self._pauses = in_force(view.pauses, now)
        self._holds = {(hold.scope, hold.subject): hold for hold in view.holds}
        self._probing = any(count and kind in CALLS for kind, count in view.running.items())

    def do(self, action: Action) -> None:
        """Decide on an action; its subjects are busy from now on, also for the rules that follow."""
        self.plan.actions.append(action)
        self._taken.update(action.subjects)

    def show(self, hold: Hold) -> None:
        """Tell what holds work back; it is looked at again when its time comes. If that is past, it is being tried."""
        self.plan.holds.append(hold)
        if hold.until is not None and hold.until > self.now:
            self.wake(hold.until)

    def tell(self, wait: Wait) -> None:
        """Tell who waits, and for what."""
        self.plan.waits.append(wait)

    def wake(self, at: float) -> None:
        """Look again at this time, or earlier."""
        self.plan.wake_at = at if self.plan.wake_at is None else min(self.plan.wake_at, at)

    def running(self, kind: str) -> int:
        """How many actions of a class are running."""
        return self.view.running.get(kind, 0)

    def busy(self, kind: str, row_id: int) -> bool:
        """Whether something is being done about this file or session, or was decided on in this turn."""
        return (kind, row_id) in self._taken

    def due(self, not_before: float, retrying_since: float | None = None) -> bool:
        """Whether a row's time has come. A retry is waited for, until it has lasted so long that it is a hold."""
        if not_before <= self.now:
            return True
        self.wake(not_before)
        if retrying_since is None or self.now - retrying_since < OUTAGE_SHOWN_AFTER:
            self.expecting = True
        return False

    def paused(self, folder: str) -> bool:
        """Whether nothing new may be begun for a folder."""
        return bool(self._pauses) and covered(self._pauses, folder)

    def unopened(self, session: Session) -> bool:
        """Whether a pause keeps a session from being opened; one that is open goes on to its end."""
        return session.state is SessionState.PLANNED and any(self.paused(m.folder) for m in session.members)

    def held(self, scope: Scope, subject: str = "") -> bool:
        """Whether there is a hold, due or not."""
        return (scope, subject) in self._holds

    def ripe(self, scope: Scope) -> bool:
        """Whether a hold of the whole scope is due to be tried; where it is not, it wakes the next turn."""
        until = self._holds[scope, ""].until
        if until is None or until > self.now:
            self.wake(self.now if until is None else until)
            return False
        return True

    def open(self, *gates: tuple[Scope, str]) -> bool:
        """Whether all these scopes are free; a hold that is due lets one call through as a probe."""
        if not self._holds:
            return True
        return all([self._open(gate) for gate in gates])  # noqa: C419 - every gate sets its wake

    def passed(self, *gates: tuple[Scope, str]) -> None:
        """A call goes through these gates; where one is held, it is the probe."""
        if any(gate in self._holds for gate in gates):
            self._probing = True

    def _open(self, gate: tuple[Scope, str]) -> bool:
        hold = self._holds.get(gate)
        if hold is None:
            return True
        if hold.until is None:
            return False
        if hold.until > self.now:
            self.wake(hold.until)
            return False
        return not self._probing
