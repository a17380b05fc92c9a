"""The only place that turns a status into words for people. `docs/control.md` tells the fields of a status."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from uploader.core.byte_sizes import format_size
from uploader.core.lifecycle import FILE_ENDS, SESSION_ENDS
from uploader.core.plurals import count_of
from uploader.core.waits import ANOTHER_TRY
from uploader.report.summary_line import hold_text, summary
from uploader.report.terminal_text import duration, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

SHOWN_REASONS = 10
SHOWN_PATHS = 5
"""For how many reasons, and for each how many, rejected files are shown by name; `--json` has them all."""

SHOWN_FOLDERS = 20
"""Folders that are shown; where there is one, the numbers at the top are its."""

NEARLY = 0.95
"""Of something whose progress is only estimated, more is never told: it may take longer than those before it."""

SURE = 0.05
"""Of something that is counted, this much has to be done before its pace tells when it is ready."""

SHOWN_RUNNING = 10
"""Things under way that are shown at once."""
SHOWN_WORKERS = 16
"""Workers of a cluster that are shown one by one."""

VERBS = {
    "claim": "reading",
    "convert": "converting",
    "put": "uploading",
    "call": "asking",
    "dispose": "putting away",
}
"""By the kind of an activity, what a person would call it."""

ENDS = FILE_ENDS | SESSION_ENDS
"""States of files and sessions in which nothing is under way."""


def render(status: dict[str, Any], *, now: float | None = None) -> Iterator[RenderableType]:
    """Everything a person should see, the most pressing last, where the eye is. `now` in unix seconds."""
    yield from _head(status, now)
    yield from _under_way(status, now)
    yield from _waiting(status, now)
    yield from _warnings(status)
    if status.get("failed"):
        yield failures(status["failed"])
    for hold in status.get("holds", ()):
        yield held_line(hold, now)


def below_holds(status: dict[str, Any], *, now: float | None = None) -> Iterator[RenderableType]:
    """What a screen shows below its first line and the holds: the most pressing first."""
    _, *rest = _head(status, now)
    yield from rest
    yield from _under_way(status, now)
    yield from _waiting(status, now)
    if status.get("failed"):
        yield failures(status["failed"])
    yield from _warnings(status)


def expected_end_text(status: dict[str, Any], now: float | None = None) -> str:
    """When everything is done, to be put behind something else; empty where nobody knows. `now` in unix seconds."""
    return f", done at about {clock_time(status['eta'], now)}" if status.get("eta") else ""


def headline(status: dict[str, Any]) -> Text:
    """The numbers, on one line."""
    return Text(summary({**status, "holds": None}), style="bold")


def _head(status: dict[str, Any], now: float | None) -> Iterator[RenderableType]:
    amounts = status.get("bytes", {})
    yield headline(status)
    line = (
        f"{format_size(amounts.get('pending', 0))} to go, {format_size(amounts.get('uploaded', 0))} uploaded"
    )
    yield Text(f"{line}{expected_end_text(status, now)}")
    if today := (status.get("today") or {}).get("completed"):
        rate = status["rate"]["files_per_hour"]
        speed = f", {rate:g} files an hour" if rate else ""
        yield Text(f"today: {today} completed, {format_size(status['today']['bytes'])}{speed}")
    if leaked := status.get("possibly_leaked_bytes", 0):
        yield Text(
            f"At most {format_size(leaked)} of storage may be reserved on the platform by starts of sessions whose "
            "answer was lost; `uploader check` explains.",
            style="yellow",
        )


def cluster_text(cluster: dict[str, Any]) -> str:
    """One line on the machines elsewhere that convert."""
    parts = [
        f"{count_of(cluster['workers'], 'worker')}",
        f"{cluster['running']} of {cluster['slots']} conversions, {format_size(cluster['bytes'])}",
    ]
    parts += [f"{cluster['avoided']} not fit"] if cluster["avoided"] else []
    parts += [f"{cluster['lost']} lost since the start"] if cluster["lost"] else []
    return f"cluster {printable(cluster['scheduler'])}: {', '.join(parts)}"


def worker_text(worker: dict[str, Any]) -> str:
    """One line on one of its workers: what it converts, and what became of what it was given."""
    what = ", ".join(map(printable, worker["converting"])) or "idle"
    parts = [f"{worker['done']} done"]
    parts += [f"{worker['lost']} lost"] if worker["lost"] else []
    parts += ["not fit"] if worker["avoided"] else []
    threads = f" ({count_of(worker['threads'], 'thread')})" if worker["threads"] != 1 else ""
    return f"{printable(worker['address'])}{threads}: {what}; {', '.join(parts)}"


def _under_way(status: dict[str, Any], now: float | None) -> Iterator[RenderableType]:
    folders = status.get("folders", ())
    if len(folders) > 1:
        for folder in folders[:SHOWN_FOLDERS]:
            yield Text(f"{printable(folder['path'])}: {folder_text(folder)}")
    if cluster := status.get("cluster"):
        yield Text(cluster_text(cluster))
        each = cluster.get("each", ())
        yield from (Text(f"  {worker_text(worker)}") for worker in each[:SHOWN_WORKERS])
        if len(each) > SHOWN_WORKERS:
            yield Text(f"  and {count_of(len(each) - SHOWN_WORKERS, 'more worker')}")
    for title, counts in under_way(status):
        yield Text(f"{title}: " + ", ".join(f"{number} {state}" for state, number in counts.items()))
    for one in status.get("running", ())[:SHOWN_RUNNING]:
        yield Text(f"{doing(one)} {printable(one['subject'])} {share(one, now)}".rstrip())


def _waiting(status: dict[str, Any], now: float | None) -> Iterator[RenderableType]:
    for wait in status.get("waiting", ()):
        yield Text(f"{wait['what']}: {wait_text(wait, now)}")


def wait_text(wait: dict[str, Any], now: float | None = None) -> str:
    """Who waits for what, and until when: the next try soon, others at the latest at a time of the clock."""
    number = "1 file waits" if wait["files"] == 1 else f"{wait['files']} files wait"
    if not wait.get("until"):
        return f"{number} for {wait['why']}"
    if wait["why"] == ANOTHER_TRY:
        left = _left(wait["until"], now)
        return f"{number} for {wait['why']}" + (f" in {duration(math.ceil(left))}" if left > 0 else "")
    return f"{number} for {wait['why']} until {clock_time(wait['until'], now)}"


def clock_time(iso: str, now: float | None = None) -> str:
    """A moment by the machine's clock, with its day where that is not today."""
    at = datetime.fromisoformat(iso).astimezone()
    today = datetime.fromtimestamp(time.time() if now is None else now).astimezone().date()
    return f"{at:%H:%M:%S}" if at.date() == today else f"{at:%Y-%m-%d %H:%M}"


def held_line(hold: dict[str, Any], now: float | None = None) -> Text:
    """What is held, how many files wait for it, when it goes on, why, and the way out."""
    subject = f" {printable(hold['subject'])}" if hold.get("subject") else ""
    files = f", {count_of(hold['files'], 'file')}" if hold.get("files") else ""
    what = f"held ({hold['scope']}{subject}{files}, {again(hold, now)})"
    return Text(f"{what}: {printable(hold_text(hold))}", style="red")


def _warnings(status: dict[str, Any]) -> Iterator[RenderableType]:
    """A line for each kind of warning, with its first file and how many more there are."""
    kinds: dict[str, list[Any]] = {}
    for warning in status.get("warnings") or ():
        kinds.setdefault(warning["code"] if isinstance(warning, dict) else str(warning), []).append(warning)
    for same in kinds.values():
        more = f" (and {len(same) - 1} more like this; --json names all)" if same[1:] else ""
        yield Text(f"warning: {printable(_worded(same[0]))}{more}", style="yellow")


def under_way(status: dict[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    """Where the work stands that has not ended: by "files" and "sessions", states with their numbers above zero.

    Ends are left out: the summary counts those of the present versions, while the rows of earlier ones stay.
    """
    for title in ("files", "sessions"):
        counts = status.get(title, {})
        if found := {state: number for state, number in counts.items() if number and state not in ENDS}:
            yield title, found


def folder_text(folder: dict[str, Any]) -> str:
    """What became of a folder's files, on one line."""
    numbers = ", ".join(f"{folder[name]} {name}" for name in ("pending", "completed", "rejected"))
    return f"{numbers}, held" if folder.get("held") else numbers


def doing(running: dict[str, Any]) -> str:
    """What a person would call an activity."""
    kind = str(running.get("kind", ""))
    return VERBS.get(kind, kind)


def fraction(running: dict[str, Any], now: float | None = None) -> float | None:
    """How much of an activity is done: counted, else estimated by what went before; None where nobody knows."""
    total, done, expected = (running.get(name) or 0 for name in ("total", "done", "expected"))
    if total and done:
        return min(float(done / total), 1.0)
    return min(_elapsed(running, now) / expected, NEARLY) if expected else None


def share(running: dict[str, Any], now: float | None = None) -> str:
    """How much of an activity is done, and when it is ready, where that is known; empty where it is not."""
    part = fraction(running, now)
    if part is None:
        return ""
    counted = bool(running.get("done"))
    left = _elapsed(running, now) * (1 - part) / part if part else 0.0
    rest = f", {duration(left)} left" if part < 1 and left >= 1 and (not counted or part > SURE) else ""
    return f"{'' if counted else 'about '}{100 * part:.0f} %{rest}"


def _elapsed(running: dict[str, Any], now: float | None) -> float:
    """Seconds since it began."""
    began = running.get("since") or 0.0
    return max(0.0, (time.time() if now is None else now) - began) if began else 0.0


def again(hold: dict[str, Any], now: float | None = None) -> str:
    """When what is held goes on: by itself after a while, or when a person has done something."""
    if not hold.get("until"):
        return "waits for you"
    left = _left(hold["until"], now)
    if left <= 0:
        return "being tried again"
    return f"{'ends' if hold.get('cause') == 'paused' else 'next try'} in {duration(math.ceil(left))}"


def _left(iso: str, now: float | None) -> float:
    return datetime.fromisoformat(iso).timestamp() - (time.time() if now is None else now)


def failures(failed: list[dict[str, Any]]) -> RenderableType:
    """The rejected files by reason, each path alone on its line, so that it can be copied."""
    by_reason: dict[str, list[str]] = {}
    for entry in failed:
        attempts = entry.get("attempts") or 1
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        by_reason.setdefault(printable(entry["reason"]) + tried, []).append(printable(entry["path"]))
    parts: list[RenderableType] = []
    for reason, paths in list(by_reason.items())[:SHOWN_REASONS]:
        parts += [
            Text.assemble(("rejected ", "red"), (path, "bold"), overflow="fold")
            for path in paths[:SHOWN_PATHS]
        ]
        if (more := len(paths) - SHOWN_PATHS) > 0:
            parts.append(Text(f"and {more} more for the same reason; --json names all"))
        parts.append(Padding(Text(reason), (0, 0, 0, 2), expand=False))
    if (more := len(by_reason) - SHOWN_REASONS) > 0:
        parts.append(Text(f"and {count_of(more, 'more reason')}; --json names all"))
    return Group(*parts)


def _worded(warning: Any) -> str:
    if isinstance(warning, dict):
        return ": ".join(str(warning[key]) for key in ("path", "code", "text") if warning.get(key))
    return str(warning)
