"""How much may be written, and how a full disk is told from a bad raster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uploader.convert.job import Job
from uploader.core.errors import ConversionFailed, NoSpace, RasterRefused, RasterUnreadable

_FULL_WORDS = ("no space left", "file too large", "disk quota", "free disk space", "disk full")
_FEW_BYTES = 1 << 20


def free_room(folder: Path, job: Job) -> int:
    """Bytes that may be written above the reserve."""
    status = os.statvfs(folder)
    return max(0, status.f_bavail * status.f_frsize - job.min_free_bytes)


@contextmanager
def cramped(job: Job, workshop: Path) -> Iterator[None]:
    """Tell a full disk from a bad raster: GDAL says it in words, or not at all and leaves a torn file."""
    try:
        yield
    except (RasterUnreadable, RasterRefused, ConversionFailed) as error:
        said = any(words in error.reason.lower() for words in _FULL_WORDS)
        if said or free_room(workshop, job) < _FEW_BYTES:
            raise filled_up() from error
        raise


def filled_up() -> NoSpace:
    """The error of a conversion that could not write on."""
    return NoSpace("The disk filled up during the conversion.", "Free some space in staging.")
