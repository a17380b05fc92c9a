"""What several commands share: their common options, and how they print."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from uploader.core import declared_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from uploader.config import Settings

PLAIN_WIDTH = 120
"""Columns where there is no terminal that has a number of its own: a table in a file or a mail."""

FINISHING = "Finishing what is being sent; Ctrl-C again ends at once."
"""What is told to a person who has ended an upload."""

OUTCOMES = (
    "uploader.daemon.loop",
    "uploader.effects",
    "uploader.folders.folder_files",
    "uploader.daemon.hold_ledger",
)
"""Rooms whose warnings are about rejected files and holds, which a result names anyway."""

config_option = click.option(
    "-c",
    "--config",
    metavar="FILE",
    help="The configuration; else $UPLOADER_CONFIG, ./config.toml, ~/.config/uploader/config.toml, "
    "/etc/uploader/config.toml.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


@contextmanager
def unfinished(ending: str) -> Iterator[None]:
    """While a JSON object is printed in pieces: what ends it, up to its last member, should an error come in between.

    Then the error is that member, and what was printed is one whole object all the same.
    """
    options = click.get_current_context().obj
    options["ending"] = ending
    yield
    options["ending"] = ""


def _checked(read: Callable[[str], str]) -> Callable[[click.Context, click.Parameter, str], str]:
    """Make a callback of what reads a text, and says of a wrong one what to write."""

    def callback(_: click.Context, __: click.Parameter, value: str) -> str:
        try:
            return read(value)
        except ValueError as error:
            raise click.BadParameter(f"{value!r} {error}.") from error

    return callback


def declared_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add what a person may declare for rasters that do not say it themselves."""
    options = (
        click.option(
            "--crs",
            default="",
            metavar="CRS",
            callback=_checked(declared_values.crs_text),
            help='The reference system of rasters that have none: "EPSG:25832", WKT or a PROJ string.',
        ),
        click.option(
            "--nodata",
            default="",
            metavar="N",
            callback=_checked(declared_values.nodata_text),
            help="The nodata value of rasters that have no nodata value, mask or alpha.",
        ),
        click.option(
            "--on-missing-crs",
            type=click.Choice(declared_values.ON_MISSING_CRS),
            default="warn",
            show_default=True,
            help="What becomes of a raster without a reference system.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def settings(config: str | None, *, need_folders: bool = True, look: bool = True) -> Settings:
    """Read the configuration that the option, or its fallbacks, name.

    Without `look` its folders are not looked at: who asks a running daemon is answered though a disk hangs.
    """
    from uploader.config import find, load

    return load(find(config), need_folders=need_folders, look=look)


def emit(value: dict[str, Any]) -> None:
    """Print the one JSON object of `--json`. ASCII only, so that broken file names survive any pipe."""
    click.echo(json.dumps(value, indent=2))


def console(*, as_json: bool = False) -> Console:
    """Where people's text goes: standard output, or standard error where that is kept for JSON."""
    from rich.console import Console

    screen = Console(stderr=as_json, highlight=False, markup=False, emoji=False)
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen.width = PLAIN_WIDTH
    return screen


def say(screen: Console, text: str, style: str = "") -> None:
    """Print one sentence as it is, without folding it."""
    screen.print(text, style=style, soft_wrap=True)


def set_up_logs(*, level: int = logging.INFO, told: tuple[str, ...] = ()) -> None:
    """Send the log to standard error; `--debug` makes it tell everything.

    What the rooms `told` would warn of is left out: the command tells it in its result.
    """
    from uploader.report import logs

    ctx = click.get_current_context(silent=True)
    debug = ctx is not None and (ctx.find_root().obj or {}).get("debug")
    logs.set_up(logging.DEBUG if debug else level)
    for room in told:
        logging.getLogger(room).setLevel(logging.NOTSET if debug else logging.ERROR)
