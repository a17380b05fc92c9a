"""The pool of converting processes: how many at once, for how long, and what happens to those that fail."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import anyio

from uploader.convert.archive_job import ArchiveJob
from uploader.convert.engine.child_answers import ZygoteFacts
from uploader.convert.engine.zygote_client import Worker
from uploader.convert.job import Forecast, Job, Report
from uploader.convert.write import publish
from uploader.core.archives import ArchiveEntry
from uploader.core.errors import ConversionFailed, ConverterBroken, LocalError, NoSpace
from uploader.system import threads

_LOG = logging.getLogger(__name__)

REHEARSAL_SECONDS = 60.0
"""After which a zygote that comes up and rehearses is given up; it needs less than one."""


class Converter:
    """Converts rasters in confined child processes, `workers` at once (0: one per core).

    Zygotes start when they are needed and are used again; each raster has a child of its own, forked from one.
    Belongs to one event loop; the loop's thread must live as long as they, who die with it. Close it with
    `aclose`, or use it as an async context manager.
    """

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._turns = anyio.Semaphore(self.workers)
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False
        self.facts: ZygoteFacts | None = None
        """What the last zygote that came up told of itself and the host."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def apart(self) -> bool:
        """See `ConversionEngine`: all of them share this machine."""
        return False

    @property
    def cluster(self) -> None:
        """See `ConversionEngine`: this machine converts."""
        return None

    async def warm_up(self) -> None:
        """Start a zygote for the first job, which comes up while the caller gets that job ready.

        Raises Shortage, ConverterBroken.
        """
        self._idle.append(await Worker.start())

    async def rehearse(self, folder: Path, zygotes: int) -> None:
        """Start so many zygotes, which do in `folder` once what each child would do anew; nothing is left there.

        Who wants something converted meanwhile waits for one of them to come up, which then rehearses later, before its
        second raster. Where one cannot be had, that is told then.
        """
        async with anyio.create_task_group() as group:
            for number in range(zygotes):
                group.start_soon(self._rehearse, folder / f"rehearsal-{number}")

    async def _rehearse(self, target: Path) -> None:
        try:
            async with self._turns:
                workshop = await threads.run_sync(publish.prepare, target)
                async with self._worker(REHEARSAL_SECONDS) as worker:
                    await worker.ready()
                    if not self._turns.statistics().tasks_waiting:
                        await worker.rehearse(workshop)
        except (LocalError, OSError) as error:
            _LOG.debug("a converter did not rehearse: %s", error)
        finally:
            with anyio.CancelScope(shield=True):
                await threads.run_sync(publish.clear, target)

    async def convert(
        self,
        job: Job,
        alive: Callable[[], None] = lambda: None,
        part: Callable[[float], None] = lambda _: None,
    ) -> Report:
        """See `ConversionEngine`. Only the child's part takes one of the turns: others convert meanwhile."""
        workshop: Path | None = None
        async with self._writing(job):
            try:
                async with self._turns:
                    workshop = await threads.run_sync(publish.prepare, job.target)
                    async with self._worker(job.timeout_seconds) as worker:
                        report = await worker.convert(job, workshop, alive, part)
                await threads.run_sync(publish.finish, job, report)
            except BaseException as error:
                with anyio.CancelScope(shield=True):
                    there = await threads.run_sync(publish.clear, job.target)
                if workshop and not there and isinstance(error, LocalError):
                    raise publish.removed(job) from error
                raise
            return report

    async def look_ahead(self, job: Job, beside: Sequence[str]) -> Forecast:
        """What would become of a raster that lies among others, of which `beside` are its own; nothing is written.

        Its head is read in a child that can open these files and no others. Raises as `convert`, but for NoSpace.
        """
        async with self._turns, self._worker(job.timeout_seconds) as worker:
            return await worker.look_ahead(job, beside)

    async def list_archive(self, job: ArchiveJob) -> list[ArchiveEntry]:
        """See `ArchiveOpener`."""
        async with self._turns, self._worker(job.timeout_seconds) as worker:
            return await worker.list_archive(job)

    async def unpack(self, job: ArchiveJob, alive: Callable[[], None] = lambda: None) -> None:
        """See `ArchiveOpener`."""
        async with self._turns, self._worker(job.timeout_seconds) as worker:
            await worker.unpack(job, alive)

    @asynccontextmanager
    async def _writing(self, job: Job) -> AsyncIterator[None]:
        """Whatever the system says while the result is put in place, the raster is not to blame."""
        try:
            yield
        except OSError as error:
            raise NoSpace(
                f"{job.target.parent} cannot be written to: {error.strerror or error}.",
                "Free some space there, or check its rights.",
            ) from error

    @asynccontextmanager
    async def _worker(self, seconds: float) -> AsyncIterator[Worker]:
        """A zygote for one job within so many seconds; it goes back to the others only if it is known to be sound."""
        worker = await self._take()
        try:
            with anyio.fail_after(seconds):
                yield worker
        except ConverterBroken as error:
            if not self._closed:
                raise
            raise ConversionFailed("The converter was closed while it converted.") from error
        except TimeoutError as error:
            raise ConversionFailed(
                f"Converting took longer than {seconds:g} seconds and was stopped.",
                "Raise convert.timeout_seconds if the raster is just large.",
            ) from error
        finally:
            await self._give_back(worker)

    async def _take(self) -> Worker:
        """An idle zygote, or a new one; one that died meanwhile is nobody's failure."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                break
            await worker.kill()
        else:
            worker = await Worker.start()
        self._busy.add(worker)
        return worker

    async def _give_back(self, worker: Worker) -> None:
        self._busy.discard(worker)
        self.facts = worker.host or self.facts
        if worker.sound and worker.alive:
            self._idle.append(worker)
            return
        _LOG.debug("converter ended pid=%d", worker.pid)
        await worker.kill()

    async def aclose(self) -> None:
        """See `ConversionEngine`: all zygotes end."""
        self._closed = True
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in workers:
            await worker.kill()
