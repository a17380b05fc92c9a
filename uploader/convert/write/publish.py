"""How a finished COG comes to its place: whole, durable, or not at all. Runs in the parent, blocking.

The child writes into a folder of its own beside the target; everything it leaves there, finished or not, goes
away with that folder.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from uploader.convert.job import Job, Report
from uploader.core.errors import NO_ROOM, ConversionFailed, NoSpace, StagedDamaged
from uploader.core.workshops import WORKSHOP

RESULT = "result.tif"
PREVIEW = "preview.png"


def workshop(target: Path) -> Path:
    """The child's folder for this target: the same name each time, so that a retry clears what a kill left.

    Named by a hash, for the target's own name may fill the 255 bytes that a name can have.
    """
    import hashlib  # noqa: PLC0415 - the child, which needs names of files alone, loads this module too

    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()
    return target.parent / f".{digest[:12]}{WORKSHOP}"


def preview_of(target: Path) -> Path:
    """Where the picture of a conversion appears, when one was asked for."""
    return target.with_name(f"{target.name}.png")


def prepare(target: Path) -> Path:
    """Make the empty folder, for the owner only. Raises NoSpace."""
    folder = workshop(target)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _no_room(target, error) from error
        raise
    return folder


def _no_room(target: Path, error: OSError) -> NoSpace:
    from uploader.system import files as fs  # noqa: PLC0415 - see `workshop`

    return NoSpace(f"There is no room in {target.parent}: {fs.words(error)}.", "Free some space there.")


def removed(job: Job) -> StagedDamaged:
    """The error of a folder that somebody removed while the child worked in it; the raster is not to blame."""
    return StagedDamaged(
        f"The folder in which {job.name or job.source.name} was converted was removed meanwhile."
    )


def clear(target: Path) -> bool:
    """Remove the child's folder with all that is in it; whether there was one."""
    folder = workshop(target)
    there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return there


def finish(job: Job, report: Report) -> None:
    """Put what the child has made in its place, or the source itself, and remove its folder. Raises as `publish`."""
    if report.method == "passthrough" and not (job.linked and _copied(job)):
        adopt(job.source, job.target, own=not job.linked)
    publish(job.target)
    clear(job.target)


def _copied(job: Job) -> bool:
    """Whether the child has copied a raster that is not ours while it looked at it (`early_copy`)."""
    result = workshop(job.target) / RESULT
    return result.is_file() and not result.is_symlink() and result.stat().st_size == job.source.stat().st_size


def adopt(source: Path, target: Path, *, own: bool = True) -> None:
    """Put the source itself where the child would have put its result: it is sent as it is.

    A hard link suffices where the file is our `own`, for nobody writes to a private copy; else its bytes are copied.
    """
    from uploader.system import file_content  # noqa: PLC0415 - see `workshop`

    result = workshop(target) / RESULT
    if own:
        with suppress(OSError):
            os.link(source, result)
            return
    try:
        file_content.duplicate(source, result)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _no_room(target, error) from error
        raise


def hand_over(source: Path, target: Path) -> None:
    """Let a file that is not converted appear at the target as it is. Raises NoSpace, ConversionFailed.

    A hard link is as lasting as its file, but for its name: where a power cut takes that away, it is made again.
    """
    from uploader.system import files as fs  # noqa: PLC0415 - see `workshop`

    if not fs.linked(source, target):
        _hand_over_copy(source, target)


def _hand_over_copy(source: Path, target: Path) -> None:
    prepare(target)
    try:
        adopt(source, target)
        publish(target)
    finally:
        clear(target)


def publish(target: Path) -> None:
    """Move the result to the target, so that it is there after a power cut too.

    Raises ConversionFailed when the child claims success but left no ordinary, non-empty file.
    """
    from uploader.system import files as fs  # noqa: PLC0415 - see `workshop`

    result, picture = workshop(target) / RESULT, workshop(target) / PREVIEW
    if picture.is_file() and not picture.is_symlink():
        picture.rename(preview_of(target))
    try:
        handle = os.open(result, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ConversionFailed("The converter says it is done, but left no result.") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            raise ConversionFailed("The converter says it is done, but its result is no ordinary file.")
        os.fsync(handle)
    finally:
        os.close(handle)
    result.rename(target)
    fs.sync_directory(target.parent)
