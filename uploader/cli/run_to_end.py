"""What `demo` and `push` share: the daemon run to its end before a person's eyes, and its results as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from rich.table import Table
from rich.text import Text

from uploader.activity import Activity
from uploader.core.archives import name_of
from uploader.core.byte_sizes import format_size
from uploader.daemon import loop
from uploader.daemon.hard_exit import HardExit
from uploader.daemon.stop_signals import obey
from uploader.report import progress
from uploader.report.terminal_text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from uploader.config import Settings


def run_until_idle(
    settings: Settings, console: Console, told_to_stop: Callable[[], None] = lambda: None
) -> int:
    """Run the daemon until only ends and holds are left, showing how far it is; returns its exit code.

    `told_to_stop` is called when a signal, as Ctrl-C sends, asks for an end before that.
    """
    activity = Activity()

    async def listener(stop: Callable[[], None], cut: Callable[[], None], reload: Callable[[], None]) -> None:
        def stopping() -> None:
            told_to_stop()
            stop()

        await obey(stopping, cut, reload)

    async def go(hard_exit: HardExit) -> int:
        async with anyio.create_task_group() as group:
            group.start_soon(progress.show, console, settings.state_dir, activity)
            code = await loop.run(
                settings,
                until_idle=True,
                activity=activity,
                bound=False,
                hard_exit=hard_exit,
                listener=listener,
            )
            group.cancel_scope.cancel()
        return code

    with HardExit() as hard_exit:
        return anyio.run(go, hard_exit)


def items_table(
    items: list[dict[str, Any]], root: Path | None = None, kinds: dict[str, str] | None = None
) -> Table:
    """Tell what became of each file; `kinds` says by path what it was, paths are shown relative to `root`."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("file", overflow="fold")
    if kinds:
        table.add_column("kind")
    for head in ("size → object", "method", "item"):
        table.add_column(head, no_wrap=True)
    for item in sorted(items, key=lambda item: str(item["path"])):
        path = Path(item["path"])
        name = path.relative_to(root) if root and path.is_relative_to(root) else name_of(str(path))
        kind = (kinds.get(item["path"], ""),) if kinds else ()
        sizes = f"{format_size(item['size'])} → {format_size(item['object_size'])}"
        cells = (name, *kind, sizes, item["method"], item["id"] or "(not known)")
        table.add_row(*(Text(printable(str(cell))) for cell in cells))
    return table
