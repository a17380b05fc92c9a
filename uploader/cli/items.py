"""`uploader items`: the receipts of what was done."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, settings, unfinished
from uploader.core.lifecycle import ITEMS
from uploader.core.moments import parse_since

if TYPE_CHECKING:
    from uploader.journal.sqlite_library import Database

STATES = click.Choice([state.value for state in sorted(ITEMS)])


def since(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """What a person writes for a moment, in unix seconds."""
    if value is None:
        return None
    try:
        return parse_since(value, time.time())
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


@click.command("items")
@config_option
@click.option(
    "--since", callback=since, metavar="T", help='Completed from then on: "2h", "7d", "2026-11-28".'
)
@click.option("--folder", default="", metavar="DIR", help="Of this drop folder.")
@click.option("--project", default="", metavar="ID", help="Of this project.")
@click.option(
    "--state",
    type=STATES,
    help="completed: the source is there; disposed: it is put away.",
)
@click.option("--json", "form", flag_value="json", help="A JSON object a line.")
@click.option("--csv", "form", flag_value="csv", help="A table by RFC 4180.")
@click.option("--stac", "form", flag_value="stac", help="A STAC item collection.")
def command(
    *,
    config: str | None,
    since: float | None,
    folder: str,
    project: str,
    state: str | None,
    form: str | None,
) -> int:
    """Tell which item each file became.

    A line for each file, the earliest first; with --json, --csv or --stac everything that is known of it. Works beside
    a running daemon and without one, for any number of files.
    """
    from uploader.journal import Reader
    from uploader.journal.receipt_rows import Selection

    given = settings(config, look=False)
    where = str(Path(folder).absolute()) if folder else ""
    chosen = Selection(since, where, project, state or "")
    with Reader(given.state_dir) as reader, unfinished("\n], ") if form == "stac" else nullcontext():
        for piece in _pieces(reader.db, chosen, form, given.platform.base_url):
            sys.stdout.write(piece)
    sys.stdout.flush()
    return 0


def _pieces(db: Database, chosen: Any, form: str | None, base_url: str) -> Iterable[str]:
    """The text to print, piece by piece."""
    from uploader.journal.receipt_rows import by_item, by_time
    from uploader.report.receipts import csv_table, stac_items, text_lines

    match form:
        case "json":
            return _json_lines(by_time(db, chosen))
        case "csv":
            return csv_table.lines(by_time(db, chosen))
        case "stac":
            return stac_items.pieces(by_item(db, chosen), base_url)
        case _:
            return text_lines.lines(by_time(db, chosen))


def _json_lines(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    from uploader.core.receipt_document import document

    for row in found:
        yield json.dumps(document(row)) + "\n"
