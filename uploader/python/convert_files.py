"""Files around a conversion alone: what the converter is shown of the source, and a result that appears whole."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uploader.core.errors import LocalError, RasterUnreadable, UploaderError
from uploader.core.upload_advice import Asker, advised
from uploader.report.terminal_text import printable
from uploader.system import files as fs
from uploader.system import threads
from uploader.system.own_status import own_status

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
    from uploader.python.shown_source import shown_source

    with _workspace(target) as room:
        shown = await threads.run_sync(shown_source, source, room / "in")
        job = Job(
            source=shown.path,
            linked=shown.linked,
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
            shown.require_unchanged()
            raise _broken_off(shown.path.resolve()) or error from error
        except LocalError as error:
            shown.require_unchanged()
            raise advised(error, Asker.COMMAND) from error
        shown.require_unchanged()
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


def _broken_off(file: Path) -> RasterUnreadable | None:
    """Say of a file whose end is missing that it is; GDAL would speak of directories and offsets."""
    from uploader.core.settle_rules import cut_short
    from uploader.folders import extent

    found, size = extent(str(file)), file.stat().st_size
    if found.whole is not False or not size:
        return None
    return RasterUnreadable(cut_short(size, found.needs), "Copy it again.")


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
    return int(own_status("Umask"), 8)
