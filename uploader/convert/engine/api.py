"""What converts rasters: the protocol that the daemon works with, wherever the conversion runs.

`tests/convert/engine/test_contract.py` holds every implementation to what is said here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from uploader.convert.archive_job import ArchiveJob
from uploader.convert.job import Job, Report
from uploader.core.archives import ArchiveEntry


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What is known of one of these machines' workers, since it came."""

    address: str
    threads: int
    """Conversions that it runs at once."""
    converting: tuple[str, ...] = ()
    """The rasters that it has begun with, by their names."""
    done: int = 0
    lost: int = 0
    """How often it was given up with a conversion."""
    avoided: bool = False
    """It cannot convert for us, and is not asked."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What is known of the machines elsewhere that convert; `bytes` are those of the rasters under way."""

    scheduler: str
    workers: int
    slots: int
    """Conversions that they run at once."""
    running: int
    bytes: int
    avoided: int
    """Workers that cannot convert for us, and are not asked."""
    lost: int
    """How often a worker was lost with a conversion, since the start."""
    each: tuple[WorkerFacts, ...] = ()
    """Those that are there."""


class ConversionEngine(Protocol):
    """Converts rasters, each apart from all others: one that does harm does it to itself alone."""

    @property
    def workers(self) -> int:
        """How many conversions run at once; more of them wait."""

    @property
    def apart(self) -> bool:
        """Whether conversions run in workers of their own: one that is to run alone needs one of them, not all."""

    @property
    def cluster(self) -> ClusterFacts | None:
        """The machines elsewhere; None where this one converts."""

    async def convert(
        self, job: Job, alive: Callable[[], None] = ..., part: Callable[[float], None] = ...
    ) -> Report:
        """Convert one raster. Its COG is at `job.target`, whole and durable, when this returns, and not before.

        `alive` is called whenever the conversion shows a sign of life, and `part` with how much of it is done, from 0
        to 1: some times a second at most, and never by an engine that does not know. It is what a child says, and may
        be wrong.

        Raises RasterUnreadable, RasterRefused (the raster's fault), ConversionFailed (the child crashed, hung or ate
        its memory on it), NoSpace, StagedDamaged (somebody removed what it worked with). Whatever happens, cancelling
        included, no part of a target and nobody at work is left behind. May be repeated: a target that is there is
        replaced by a result, and by nothing else.
        """

    async def aclose(self) -> None:
        """End all that runs; may be repeated. Conversions that still run end with ConversionFailed."""


class ArchiveOpener(Protocol):
    """Opens archives, each in a child that can read it and nothing else; always on this machine."""

    async def list_archive(self, job: ArchiveJob) -> list[ArchiveEntry]:
        """The files in an archive, by their numbers. What it holds decides nothing outside of it.

        Raises RasterRefused where something in it has no business there, RasterUnreadable where it is damaged or no
        archive, ConversionFailed, Shortage, ConverterBroken.
        """

    async def unpack(self, job: ArchiveJob, alive: Callable[[], None] = ...) -> None:
        """Write the wanted members below the target. `alive` is that of `ConversionEngine.convert`.

        Raises as `list_archive`, and NoSpace; then the target may hold some of them, and is the caller's to remove.
        """
