"""`uploader convert`: the conversion alone, with all that can be said of it, and a picture where one is asked for."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import (
    config_option,
    console,
    declared_options,
    emit,
    json_option,
    say,
    set_up_logs,
)
from uploader.cli.conversion_text import say_line, show, shown_progress
from uploader.core.errors import UploaderError
from uploader.report.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from uploader.convert import Converter, Report

    Told = Callable[[Path, Report | UploaderError], None]
    """Takes what became of one raster."""

_SIDE = 2000
"""Pixels on the longer side of a picture."""


@click.command("convert")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="SRC... DST")
@click.option(
    "--categorical",
    type=click.Choice(("auto", "yes", "no")),
    default="auto",
    show_default=True,
    help="Whether the values are classes, of which no overview makes a mean.",
)
@click.option("--strict", is_flag=True, help="Refuse what a COG cannot carry instead of warning of it.")
@declared_options
@click.option(
    "--preview",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PNG",
    help="Draw SRC and DST side by side: both with the same stretch, nothing as a checkerboard.",
)
@config_option
@json_option
def command(
    *,
    paths: tuple[Path, ...],
    categorical: str,
    strict: bool,
    crs: str,
    nodata: str,
    on_missing_crs: str,
    preview: Path | None,
    config: str | None,
    as_json: bool,
) -> int:
    """Convert the raster SRC to the COG DST, or several rasters into the folder DST, without uploading, and report how.

    Sidecars beside SRC are taken with it. A COG appears whole or not at all; one that is there is replaced. Limits
    and compression are those of the configuration, where one is named with -c.
    """
    set_up_logs(level=logging.WARNING)
    *sources, target = paths
    _require_sources(sources, target)
    wishes = {
        "categorical": categorical,
        "strict": strict,
        "crs": crs,
        "nodata": nodata,
        "on_missing_crs": on_missing_crs,
        "preview": _SIDE if preview else 0,
    }
    if target.is_dir():
        if preview is not None:
            raise click.UsageError("--preview is for one raster and a DST that is no folder.")
        return _all(_targets(sources, target), config, wishes, as_json=as_json)
    (source,) = sources
    _require_writable("DST", target, source)
    if preview is not None:
        _require_writable("PNG", preview, source)
        if preview.absolute() == target.absolute():
            raise click.UsageError("DST and PNG are the same file.")
    report = _one(source, target, preview, config, wishes)
    if as_json:
        emit(report.to_json())
    else:
        show(report, source, target)
        if preview is not None:
            say(console(), f"picture of both: {printable(str(preview))}")
    return 0


def _require_sources(sources: Sequence[Path], target: Path) -> None:
    """Raise UsageError where a raster is missing, or several have no folder to go to."""
    if not sources:
        raise click.UsageError("Name a raster and where its COG goes: SRC DST, or SRC... FOLDER.")
    for source in sources:
        if not source.is_file():
            what = "is a folder" if source.is_dir() else "does not exist"
            raise click.UsageError(f"SRC {source} {what}.")
    if len(sources) > 1 and not target.is_dir():
        raise click.UsageError(f"Several rasters need a folder as DST, and {target} is none. Make it first.")


def _require_writable(what: str, path: Path, source: Path) -> None:
    """Raise UsageError where a file must not appear, or has no folder."""
    if not path.absolute().parent.is_dir():
        raise UploaderError(f"There is no folder {path.absolute().parent}.", "Make it first.")
    if not path.exists():
        return
    from uploader.python.convert_files import unfit

    if why := unfit(source, path):
        raise click.UsageError(f"{what} {path} {why}.")


def _limits(config: str | None) -> tuple[dict[str, Any], int]:
    """What a configuration that is named says of each job, and how many may run at once.

    Without one all is as a job has it, whatever lies around, and the library that reads configurations is not loaded.
    """
    if not config:
        return {}, len(os.sched_getaffinity(0))
    from uploader.config import load

    chosen = load(Path(config), need_folders=False)
    limits = {
        "compression": chosen.convert.compression,
        "effort": chosen.effort,
        "verify": chosen.convert.verify,
        "memory_limit": chosen.convert.memory_limit,
        "timeout_seconds": chosen.convert.timeout_seconds,
        "max_pixels": chosen.limits.max_pixels,
        "max_bands": chosen.limits.max_bands,
    }
    return limits, chosen.convert.processes


def _one(
    source: Path, target: Path, preview: Path | None, config: str | None, wishes: dict[str, Any]
) -> Report:
    import anyio

    from uploader.convert import Converter

    async def go() -> Report:
        async with Converter(1) as converter:
            await converter.warm_up()  # it comes up while the rest is loaded
            from uploader.python.convert_files import converted

            limits = _limits(config)[0]
            try:
                return await converted(
                    converter,
                    source,
                    target,
                    preview=preview,
                    limits=limits,
                    wishes=wishes,
                    progress=shown_progress,
                )
            except UploaderError as error:
                raise UploaderError(f"{source}: {error.reason}", error.way_out) from error

    return anyio.run(go)


def _targets(sources: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Where each raster's COG goes; raises UsageError where two would be one file, or one its own source."""
    targets: dict[Path, Path] = {}
    for source in sources:
        target = folder / f"{source.stem}.tif"
        twin = next((other for other, taken in targets.items() if taken == target and other != source), None)
        if twin is not None:
            raise click.UsageError(f"{source} and {twin} would both become {target}.")
        _require_writable("DST", target, source)
        targets[source] = target
    return targets


def _many(targets: Mapping[Path, Path], config: str | None, wishes: dict[str, Any], told: Told) -> None:
    """Convert all, as many at once as the configuration says; each is told when it is done."""
    import anyio

    from uploader.convert import Converter

    async def one(
        converter: Converter, limits: dict[str, Any], turns: anyio.CapacityLimiter, source: Path
    ) -> None:
        from uploader.python.convert_files import converted

        async with turns:
            try:
                done = await converted(
                    converter,
                    source,
                    targets[source],
                    preview=None,
                    limits=limits,
                    wishes=wishes,
                    progress=lambda *_: nullcontext(),
                )
            except UploaderError as error:
                told(source, error)
            else:
                told(source, done)

    async def go() -> None:
        async with Converter(len(targets)) as converter:
            await converter.warm_up()  # it comes up while the rest is loaded
            limits, processes = _limits(config)
            turns = anyio.CapacityLimiter(min(len(targets), processes))
            async with anyio.create_task_group() as group:
                for source in targets:
                    group.start_soon(one, converter, limits, turns, source)

    anyio.run(go)


def _all(targets: Mapping[Path, Path], config: str | None, wishes: dict[str, Any], *, as_json: bool) -> int:
    """Convert all, tell each, and return the exit code."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []

    def told(source: Path, outcome: Report | UploaderError) -> None:
        if isinstance(outcome, UploaderError):
            failed.append({"source": str(source), "reason": str(outcome)})
            say(console(as_json=True), f"{printable(str(source))}: {printable(str(outcome))}", style="red")
            return
        done.append({"source": str(source), "target": str(targets[source]), **outcome.to_json()})
        if not as_json:
            say_line(outcome, source, targets[source])

    _many(targets, config, wishes, told)
    if as_json:
        emit({"converted": done, "failed": failed})
    elif failed:
        say(console(), f"{len(done)} of {len(targets)} rasters became COGs.")
    return 1 if failed else 0
