"""What `/healthz` says: whether the daemon does its work, for those who restart or alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from uploader.core.hold_causes import CAUSES
from uploader.core.model import HoldCause


def unwell(status: dict[str, Any], now: float) -> list[str]:
    """Why the daemon does not do its work although it answers: stages that stand still, or its journal; none if well.

    What waits for a person, a disk or the platform does not make it unwell: a restart would mend nothing.
    """
    return [hold["reason"] for hold in status.get("holds", ()) if _lasts(hold, now)]


def health(status: dict[str, Any], now: float) -> tuple[str, bytes]:
    """Status line and body of the answer, with the number of holds and the revision of their list."""
    reasons = unwell(status, now)
    told = f"revision {status.get('revision', 0)}, {len(status.get('holds', ()))} held"
    if not reasons:
        return "200 OK", f"ok, {told}\n".encode()
    return "503 Service Unavailable", "\n".join([f"unwell, {told}", *reasons, ""]).encode("utf-8", "replace")


def _lasts(hold: dict[str, Any], now: float) -> bool:
    """Whether the hold is of a cause that makes the daemon unwell, and has lasted as long as that takes."""
    after = CAUSES[HoldCause(hold.get("cause", HoldCause.UNKNOWN))].unwell_after
    if not after:
        return after is not None
    return bool(hold["since"]) and now - datetime.fromisoformat(hold["since"]).timestamp() >= after
