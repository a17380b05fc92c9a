"""The only place that turns a status into words for people. `docs/control.md` tells the fields of a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from uploader.core.sizes import format_size
from uploader.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

SHOWN_FAILURES = 20
"""Rejected files that are shown by name; `--json` has them all."""


def summary(status: dict[str, Any]) -> str:
    """One line: for `systemctl status`, logs and the top of everything else."""
    parts = [f"{status.get('pending', 0)} pending", f"{status.get('completed', 0)} completed"]
    if rejected := status.get("rejected", 0):
        parts.append(f"{rejected} rejected")
    if retrying := status.get("retrying", 0):
        parts.append(f"{retrying} retrying" if isinstance(retrying, int) else f"{len(retrying)} retrying")
    if holds := status.get("holds"):
        parts.append(
            f"held: {printable(holds[0]['reason'])}" + (f" (+{len(holds) - 1})" if holds[1:] else "")
        )
    return ", ".join(parts)


def render(status: dict[str, Any]) -> Iterator[RenderableType]:
    """Everything a person should see, the most pressing last, where the eye is."""
    amounts = status.get("bytes", {})
    yield Text(summary({**status, "holds": None}), style="bold")
    yield Text(
        f"{format_size(amounts.get('pending', 0))} to go, {format_size(amounts.get('uploaded', 0))} uploaded"
    )
    for title, counts in (("files", status.get("files", {})), ("sessions", status.get("sessions", {}))):
        if said := ", ".join(f"{number} {state}" for state, number in counts.items() if number):
            yield Text(f"{title}: {said}")
    if leaked := status.get("possibly_leaked_bytes", 0):
        yield Text(
            f"At most {format_size(leaked)} of storage may be reserved on the platform by starts of sessions whose "
            "answer was lost; `uploader check` explains.",
            style="yellow",
        )
    for warning in status.get("warnings") or ():
        yield Text(f"warning: {printable(_worded(warning))}", style="yellow")
    if status.get("failed"):
        yield failures(status["failed"])
    for hold in status.get("holds", ()):
        until = f", tried again {hold['until']}" if hold.get("until") else ", waits for you"
        subject = f" {printable(hold['subject'])}" if hold.get("subject") else ""
        yield Text(f"held ({hold['scope']}{subject}{until}): {printable(hold['reason'])}", style="red")


def failures(failed: list[dict[str, Any]]) -> Table:
    """The rejected files with their reasons."""
    table = Table("rejected", "reason", "attempts", title_justify="left", expand=False)
    for entry in failed[:SHOWN_FAILURES]:
        table.add_row(
            Text(printable(entry["path"]), overflow="fold"),
            Text(printable(entry["reason"]), overflow="fold"),
            str(entry.get("attempts", "")),
        )
    more = len(failed) - SHOWN_FAILURES
    if more > 0:
        table.caption = f"and {more} more; --json names all"
    return table


def _worded(warning: Any) -> str:
    if isinstance(warning, dict):
        return ": ".join(str(warning[key]) for key in ("path", "code", "text") if warning.get(key))
    return str(warning)
