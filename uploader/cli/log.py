"""`uploader log`: one file's story."""

from __future__ import annotations

import os
from typing import Any

import click

from uploader.cli.common import config_option, console, emit, json_option, settings


@click.command("log")
@config_option
@json_option
@click.argument("path", type=click.Path(path_type=bytes))
def command(*, config: str | None, as_json: bool, path: bytes) -> int:
    """Tell the whole story of the file at PATH, every version of it.

    PATH is the file's path, or its path below its drop folder.
    """
    from uploader.journal import Reader

    with Reader(settings(config).state_dir) as reader:
        events = reader.story(path) or reader.story(os.path.abspath(path))  # noqa: PTH100 - names are bytes
    if as_json:
        emit({"path": os.fsdecode(path), "events": events})
    elif events:
        _show(events)
    if not events:
        click.echo("The journal knows no file at this path.", err=True)
    return 0 if events else 1


def _show(events: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from uploader.report.text import printable

    table = Table("time (UTC)", "version", "event", "state", "note", box=None, pad_edge=False)
    for event in events:
        cells = (event["time"], event["version"], event["event"], event["state"], event["note"] or "")
        table.add_row(*(Text(printable(str(cell)), overflow="fold") for cell in cells))
    console().print(table)
