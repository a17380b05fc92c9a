"""`uploader log`: the story of a file, or of several."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, console, emit, json_option, say, settings
from uploader.core.path_text import lossless

if TYPE_CHECKING:
    from rich.table import Table


@click.command("log")
@config_option
@json_option
@click.argument("what", type=click.Path(path_type=bytes), metavar="PATH|PATTERN|ITEM|SESSION")
def command(*, config: str | None, as_json: bool, what: bytes) -> int:
    """Tell the whole story of a file, every version of it, or of several.

    PATH is the file's path, or its path below its drop folder; PATTERN the same with * and ?, in quotes. ITEM is the id
    of an item, SESSION the id of an upload session, or its number in the log.
    """
    from uploader.journal import Reader, stories

    with Reader(settings(config, look=False).state_dir) as reader:
        asked = stories.asked_for(reader.db, [what, os.path.abspath(what)])  # noqa: PTH100 - names are bytes
        events = stories.story(reader.db, asked)
        items = stories.items_of(reader.db, asked.files)
        near = [] if asked.kind else stories.nearest(reader.db, what)
    if as_json:
        emit({"path": lossless(what), "kind": asked.kind or None, "events": events, "items": items})
    else:
        _show(events, items)
    if not asked.kind:
        click.echo(unknown(near), err=True)
    return 0 if asked.kind else 1


def unknown(near: list[str]) -> str:
    """What to say of a path that the journal does not know, given paths that are spelled much like it."""
    from uploader.report.terminal_text import printable

    text = "The journal knows no file at this path. Give it whole, or as it is below its drop folder."
    return f"{text} Near is: {', '.join(map(printable, near))}." if near else text


def _show(events: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
    from uploader.report.terminal_text import printable

    screen = console()
    told: dict[tuple[str, str] | int, list[dict[str, Any]]] = {}
    for event in events:
        own = event["file"] is None
        told.setdefault(event["session"] if own else (event["folder"], event["path"]), []).append(event)
    for whose, entries in told.items():
        title = f"session {whose}" if isinstance(whose, int) else printable(str(Path(*whose)))
        say(screen, title, style="bold")
        screen.print(_table(entries))
    for item in items:
        archived = f", its source lies at {printable(item['archived_as'])}" if item["archived_as"] else ""
        say(screen, f"item {item['id']}{archived}")


def _table(events: list[dict[str, Any]]) -> Table:
    """Narrow enough for 80 columns: the day is told where it changes, the version where there are several."""
    from rich.table import Table
    from rich.text import Text

    from uploader.report.terminal_text import moment, printable

    versions = len({event["version"] for event in events}) > 1
    table = Table(box=None, pad_edge=False)
    for head in ("day", "time", *(["version"] if versions else []), "event", "state"):
        table.add_column(head, no_wrap=True)
    table.add_column("note", overflow="fold")
    before = ""
    for event in events:
        day, clock = moment(event["time"])
        version = [str(event["version"])] if versions else []
        table.add_row(
            day if day != before else "",
            clock,
            *version,
            event["event"],
            event["state"],
            Text(printable(event["note"] or "")),
        )
        before = day
    return table
