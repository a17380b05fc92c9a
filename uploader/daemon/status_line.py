"""The line that `systemctl status` shows of a running daemon."""

from __future__ import annotations

from collections import Counter

from uploader.core.model import SessionState
from uploader.core.planner_view import PlannerView
from uploader.journal import HoldList


def service_line(view: PlannerView | None, running: Counter[str], held: HoldList) -> str:
    """One line for `systemctl status`; `running` are the actions by class."""
    number = len(held.holds)
    told = f"{number} {'hold' if number == 1 else 'holds'} (revision {held.revision})"
    told += f": {held.holds[0].text}" if held.holds else ""
    if view is None:
        return f"the journal does not answer, {running['Put']} transfers, {told}"
    sessions = sum(1 for session in view.sessions if session.state is not SessionState.COMPLETED)
    return (
        f"{sum(view.settling.values())} settling, {view.queued_total} queued, {len(view.waiting)} converted, "
        f"{sessions} sessions, {running['Put']} transfers, {told}"
    )
