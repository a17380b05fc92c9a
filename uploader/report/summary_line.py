"""How it stands, in one line of plain text: for those, too, who show nothing on a terminal and need no rich."""

from __future__ import annotations

from typing import Any

from uploader.report.terminal_text import printable


def summary(status: dict[str, Any]) -> str:
    """One line: for `systemctl status`, logs and the top of everything else."""
    parts = [f"{status.get('pending', 0)} pending", f"{status.get('completed', 0)} completed"]
    if rejected := status.get("rejected", 0):
        parts.append(f"{rejected} rejected")
    if retrying := status.get("retrying", 0):
        parts.append(f"{retrying} retrying" if isinstance(retrying, int) else f"{len(retrying)} retrying")
    if holds := status.get("holds"):
        parts.append(
            f"held: {printable(hold_text(holds[0]))}" + (f" (+{len(holds) - 1})" if holds[1:] else "")
        )
    return ", ".join(parts)


def hold_text(hold: dict[str, Any]) -> str:
    """Why something waits, and what to do about it, as one line."""
    return f"{hold['reason']} {hold.get('way_out') or ''}".strip()
