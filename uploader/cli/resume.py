"""`uploader resume`: a pause ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, emit, json_option, settings
from uploader.core.path_text import shown
from uploader.core.pauses import EVERYTHING

if TYPE_CHECKING:
    from uploader.journal import Journal


@click.command("resume")
@config_option
@json_option
@click.argument("folder", required=False, type=click.Path(path_type=bytes))
def command(*, config: str | None, as_json: bool, folder: bytes | None) -> int:
    """End the pause of FOLDER, or every pause."""
    from uploader.cli.journal_change import change
    from uploader.cli.pause import folder_among

    chosen = settings(config, look=False)
    paused = _paused(chosen.state_dir)
    known = dict.fromkeys([*(p for p in paused if p), *(str(f.path) for f in chosen.folders)])
    resumed = None if folder is None else folder_among(folder, known)

    async def alone(journal: Journal) -> dict[str, Any]:
        return {"resumed": await journal.pausing.resumed(resumed)}

    ended = change(chosen.state_dir, "resume", alone, folder=resumed)["resumed"]
    if as_json:
        emit({"resumed": [each or None for each in ended]})
    else:
        click.echo(_words(ended))
    if resumed is not None and not ended and EVERYTHING in paused:
        click.echo(
            "Everything is paused, and this folder with it; `uploader resume` without a folder ends that.",
            err=True,
        )
        return 1
    return 0


def _paused(state_dir: Path) -> list[str]:
    """Which folders are paused; empty text: everything is."""
    from uploader.journal import Reader

    with Reader(state_dir) as reader:
        return [pause.folder for pause in reader.pauses()]


def _words(ended: list[str]) -> str:
    if not ended:
        return "Nothing was paused."
    named = ["everything" if each == EVERYTHING else shown(each) for each in ended]
    return f"Work goes on: {', '.join(named)}."
