"""What a disk is told to do while a result is compared, which the disk has no part in.

Whoever syncs a large file waits for all of it to be written; of one that the kernel has begun to write long before, for
hardly anything. That it lasts is still for the sync to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from uploader.system import libc

_LARGE = 32 << 20
"""Bytes of a result from which on that is worth a thread."""


@contextmanager
def written_back(result: Path, spare: Sequence[Path] = ()) -> Iterator[None]:
    """While a block runs, files that nobody needs any more are removed, and the result is on its way to the disk.

    They are gone when it ends. Raises OSError where one cannot be removed.
    """
    if result.stat().st_size < _LARGE:
        _removed(spare)
        yield
        return
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(_begun, result, spare)
        yield
        coming.result()


def _begun(result: Path, spare: Sequence[Path]) -> None:
    _removed(spare)
    with result.open("rb") as file:
        libc.start_writeback(file.fileno())


def _removed(files: Sequence[Path]) -> None:
    for path in files:
        path.unlink()
