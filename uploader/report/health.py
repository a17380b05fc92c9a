"""What `/healthz` says: whether the daemon does its work, for those who restart or alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from uploader.core.hold_causes import CAUSES, Unwell
from uploader.core.model import HoldCause, Limits


def unwell(status: dict[str, Any], now: float) -> list[str]:
    """Why the daemon does not do its work although it answers: stages that stand still, or its journal; none if well.

    What waits for a person, a disk or the platform does not make it unwell: a restart would mend nothing.
    """
    after = float(status.get("stalled_after") or Limits().stalled_after)
    return [hold["reason"] for hold in status.get("holds", ()) if _is_unwell(hold, now, after)]


def health(status: dict[str, Any], now: float) -> tuple[str, bytes]:
    """Status line and body of the answer, with the number of holds and the revision of their list."""
    reasons = unwell(status, now)
    told = f"revision {status.get('revision', 0)}, {len(status.get('holds', ()))} held"
    if not reasons:
        return "200 OK", f"ok, {told}\n".encode()
    return "503 Service Unavailable", "\n".join([f"unwell, {told}", *reasons, ""]).encode("utf-8", "replace")


def _is_unwell(hold: dict[str, Any], now: float, after: float) -> bool:
    """Whether the hold is of a cause that makes the daemon unwell, and has lasted as long as that takes."""
    unwell = CAUSES[HoldCause(hold.get("cause", HoldCause.UNKNOWN))].unwell
    if unwell is not Unwell.WHEN_IT_LASTS:
        return unwell is Unwell.AT_ONCE
    return bool(hold.get("since")) and now - datetime.fromisoformat(hold["since"]).timestamp() >= after
