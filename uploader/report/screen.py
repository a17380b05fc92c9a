"""The only place that fits a status into a terminal's window: the holds first, whatever else there is no room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from uploader.report.status import below_holds, headline, held_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

NOT_RUNNING = Text("No daemon is running on this state directory.", style="yellow")


def picture(status: dict[str, Any], console: Console, *, now: float | None = None) -> RenderableType:
    """The status for a window of the console's size; what does not fit below the holds is left out."""
    top = [headline(status), *([NOT_RUNNING] if status.get("daemon") == "stopped" else [])]
    lines = [line for text in top for line in text.wrap(console, console.width)]
    holds = [held_line(hold, now) for hold in status.get("holds", ())]
    lines += fitted(holds, console, max(1, console.height - len(lines)))
    return Group(*(_whole(line) for line in lines), *below_holds(status, now=now))


def fitted(texts: Sequence[Text], console: Console, room: int) -> list[Text]:
    """The texts as lines of the console's width, in at most so many: the longest are shortened, none is left out.

    Where there are more texts than lines, the last line tells how many are missing.
    """
    wrapped = [list(text.wrap(console, console.width)) for text in texts]
    if len(wrapped) > room:
        rest = Text(f"and {len(wrapped) - room + 1} more holds; --json names all", style="red")
        return [*(_first_lines(lines, 1, console.width)[0] for lines in wrapped[: room - 1]), rest]
    sizes = [len(lines) for lines in wrapped]
    while sum(sizes) > room:
        sizes[sizes.index(max(sizes))] -= 1
    return [
        line
        for lines, size in zip(wrapped, sizes, strict=True)
        for line in _first_lines(lines, size, console.width)
    ]


def _first_lines(lines: Sequence[Text], size: int, width: int) -> list[Text]:
    """So many of a text's lines; the last one ends with dots where others are missing."""
    kept = [line.copy() for line in lines[:size]]
    if size < len(lines):
        kept[-1].truncate(width - 1)
        kept[-1].append("…")
    return kept


def _whole(line: Text) -> Text:
    line.no_wrap = True
    return line
