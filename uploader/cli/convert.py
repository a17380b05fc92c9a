"""`uploader convert`: the conversion alone, with all that can be said of it, and a picture where one is asked for."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
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
from uploader.core.errors import NoSpace, RasterUnreadable, SourceUnreadable, UploaderError
from uploader.report.terminal_text import printable
from uploader.system import files as fs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.config import Settings
    from uploader.convert import Job, Report

_SIDE = 2000
"""Pixels on the longer side of a picture."""


@click.command("convert")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SRC")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), metavar="DST")
@click.option("--categorical", type=click.Choice(("auto", "yes", "no")), default="auto", show_default=True)
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
    source: Path,
    target: Path,
    categorical: str,
    strict: bool,
    crs: str,
    nodata: str,
    on_missing_crs: str,
    preview: Path | None,
    config: str | None,
    as_json: bool,
) -> int:
    """Convert the raster SRC to the COG DST, without uploading it, and report how.

    Sidecars beside SRC are taken with it. DST appears whole or not at all; one that is there is replaced. Limits
    and compression are those of the configuration, where one is named with -c.
    """
    set_up_logs(level=logging.WARNING)
    _require_writable("DST", target, source)
    if preview is not None:
        _require_writable("PNG", preview, source)
        if preview.absolute() == target.absolute():
            raise click.UsageError("DST and PNG are the same file.")
    wishes = {
        "categorical": categorical,
        "strict": strict,
        "crs": crs,
        "nodata": nodata,
        "on_missing_crs": on_missing_crs,
        "preview": _SIDE if preview else 0,
    }
    report = _convert(source, target, preview, _settings(config), wishes)
    if as_json:
        emit(report.to_json())
    else:
        _show(report, source, target)
        if preview is not None:
            say(console(), f"picture of both: {printable(str(preview))}")
    return 0


def _require_writable(what: str, path: Path, source: Path) -> None:
    """Raise UsageError where a file must not appear, or has no folder."""
    if not path.absolute().parent.is_dir():
        raise UploaderError(f"There is no folder {path.absolute().parent}.", "Make it first.")
    if path.exists() and path.samefile(source):
        raise click.UsageError(f"SRC and {what} are the same file.")
    if path.exists() and not path.is_file():
        raise click.UsageError(
            f"{what} {path} is a device, a pipe or a socket, which a file must not replace."
        )


def _settings(config: str | None) -> Settings:
    """Take the limits of a configuration that is named; otherwise the defaults, whatever lies around."""
    from uploader.config import Settings, load

    return load(Path(config), need_folders=False) if config else Settings()


def _convert(
    source: Path, target: Path, preview: Path | None, chosen: Settings, wishes: dict[str, Any]
) -> Report:
    import anyio

    from uploader.convert import Converter, Job
    from uploader.convert.write.publish import preview_of

    async def go(job: Job) -> Report:
        converter = Converter(1)
        try:
            with _shown_progress(job, source):
                return await converter.convert(job)
        finally:
            await converter.aclose()

    with _workspace(target) as room:
        copy = _copy_group(source, room / "in")
        job = Job(
            source=copy,
            target=room / "out.tif",
            compression=chosen.convert.compression,
            verify=chosen.convert.verify,
            max_pixels=chosen.limits.max_pixels,
            max_bands=chosen.limits.max_bands,
            min_free_bytes=0,
            memory_limit=chosen.convert.memory_limit,
            timeout=chosen.convert.timeout_seconds,
            name=printable(source.name),
            **wishes,
        )
        try:
            report = anyio.run(go, job)
        except RasterUnreadable as error:
            raise _broken_off(copy) or error from error
        _publish(job.target, target)
        if preview is not None:
            _publish(preview_of(job.target), preview)
    return report


@contextmanager
def _shown_progress(job: Job, source: Path) -> Iterator[None]:
    """On a terminal: a line that tells how long it takes and how much is written."""
    from rich.live import Live

    from uploader.core.byte_sizes import format_size
    from uploader.report.terminal_text import duration

    screen, started = console(as_json=True), time.monotonic()

    def line() -> str:
        written = sum(path.stat().st_size for path in job.target.parent.rglob("*") if path.is_file())
        written -= sum(path.stat().st_size for path in job.source.parent.iterdir())
        spent = duration(round(time.monotonic() - started))
        return f"converting {printable(source.name)}: {spent}, {format_size(max(0, written))} written"

    def careful() -> str:
        with suppress(OSError):  # files come and go meanwhile
            return line()
        return ""

    if not screen.is_terminal:
        yield
        return
    with Live(get_renderable=careful, console=screen, refresh_per_second=2, transient=True):
        yield


@contextmanager
def _workspace(target: Path) -> Iterator[Path]:
    """Make a private folder beside the target, so that the result can be renamed into place."""
    parent = target.absolute().parent
    if not parent.is_dir():
        raise UploaderError(f"There is no folder {parent}.", "Make it first.")
    try:
        room = tempfile.TemporaryDirectory(prefix=".uploader-convert-", dir=parent)
    except OSError as error:
        reason = f"Nothing can be written into {parent}: {error.strerror}."
        raise UploaderError(reason, "Name another DST.") from error
    with room as path:
        yield Path(path)


def _copy_group(source: Path, room: Path) -> Path:
    """Copy the raster and its sidecars under safe names; returns the raster's copy."""
    from uploader.core.file_group import copy_names
    from uploader.core.naming import sidecar_suffix

    room.mkdir(mode=0o700)
    name = os.fsencode(source.name)
    try:
        with os.scandir(source.absolute().parent) as entries:
            beside = {
                suffix: Path(entry.path)
                for entry in entries
                if (suffix := sidecar_suffix(name, os.fsencode(entry.name)))
                and entry.is_file(follow_symlinks=False)
            }
        copies = [
            room / copy for copy in copy_names(name, [(s, file.stat().st_size) for s, file in beside.items()])
        ]
        for file, copy in zip((source, *beside.values()), copies, strict=True):
            shutil.copyfile(file, copy)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace(
                f"There is no room beside DST for a copy of {source}.", "Name another DST."
            ) from error
        raise SourceUnreadable(f"{source} cannot be read: {error.strerror}.", "Check its rights.") from error
    return copies[0]


def _broken_off(copy: Path) -> RasterUnreadable | None:
    """Say of a file whose end is missing that it is; GDAL would speak of directories and offsets."""
    from uploader.folders import extent

    found, size = extent(str(copy)), copy.stat().st_size
    if found.whole is not False or not size:
        return None
    reason = f"The file ends too early: it has {size:,} bytes, its TIFF directory needs {found.needs:,}."
    return RasterUnreadable(reason, "Copy it again.")


def _publish(result: Path, target: Path) -> None:
    """Let a finished file appear under its name; it may have to come from another disk."""
    result.chmod(0o666 & ~_umask())
    try:
        result.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise UploaderError(f"{target} cannot be written: {error.strerror}.") from error
        near = target.with_name(f".{target.name}.part")
        shutil.copyfile(result, near)
        near.replace(target)
    fs.sync_directory(target.absolute().parent)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _show(report: Report, source: Path, target: Path) -> None:
    from rich.table import Table

    from uploader.core.byte_sizes import format_size

    screen = console()
    sizes = f"{format_size(source.stat().st_size)} → {format_size(target.stat().st_size)}"
    kind = "categorical" if report.categorical else "continuous"
    say(screen, f"{printable(target.name)}: {report.method}, {kind}, {sizes}, {_speed(report)}")
    say(screen, f"from {_described(report.facts)}")
    table = Table("band", "min", "max", "mean", "std", "valid", box=None, pad_edge=False)
    for number, band in enumerate(report.bands, start=1):
        values = (band.min, band.max, band.mean, band.std)
        shown = ("-" if value is None else f"{value:.6g}" for value in values)
        table.add_row(str(number), *shown, f"{band.valid_percent:.4g} %")
    if report.bands:
        screen.print(table)
    for key, value in sorted(report.declared.items()):
        say(screen, f"declared, not in the source: {key} = {printable(value)}")
    for warning in report.warnings:
        say(screen, f"warning ({warning.code}): {printable(warning.text)}", style="yellow")


def _speed(report: Report) -> str:
    """How long it took, and how many bytes of pixels a second that is."""
    from uploader.core.byte_sizes import format_size
    from uploader.report.terminal_text import duration

    raw = int(report.facts.get("raw_bytes", 0))
    rate = f" ({format_size(int(raw / report.seconds))}/s of pixels)" if raw and report.seconds else ""
    return duration(report.seconds) + rate


def _described(facts: dict[str, Any]) -> str:
    """What the source says of itself, in one line."""
    beside = int(facts.get("sidecars", 0))
    parts = (
        f"{facts.get('format')}{' (' + facts['compression'] + ')' if facts.get('compression') else ''}",
        f"{facts.get('width'):,} x {facts.get('height'):,} pixels",
        f"{facts.get('bands')} x {facts.get('dtype')}",
        str(facts.get("crs") or "no coordinate reference system"),
        f"{beside} file{'' if beside == 1 else 's'} beside it" if beside else "",
    )
    return printable(", ".join(part for part in parts if part))
