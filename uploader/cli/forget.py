"""`uploader forget`: what will never come back is taken off the list."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, emit, json_option, settings
from uploader.core.path_text import lossless, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from uploader.journal import Journal, Reader

AT_ONCE = 1000
"""Files of one request, which is one transaction."""

LISTED = 20
"""Refused files that are told to a person one by one."""


@click.command("forget")
@config_option
@json_option
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=bytes), metavar="PATH...")
def command(*, config: str | None, as_json: bool, paths: tuple[bytes, ...]) -> int:
    """Give up what will never come back: files of a lost disk, or rejected ones that are gone.

    PATH is a file, a folder with all below it, or a pattern in quotes; whole, or as it is below its drop folder. What
    still lies there, or is in an open upload session, is refused. A file that appears there later is a new one.
    """
    from uploader.cli.log import unknown
    from uploader.journal import Reader, stories

    if not all(path.strip(b"/") for path in paths):
        raise click.UsageError("An empty path, or /, would mean everything; name the files or their folder.")
    state_dir = settings(config, look=False).state_dir
    with Reader(state_dir) as reader:
        known, strange = _known(reader, paths)
        near = [place for path in strange for place in stories.nearest(reader.db, path)]
    refused, free = _looked_for(known)
    forgotten = _forget(state_dir, free, refused)
    told = [{"path": shown(known[file_id]), "reason": reason} for file_id, reason in refused.items()]
    if as_json:
        emit({"forgotten": forgotten, "refused": told, "unknown": [lossless(path) for path in strange]})
    else:
        click.echo(f"{forgotten} {'file is' if forgotten == 1 else 'files are'} forgotten.")
    _complain(told)
    if strange:
        click.echo(f"{', '.join(map(shown, strange))}: {unknown(near)}", err=True)
    return 1 if refused or strange else 0


def _known(reader: Reader, paths: Iterable[bytes]) -> tuple[dict[int, bytes], list[bytes]]:
    """The files that are meant, each with its whole path, and the paths that nobody knows."""
    from uploader.journal import stories

    known: dict[int, bytes] = {}
    strange = []
    for path in paths:
        found = stories.listed_at(reader.db, [path, os.path.abspath(path)])  # noqa: PTH100 - names are bytes
        known |= found
        strange += [] if found else [path]
    return known, strange


def _looked_for(known: dict[int, bytes]) -> tuple[dict[int, str], list[int]]:
    """Which of the files cannot be given up, and why; and those that are not there."""
    from uploader.folders.still_there import still_there

    found = {file_id: still_there(path) for file_id, path in known.items()}
    refused = {file_id: reason for file_id, reason in found.items() if reason}
    return refused, [file_id for file_id in found if file_id not in refused]


def _forget(state_dir: Path, file_ids: list[int], refused: dict[int, str]) -> int:
    """Forget them, some at a time; who is refused is added. Returns how many are forgotten."""
    from uploader.cli.journal_change import change

    forgotten, rest = 0, iter(file_ids)
    while some := list(islice(rest, AT_ONCE)):

        async def alone(journal: Journal, some: list[int] = some) -> dict[str, Any]:
            found = await journal.forgetting.forget(some)
            return {"forgotten": len(found.files), "refused": list(found.refused.items())}

        answer = change(state_dir, "forget", alone, files=some)
        forgotten += answer["forgotten"]
        refused |= dict(answer["refused"])
    return forgotten


def _complain(refused: list[dict[str, str]]) -> None:
    from uploader.report.terminal_text import printable

    for one in refused[:LISTED]:
        click.echo(f"{printable(one['path'])} is not forgotten: {one['reason']}.", err=True)
    if len(refused) > LISTED:
        click.echo(f"So it is with {len(refused) - LISTED} more.", err=True)
