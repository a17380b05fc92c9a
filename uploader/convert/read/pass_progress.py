"""How far a conversion is: each pass over a raster's pixels takes a share of what is left, and tells how far it got.

So nobody needs to know beforehand how many passes a raster will take, and what is told never goes back. A process
converts one raster at a time, and has one progress.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from threading import Lock

from uploader.convert.read.block_reader import Block

LOOKING = 0.4
"""Share of what is left that a pass takes before anything is written."""
WRITING = 0.75
"""That of reading, compressing and writing a raster, before it is compared."""
COMPARING = 0.98
"""That of the comparison, after which there are only heads."""


class ConversionProgress:
    """What is done of one conversion, from 0 to 1. `tell` hears it after each piece that is read."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._done = 0.0

    def skip(self, share: float) -> None:
        """A step of which nothing could be told is over."""
        self._done += (1 - self._done) * share
        self._tell(self._done)

    def through(self, found: Iterable[Block], samples: int, share: float) -> Iterator[Block]:
        """The same blocks of a pass over so many samples. One that was broken off has come as far as it was."""
        end = self._done + (1 - self._done) * share
        count = self.counter(samples, share)
        for block in found:
            yield block
            count(block.samples.size)
        self._done = end

    def counter(self, samples: int, share: float) -> Callable[[int], None]:
        """What the threads that share a pass over so many samples tell how many they are done with."""
        first, width, seen, turn = self._done, (1 - self._done) * share, 0, Lock()

        def count(more: int) -> None:
            nonlocal seen
            with turn:
                seen += more
                self._done = first + width * min(1.0, seen / max(1, samples))
                self._tell(self._done)

        return count


progress: ContextVar[ConversionProgress | None] = ContextVar("progress", default=None)
"""That of the conversion that this process does; None where nobody asks."""


def counted(found: Iterable[Block], samples: int, share: float) -> Iterable[Block]:
    """The same blocks, counted where somebody asks how far the conversion is."""
    told = progress.get()
    return found if told is None else told.through(found, samples, share)


def counter(samples: int, share: float) -> Callable[[int], None]:
    """As that of a `ConversionProgress`; where nobody asks, nothing is counted."""
    told = progress.get()
    return _nothing if told is None else told.counter(samples, share)


def _nothing(_: int) -> None:
    return None


def skipped(share: float) -> None:
    """A step is over that has no blocks."""
    if (told := progress.get()) is not None:
        told.skip(share)
