"""The line that `systemctl status` shows of a running daemon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from uploader.core.model import Hold
from uploader.core.planner_view import PlannerView


def summary(view: PlannerView | None, running: Counter[str], holds: Sequence[Hold]) -> str:
    """What is where, what runs (by the kind of action), and the first hold. `view` is None while none can be had."""
    told = f"{len(holds)} holds" + (f": {holds[0].text}" if holds else "")
    if view is None:
        return f"the journal does not answer, {running['Put']} transfers, {told}"
    sessions = sum(1 for session in view.sessions if session.state != "completed")
    return (
        f"{sum(view.settling.values())} settling, {view.queued_total} queued, {len(view.waiting)} converted, "
        f"{sessions} sessions, {running['Put']} transfers, {told}"
    )
