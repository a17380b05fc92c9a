"""`uploader plan`: what would become of the files in the folders, before anything is sent."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uploader.cli.common import config_option, console, say, set_up_logs, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from uploader.config import Settings
    from uploader.lookahead.planned_file import PlannedFile
    from uploader.lookahead.sums import PlanSums


@click.command("plan")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, metavar="[PATH]...")
@config_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print a line of JSON for each file, and one with the sums."
)
def command(*, paths: tuple[Path, ...], config: str | None, as_json: bool) -> int:
    """Tell what would become of each file in the drop folders, or at or below these paths; nothing is sent or changed.

    Of each raster only the head is read, in a confined process. What has been uploaded before is not looked up. 1 when
    a file would be refused, or could not be looked into.
    """
    import anyio

    from uploader.daemon.live_profile import fitted, load
    from uploader.lookahead.sums import PlanSums

    set_up_logs(level=logging.WARNING)
    chosen = settings(config)
    chosen = fitted(chosen, load(chosen).traits)
    sums = PlanSums(chosen)
    anyio.run(_all, chosen, paths, sums, _as_json if as_json else _as_text)
    if as_json:
        click.echo(json.dumps({"sums": sums.to_json()}))
    else:
        from uploader.cli.plan_text import sentences

        for sentence in sentences(sums, chosen, paths):
            say(console(), sentence)
    return 1 if sums.verdicts["refused"] or sums.verdicts["failed"] else 0


async def _all(
    chosen: Settings, paths: tuple[Path, ...], sums: PlanSums, tell: Callable[[PlannedFile], None]
) -> None:
    from contextlib import aclosing

    from uploader.convert import Converter
    from uploader.lookahead.plan import planned

    async with (
        Converter(chosen.convert.processes) as converter,
        aclosing(planned(chosen, paths, converter)) as files,
    ):
        async for file in files:
            tell(sums.counted(file))


def _as_json(file: PlannedFile) -> None:
    click.echo(json.dumps(file.to_json()))


def _as_text(file: PlannedFile) -> None:
    from uploader.cli.plan_text import line

    say(console(), line(file))
