"""The pool of converting children: how many at once, for how long, and what happens to those that fail."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import anyio
from anyio import to_thread

from uploader.convert import publish
from uploader.convert.job import Job, Report
from uploader.convert.worker import Worker
from uploader.core.errors import ConversionFailed, LocalError

_LOG = logging.getLogger(__name__)

_JOBS_PER_CHILD = 500
"""After so many rasters a child is replaced: what GDAL leaks must not add up for weeks."""


class Converter:
    """Converts rasters in confined child processes, `workers` at once (0: one per core).

    Children start when they are needed and are used again. Belongs to one event loop; the loop's thread must live
    as long as the children, who die with it. Close it with `aclose`, or use it as an async context manager.
    """

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._turns = anyio.Semaphore(self.workers)
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def convert(self, job: Job) -> Report:
        """Convert one raster. Its COG is at `job.target` when this returns, and not before.

        Raises RasterUnreadable, RasterRefused (the raster's fault), ConversionFailed (the child crashed, hung or
        ate its memory on it), NoSpace. Whatever happens, cancelling included, no partial target and no busy child
        is left behind; may be repeated, an existing target is replaced.
        """
        async with self._turns:
            workshop = await to_thread.run_sync(publish.prepare, job.target)
            try:
                async with self._child(job) as worker:
                    report = await worker.convert(job, workshop)
                if report.method == "passthrough":
                    await to_thread.run_sync(publish.adopt, job.source, job.target)
                await to_thread.run_sync(publish.publish, job.target)
            finally:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(publish.clear, job.target)
            return report

    @asynccontextmanager
    async def _child(self, job: Job) -> AsyncIterator[Worker]:
        """A child for one job within its deadline; it goes back to the others only if it is known to be sound."""
        worker = await self._take(job.memory_limit)
        sound = False
        try:
            with anyio.fail_after(job.timeout):
                yield worker
            sound = True
        except TimeoutError as error:
            raise ConversionFailed(
                f"Converting took longer than {job.timeout:g} seconds and was stopped.",
                "Raise convert.timeout_seconds if the raster is just large.",
            ) from error
        except ConversionFailed:
            raise
        except LocalError:
            sound = True
            raise
        finally:
            await self._give_back(worker, sound=sound)

    async def _take(self, memory_limit: int) -> Worker:
        """An idle child with this memory limit, or a new one in place of an idle one that has another."""
        for worker in self._idle:
            if worker.memory_limit == memory_limit:
                self._idle.remove(worker)
                self._busy.add(worker)
                return worker
        if len(self._idle) + len(self._busy) >= self.workers and self._idle:
            await self._idle.pop(0).kill()
        worker = await Worker.start(memory_limit)
        self._busy.add(worker)
        return worker

    async def _give_back(self, worker: Worker, *, sound: bool) -> None:
        self._busy.discard(worker)
        if sound and worker.jobs < _JOBS_PER_CHILD:
            self._idle.append(worker)
            return
        _LOG.debug("converter ended pid=%d jobs=%d sound=%s", worker.pid, worker.jobs, sound)
        await worker.kill()

    async def aclose(self) -> None:
        """Kill all children; may be repeated. Conversions that still run end with ConversionFailed."""
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in workers:
            await worker.kill()
