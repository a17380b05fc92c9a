"""`uploader retry`: rejected files once more, and at once what is held."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, emit, json_option, settings
from uploader.core.path_text import lossless
from uploader.core.plurals import count_of

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.config import Settings
    from uploader.core.transitions.held_rows import HoldName
    from uploader.journal import Journal


@click.command("retry")
@config_option
@json_option
@click.option("--all", "everything", is_flag=True, help="Every rejected file.")
@click.option("--held", is_flag=True, help="Try now whatever is held or waits for another try.")
@click.option("--hold", metavar="SCOPE[:SUBJECT]", help="The same of one hold, as `status` names it.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=bytes), metavar="[PATH]...")
def command(
    *,
    config: str | None,
    as_json: bool,
    everything: bool,
    held: bool,
    hold: str | None,
    paths: tuple[bytes, ...],
) -> int:
    """Give rejected files another chance: those at the given paths, or all; or try now what is held.

    Where the reason was the platform or the configuration, mend that first. A file that waits for an item which was
    deleted has its scene sent anew. A running daemon goes on with them
    at once, otherwise the next run does. PATH is a file's path, or its path below its drop folder.
    """
    if bool(paths) + everything + held + (hold is not None) != 1:
        raise click.UsageError("Name the files, or say --all, or say --held, or name a hold.")
    name = None if hold is None else _hold_name(hold)
    chosen = settings(config, look=False)
    if held or name is not None:
        return _try_now(chosen.state_dir, name, as_json=as_json)
    wanted = [place for path in paths for place in _places(path, chosen)] if paths else None
    retried = _retry(chosen.state_dir, wanted)
    if as_json:
        emit({"retried": retried})
    else:
        click.echo(f"{count_of(retried, 'file')} will be tried again.")
    if paths and retried < len(paths):
        click.echo(
            f"{len(paths) - retried} of {len(paths)} named: no rejected file is there, nor one that waits for an item "
            "which is gone. `uploader status` lists those.",
            err=True,
        )
        return 1
    return 0


def _hold_name(text: str) -> HoldName:
    from uploader.core.model import Scope
    from uploader.core.transitions.held_rows import HoldName

    scope, _, subject = text.partition(":")
    try:
        return HoldName(Scope(scope), subject)
    except ValueError:
        raise click.UsageError(f"A hold begins with one of: {', '.join(Scope)}.") from None


def _try_now(state_dir: Path, name: HoldName | None, *, as_json: bool) -> int:
    """Whatever is held, or one hold. Where no daemon runs, the next one looks at folders and platform anyway."""
    from uploader.cli.journal_change import change

    async def alone(journal: Journal) -> dict[str, Any]:
        return {"tried": await journal.retrying.tried_now(name)}

    wish = {"held": True} if name is None else {"hold": name._asdict()}
    tried = int(change(state_dir, "retry", alone, **wish)["tried"])
    if as_json:
        emit({"tried": tried})
    else:
        things = "thing that was" if tried == 1 else "things that were"
        click.echo(
            f"{tried} {things} held will be tried now." if tried else "Nothing is held that could be tried."
        )
    return 0


def _places(path: bytes, chosen: Settings) -> set[bytes]:
    """Spell out where a path may be meant: below the current folder, or below any drop folder."""
    folders = [b"", *(os.fsencode(folder.path) for folder in chosen.folders)]
    return {os.path.abspath(os.path.join(folder, path)) for folder in folders}  # noqa: PTH100, PTH118 - bytes


def _retry(state_dir: Path, paths: list[bytes] | None) -> int:
    from uploader.cli.journal_change import change

    async def alone(journal: Journal) -> dict[str, Any]:
        return {"retried": await journal.retrying.retried(paths)}

    told = None if paths is None else [lossless(path) for path in paths]
    return int(change(state_dir, "retry", alone, paths=told)["retried"])
