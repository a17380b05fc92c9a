"""A raster of others that may be sent as it is is copied while it is looked at, so that neither waits for the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from uploader.convert.job import Job
from uploader.convert.write.publish import RESULT
from uploader.system import file_content


@contextmanager
def copied_ahead(job: Job, workshop: Path, *, likely: bool) -> Iterator[None]:
    """While a block runs, the raster is copied to where a result would be, if it is `likely` to be sent as it is.

    Of a private copy that is not worth it: a link does. What cannot be copied here is left to the parent.
    """
    if not (likely and job.linked):
        yield
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_copied, job.source, workshop / RESULT)
        yield


def _copied(source: Path, result: Path) -> None:
    try:
        file_content.duplicate(source, result)
    except OSError:
        forget(result.parent)


def forget(workshop: Path) -> None:
    """Remove the copy, where there is one: the raster is not sent as it is."""
    with suppress(FileNotFoundError):
        (workshop / RESULT).unlink()
