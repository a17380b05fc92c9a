"""The only place that shows work while it is under way: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import anyio
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from uploader.core.byte_sizes import format_size
from uploader.core.errors import JournalError
from uploader.journal import Reader
from uploader.report.status import SHOWN_RUNNING, VERBS, expected_end_text, fraction, share
from uploader.report.summary_line import summary
from uploader.report.terminal_text import duration, printable
from uploader.system import threads

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType

    from uploader.activity import Activity, Running

FRAME = 0.25
"""Seconds between two pictures on a terminal."""
LINE = 2.0
"""Seconds between two lines elsewhere, and to the first; a line that says nothing new is left out."""
BAR = 24
"""Columns of a bar: with the words beside it, it fits into 80."""


class _Looks:
    """The status of the journal, read again only where something was committed since."""

    def __init__(self, state_dir: Path, activity: Activity) -> None:
        self._state_dir = state_dir
        self._activity = activity
        self._commits = -1
        self._status: dict[str, Any] = {}

    async def status(self) -> dict[str, Any]:
        """As of the last commit, or one that is just being made."""
        commits = self._activity.commits
        if commits != self._commits:
            self._status = await threads.run_sync(_look, self._state_dir)
            self._commits = commits
        return self._status


async def show(console: Console, state_dir: Path, activity: Activity) -> None:
    """Show how far the daemon of this process is, until cancelled.

    Reads the journal beside it; a journal that is not there yet is not an error. What ended before this began is
    not counted.
    """
    looks = _Looks(state_dir, activity)
    before = await looks.status()
    if not console.is_terminal:
        await _lines(console, looks, before)
        return
    started = time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            status = _since(before, await looks.status())
            rate = activity.bytes_sent / max(time.monotonic() - started, 1)
            live.update(_picture(status, activity.snapshot(), rate), refresh=True)
            await anyio.sleep(FRAME)


async def _lines(console: Console, looks: _Looks, before: dict[str, Any]) -> None:
    said = ""
    while True:
        await anyio.sleep(LINE)
        line = summary(_since(before, await looks.status()))
        if line != said:
            console.print(Text(line), soft_wrap=True)
            said = line


def _look(state_dir: Path) -> dict[str, Any]:
    try:
        with Reader(state_dir) as reader:
            return reader.status()
    except JournalError:
        return {}


def _since(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Count only what ended since `before`, and only holds that are new or were confirmed since."""
    ended: dict[str, Any] = {
        name: max(0, now.get(name, 0) - before.get(name, 0))
        for name in ("completed", "rejected")
        if name in now
    }
    known = [_as_entered(hold) for hold in before.get("holds", ())]
    holds = [hold for hold in now.get("holds", ()) if _as_entered(hold) not in known]
    return {**now, **ended, **_bytes_since(before, now), "holds": holds}


def _bytes_since(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    if "bytes" not in now:
        return {}
    uploaded = now["bytes"]["uploaded"] - (before.get("bytes") or {}).get("uploaded", 0)
    return {"bytes": {**now["bytes"], "uploaded": max(0, uploaded)}}


def _as_entered(hold: dict[str, Any]) -> tuple[Any, ...]:
    """What changes of a hold when it is confirmed, and not when more files wait for it."""
    return tuple(hold.get(name) for name in ("scope", "cause", "subject", "since", "until"))


def _picture(
    status: dict[str, Any], running: list[Running], rate: float, now: float | None = None
) -> RenderableType:
    """Render one frame: what is done of all, and what is under way. `now` in unix seconds."""
    now = time.time() if now is None else now
    ended = status.get("completed", 0) + status.get("rejected", 0)
    table = Table.grid(padding=(0, 1), expand=False)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_row(
        Text("files"),
        ProgressBar(total=max(ended + status.get("pending", 0), 1), completed=ended, width=BAR),
        Text(f"{summary(status)}{expected_end_text(status)}"),
    )
    amounts = status.get("bytes") or {"uploaded": 0, "pending": 0}
    whole = amounts["uploaded"] + amounts["pending"]
    sent = min(whole, amounts["uploaded"] + sum(one.done for one in running if one.kind == "put"))
    if whole:
        words = f"{format_size(sent)} of {format_size(whole)}{_speed_and_end(status, rate, now)}"
        table.add_row(Text("bytes"), ProgressBar(total=whole, completed=sent, width=BAR), Text(words))
    for one in running[:SHOWN_RUNNING]:
        part = fraction(asdict(one), now)
        bar = ProgressBar(total=1.0, completed=part or 0.0, width=BAR, pulse=part is None)
        words = ", ".join(filter(None, (share(asdict(one), now), _pace(one, now), printable(one.subject))))
        table.add_row(Text(VERBS.get(one.kind, one.kind)), bar, Text(words))
    return Group(table)


def _speed_and_end(status: dict[str, Any], rate: float, now: float) -> str:
    """Rate and time left of all, as far as they are known."""
    speed = f", {format_size(rate)}/s" if rate else ""
    left = datetime.fromisoformat(status["eta"]).timestamp() - now if status.get("eta") else 0.0
    return f"{speed}, {duration(left)} left" if left >= 1 else speed


def _pace(one: Running, now: float) -> str:
    """How fast something goes whose bytes are counted."""
    seconds = now - one.since
    return f"{format_size(one.done / seconds)}/s" if one.done and one.since and seconds >= 1 else ""
