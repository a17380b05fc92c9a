"""`uploader pause`: nothing new is begun, for a folder or for all."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, emit, json_option, settings
from uploader.core.durations import parse_duration
from uploader.core.errors import UploaderError
from uploader.core.path_text import lossless, shown
from uploader.core.pauses import EVERYTHING

if TYPE_CHECKING:
    from uploader.journal import Journal


def _seconds(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


@click.command("pause")
@config_option
@json_option
@click.option(
    "--for",
    "seconds",
    metavar="DURATION",
    callback=_seconds,
    help="End it by itself after this time: 90s, 30m, 2h, 1h30m, 2d.",
)
@click.argument("folder", required=False, type=click.Path(path_type=bytes))
def command(*, config: str | None, as_json: bool, seconds: float | None, folder: bytes | None) -> int:
    """Begin no new file of FOLDER, or of any folder, until it is resumed.

    What is being copied, converted or sent is finished, and upload sessions that are open are completed. The pause is
    told as a hold and survives restarts.
    """
    from uploader.cli.journal_change import change

    chosen = settings(config, look=False)
    paused = EVERYTHING if folder is None else folder_among(folder, [str(f.path) for f in chosen.folders])

    async def alone(journal: Journal) -> dict[str, Any]:
        from uploader.core.moments import iso

        return {"until": iso(await journal.pausing.paused(paused, seconds))}

    answer = change(chosen.state_dir, "pause", alone, folder=paused, seconds=seconds)
    if as_json:
        emit({"paused": paused or None, "until": answer["until"]})
        return 0
    until = (
        "until `uploader resume` ends it" if answer["until"] is None else f"until {_local(answer['until'])}"
    )
    click.echo(f"{shown(paused) if paused else 'Everything'} is paused {until}.")
    return 0


def folder_among(path: bytes, known: Collection[str]) -> str:
    """Find the drop folder that a person means by a path. Raises UploaderError, with what is near, for any other."""
    import difflib

    meant = lossless(os.path.abspath(path))  # noqa: PTH100 - names are bytes
    if meant in known:
        return meant
    near = difflib.get_close_matches(meant, known, n=3, cutoff=0.0)
    raise UploaderError(
        f"{shown(meant)} is no drop folder of this configuration.",
        f"Those are, the nearest first: {', '.join(near)}.",
    )


def _local(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
