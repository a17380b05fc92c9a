"""Files around a conversion alone: a private copy beside the target, and a result that appears whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uploader.core.errors import NoSpace, RasterUnreadable, SourceUnreadable, UploaderError
from uploader.report.terminal_text import printable
from uploader.system import file_content, threads
from uploader.system import files as fs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uploader.convert import Converter, Job, Report

    Progress = Callable[[Job, Path], AbstractContextManager[None]]
    """Shows that a job of a source is under way, while a block runs."""


async def converted(
    converter: Converter,
    source: Path,
    target: Path,
    *,
    preview: Path | None,
    limits: Mapping[str, Any],
    wishes: dict[str, Any],
    progress: Progress,
) -> Report:
    """Convert one raster with its sidecars to a COG at `target`. Raises UploaderError; then nothing is left.

    `limits` and `wishes` are values of a `Job` that are not its defaults.
    """
    from uploader.convert import Job
    from uploader.convert.write.publish import preview_of

    with _workspace(target) as room:
        copy = await threads.run_sync(_copy_group, source, room / "in")
        job = Job(
            source=copy,
            target=room / "out.tif",
            min_free_bytes=0,
            name=printable(source.name),
            **limits,
            **wishes,
        )
        try:
            with progress(job, source):
                report = await converter.convert(job)
        except RasterUnreadable as error:
            raise _broken_off(copy) or error from error
        _publish(job.target, target)
        if preview is not None:
            _publish(preview_of(job.target), preview)
    return report


def unfit(source: Path, target: Path) -> str:
    """Why the COG of a raster must not appear there; empty where it may."""
    if target.exists() and target.samefile(source):
        return "is the raster itself"
    if target.exists() and not target.is_file():
        return "is a folder, a device, a pipe or a socket, which a file must not replace"
    return ""


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
            _copy(file, copy)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace(
                f"There is no room beside DST for a copy of {source}.", "Name another DST."
            ) from error
        raise SourceUnreadable(f"{source} cannot be read: {error.strerror}.", "Check its rights.") from error
    return copies[0]


def _copy(file: Path, copy: Path) -> None:
    """Copy a file, which shares its blocks with the copy where the file system can: that costs nothing then."""
    with file.open("rb") as reading, copy.open("xb") as writing:
        shared = file_content.reflink(reading.fileno(), writing.fileno())
    if not shared:
        shutil.copyfile(file, copy)


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
    """Which rights new files do not get; `os.umask` would tell it by changing it, also for other threads."""
    told = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(told.partition("Umask:")[2].split(maxsplit=1)[0], 8)
