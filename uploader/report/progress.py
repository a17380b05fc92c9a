"""The only place that shows work while it is under way: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from uploader.core.errors import JournalError
from uploader.core.sizes import format_size
from uploader.journal import Reader
from uploader.report.status import summary
from uploader.report.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType

    from uploader.activity import Activity, Running

FRAME = 0.25
"""Seconds between two pictures on a terminal."""
LINE = 2.0
"""Seconds between two lines elsewhere; a line that says nothing new is left out."""
ROWS = 10
"""Things under way that are shown at once."""

VERBS = {
    "claim": "reading",
    "convert": "converting",
    "put": "uploading",
    "call": "asking",
    "dispose": "putting away",
}
"""By the kind of an activity, what a person would call it."""


async def show(console: Console, state_dir: Path, activity: Activity) -> None:
    """Show how far the daemon of this process is, until cancelled.

    Reads the journal beside it; a journal that is not there yet is not an error.
    """
    if not console.is_terminal:
        await _lines(console, state_dir)
        return
    started = time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            status = await anyio.to_thread.run_sync(_look, state_dir)
            rate = activity.bytes_sent / max(time.monotonic() - started, 1)
            live.update(_picture(status, activity.snapshot(), rate), refresh=True)
            await anyio.sleep(FRAME)


async def _lines(console: Console, state_dir: Path) -> None:
    said = ""
    while True:
        line = summary(await anyio.to_thread.run_sync(_look, state_dir))
        if line != said:
            console.print(Text(line))
            said = line
        await anyio.sleep(LINE)


def _look(state_dir: Path) -> dict[str, Any]:
    try:
        with Reader(state_dir) as reader:
            return reader.status()
    except JournalError:
        return {}


def _picture(status: dict[str, Any], running: list[Running], rate: float) -> RenderableType:
    """Render one frame: what is done of all, and what is under way."""
    ended = status.get("completed", 0) + status.get("rejected", 0)
    table = Table.grid(padding=(0, 2))
    table.add_row(
        Text("files"),
        ProgressBar(total=max(ended + status.get("pending", 0), 1), completed=ended, width=30),
        Text(f"{summary(status)}  {format_size(rate)}/s"),
    )
    for one in running[:ROWS]:
        bar = ProgressBar(total=one.total or None, completed=one.done, width=30, pulse=not one.total)
        table.add_row(Text(VERBS.get(one.kind, one.kind)), bar, Text(printable(one.subject)))
    return Group(table)
