"""The engine that converts on a Dask cluster: attempts one after another, until one has a result."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Self

import anyio

from uploader.convert.engine.api import ClusterFacts
from uploader.convert.engine.cluster.answers import Done, HostFacts, WorkerLost, WorkerUnfit, done_of, text_of
from uploader.convert.engine.cluster.attempt import Attempt
from uploader.convert.engine.cluster.attempt_watch import AttemptWatch
from uploader.convert.engine.cluster.link import WAY_OUT, Cluster, Link, Pending
from uploader.convert.engine.cluster.turns import Turns, ahead
from uploader.convert.engine.cluster.worker_ledger import WorkerLedger
from uploader.convert.job import Job, Report
from uploader.convert.write import publish
from uploader.core.errors import ClusterUnavailable, ConversionFailed, LocalError, WorkerGone
from uploader.system import threads

_LOG = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at an attempt's sign of life."""

WITHOUT_WORKERS = 30.0
"""Seconds for which a conversion waits for a worker to come, before the whole cluster is held."""

AGAIN = 5.0
"""Seconds between two tries to reach a scheduler; whoever asks meanwhile hears at once that it is not there."""

AVOIDED = 300.0
"""Seconds for which a worker that cannot convert for us is not asked again."""


class ClusterConverter:
    """Converts rasters on the workers of a cluster; an async context manager, which belongs to one event loop.

    `most` conversions run at once, 0: as many as the workers take. The scheduler is looked for when a conversion is
    asked for, and again with the next after it was lost.
    """

    def __init__(self, cluster: Cluster, most: int = 0) -> None:
        self._cluster = cluster
        self._most = most
        self._turns = Turns(lambda: self.workers)
        self._workers = WorkerLedger()
        self._connecting = anyio.Lock()
        self._link: Link | None = None
        self._failure: tuple[float, ClusterUnavailable | None] = (0.0, None)
        """Why the last try to reach the scheduler failed, and until when none is made."""
        self._avoided: dict[str, tuple[float, str]] = {}
        self._left: set[Attempt] = set()
        """Ended, but a late worker still wrote to their folders."""
        self._hosts: set[HostFacts] = set()
        self._closed = False
        self.lost = 0
        """Workers that were lost with a conversion since the start."""

    async def __aenter__(self) -> Self:
        self._group = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)

    @property
    def workers(self) -> int:
        """See `ConversionEngine`: with some that wait at the scheduler, so that no worker waits for us."""
        if self._most:
            return self._most
        slots = self.slots
        return max(1, slots + ahead(slots))

    @property
    def slots(self) -> int:
        """How many conversions the workers that are there run at once."""
        return self._link.slots if self._link else 0

    @property
    def apart(self) -> bool:
        """See `ConversionEngine`."""
        return True

    @property
    def cluster(self) -> ClusterFacts:
        """See `ConversionEngine`."""
        workers = self._link.workers if self._link else {}
        turns, avoided = self._turns, self._avoiding()
        return ClusterFacts(
            *(self._cluster.scheduler, len(workers), self.slots),
            *(turns.running, turns.bytes, len(avoided), self.lost),
            self._workers.facts(workers, avoided),
        )

    async def convert(
        self,
        job: Job,
        alive: Callable[[], None] = lambda: None,
        part: Callable[[float], None] = lambda _: None,  # noqa: ARG002 - workers do not tell how far they are
    ) -> Report:
        """See `ConversionEngine`. Raises ClusterUnavailable where there is no scheduler, or no worker that is fit.

        Raises WorkerGone where the worker was lost that had begun with it: whoever asks again gets another one.
        """
        async with self._turns.turn(partial(threads.run_sync, _size, job)):
            while True:
                try:
                    return await self._attempt(job, alive)
                except WorkerLost as error:
                    self.lost += 1
                    raise WorkerGone(f"A worker was lost while it converted it: {error}") from error
                except WorkerUnfit as error:
                    self._avoid(error)

    async def _attempt(self, job: Job, alive: Callable[[], None]) -> Report:
        """One try. Raises WorkerLost, WorkerUnfit beside what `convert` raises."""
        link = await self._connected()
        attempt = await threads.run_sync(Attempt.begin, job)
        try:
            pending = await link.ask(attempt.name, attempt.request(), self._avoiding())
            await self._over(pending, attempt, alive)
            done = self._done(link, pending)
            await threads.run_sync(attempt.take, done)
            self._workers.done(done.worker)
        except (LocalError, WorkerLost, WorkerUnfit) as error:
            if self._closed:
                raise ConversionFailed("The converter was closed while it converted.") from error
            if not await threads.run_sync(attempt.is_there):
                raise publish.removed(job) from error
            raise
        finally:
            self._workers.ended(attempt.name, lost=isinstance(sys.exception(), WorkerLost))
            with anyio.CancelScope(shield=True):
                await link.forget(attempt.name)
                await self._end(attempt)
        self._met(done.host)
        return done.report

    async def _over(self, pending: Pending, attempt: Attempt, alive: Callable[[], None]) -> None:
        """Wait for an answer. Raises WorkerLost where no sign of life comes, ClusterUnavailable without workers."""
        watch = AttemptWatch(attempt.job.timeout_seconds)
        while not pending.over.is_set():
            with anyio.move_on_after(LOOK):
                await pending.over.wait()
                return
            sign, worker = await threads.run_sync(attempt.sign) or (None, "")
            self._workers.began(attempt.name, text_of(worker), attempt.job.name or attempt.job.source.name)
            if watch.saw(sign, time.monotonic()):
                alive()
            self._turns.changed()
            self._require_workers()

    def _require_workers(self) -> None:
        """Raises ClusterUnavailable where there has been none for too long."""
        since = self._link.without_since if self._link else None
        if since is not None and time.monotonic() - since > WITHOUT_WORKERS:
            text = (
                f"The scheduler {self._cluster.scheduler} has had no workers for {WITHOUT_WORKERS:g} seconds."
            )
            raise ClusterUnavailable(text, WAY_OUT)

    def _done(self, link: Link, pending: Pending) -> Done:
        """What an attempt came to."""
        if self._closed:
            raise ConversionFailed("The converter was closed while it converted.")
        if pending.failed:
            why = "; ".join(why for _, why in self._avoided.values())
            if why:
                raise ClusterUnavailable(
                    f"No worker of the cluster can convert for this daemon. {why}", _MEND
                )
            raise ClusterUnavailable(f"The cluster cannot run a conversion: {pending.failed}", _MEND)
        if pending.answer is None:
            link.require()
        return done_of(pending.answer)

    async def _connected(self) -> Link:
        """The link to the scheduler, made anew where it was lost."""
        async with self._connecting:
            if self._closed:
                raise ConversionFailed("The converter was closed before it converted.")
            if self._link is not None and self._link.gone:
                await self._link.aclose()
                self._link = None
            if self._link is None:
                self._link = await self._linked()
                _LOG.info("cluster %s: room for %d conversions", self._cluster.scheduler, self._link.slots)
            self._turns.changed()
            self._require_workers()
            return self._link

    async def _linked(self) -> Link:
        """A new link. Raises ClusterUnavailable; where the last try has just failed, at once."""
        until, failure = self._failure
        if failure is not None and time.monotonic() < until:
            raise ClusterUnavailable(failure.reason, failure.way_out)
        self._avoided.clear()
        try:
            return await Link.start(self._cluster, self._group)
        except ClusterUnavailable as error:
            self._failure = (time.monotonic() + AGAIN, error)
            raise

    def _avoid(self, error: WorkerUnfit) -> None:
        """Ask this worker no more for a while. Raises ClusterUnavailable where nobody knows which it is."""
        if not error.worker or error.worker in self._avoiding():
            raise ClusterUnavailable(
                f"A worker cannot convert for this daemon. {error.why}", _MEND
            ) from error
        self._avoided[error.worker] = (time.monotonic() + AVOIDED, error.why)
        _LOG.warning("worker %s is not used: %s", error.worker, error.why)

    def _avoiding(self) -> list[str]:
        now = time.monotonic()
        self._avoided = {name: entry for name, entry in self._avoided.items() if entry[0] > now}
        return list(self._avoided)

    def _met(self, host: HostFacts) -> None:
        """Tell once what a machine has that others have not, and what it lacks."""
        if host in self._hosts or not host.gdal:
            return
        if any((other.gdal, other.rasterio) != (host.gdal, host.rasterio) for other in self._hosts):
            _LOG.warning(
                "worker host %s has GDAL %s, rasterio %s: not all have the same",
                host.name,
                host.gdal,
                host.rasterio,
            )
        for way in host.confinement.missing() if host.confinement else ():
            _LOG.warning("worker host %s confines its converters less. %s", host.name, way)
        self._hosts.add(host)

    async def _end(self, attempt: Attempt) -> None:
        """Remove what is left of an attempt, and of those before that a late worker wrote to."""
        for ended in (attempt, *self._left):
            if await threads.run_sync(ended.end):
                self._left.discard(ended)
            else:
                self._left.add(ended)

    async def aclose(self) -> None:
        """See `ConversionEngine`: the client ends, and workers stop at what has no folder any more."""
        self._closed = True
        if self._link is not None:
            await self._link.aclose()
        for ended in tuple(self._left):
            await threads.run_sync(ended.end)


_MEND = "Install the same version of uploader with its extra `dask` on all workers, and mount the staging folder there."


def _size(job: Job) -> int:
    """Bytes of the raster; 0 where it is gone, which its worker will tell."""
    try:
        return job.source.stat().st_size
    except OSError:
        return 0
