"""`uploader log`: one file's story."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, console, emit, json_option, say, settings
from uploader.core.path_text import lossless

if TYPE_CHECKING:
    from rich.table import Table

    from uploader.journal import Reader


@click.command("log")
@config_option
@json_option
@click.argument("path", type=click.Path(path_type=bytes))
def command(*, config: str | None, as_json: bool, path: bytes) -> int:
    """Tell the whole story of the file at PATH, every version of it.

    PATH is the file's path, or its path below its drop folder.
    """
    from uploader.journal import Reader

    with Reader(settings(config, look=False).state_dir) as reader:
        events = reader.story(path) or reader.story(os.path.abspath(path))  # noqa: PTH100 - names are bytes
        items = _items(reader, events)
    if as_json:
        emit({"path": lossless(path), "events": events, "items": items})
    else:
        _show(events, items)
    if not events:
        text = "The journal knows no file at this path. Give it whole, or as it is below its drop folder."
        click.echo(text, err=True)
    return 0 if events else 1


def _items(reader: Reader, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Find what the versions of the file became."""
    told = {event["file"] for event in events}
    return [
        {"id": file["item_id"], "path": file["path"], "archived_as": file["archived_as"]}
        for file in reader.files()
        if file["id"] in told and file["item_id"]
    ]


def _show(events: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
    from uploader.report.terminal_text import printable

    screen = console()
    for folder, path in dict.fromkeys((event["folder"], event["path"]) for event in events):
        say(screen, printable(str(Path(folder, path))), style="bold")
        screen.print(
            _table([event for event in events if (event["folder"], event["path"]) == (folder, path)])
        )
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
