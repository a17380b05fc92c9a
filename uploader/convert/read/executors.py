"""Who does the parts of one raster's work: several threads, or, of a small raster, the thread that asks.

Threads make a large raster ready sooner. Of a small one they cost a tenth of all its work, and other rasters keep the
cores busy anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from uploader.convert.read.formats.open_raster import THREADS

_SMALL = 4 << 20
"""Bytes of pixels up to which a raster is small: a few tiles."""


def small(raw_bytes: int) -> bool:
    """Whether a raster of so many bytes of pixels is done by one thread."""
    return raw_bytes <= _SMALL


def threads_for(raw_bytes: int) -> int:
    """How many threads decode, and how many encode, a raster of so many bytes of pixels."""
    return 1 if small(raw_bytes) else THREADS


def executor(threads: int) -> Executor:
    """So many threads; for one there need be none."""
    return ThreadPoolExecutor(threads) if threads > 1 else _SameThread()


class _SameThread(Executor):
    """Does what it is given at once, in the thread that gives it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See Executor. What is raised is kept for whoever asks for the result."""
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as of any executor
            done.set_exception(error)
        return done
