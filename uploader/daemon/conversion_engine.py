"""The engine that the configuration asks for."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from uploader.config import Settings
from uploader.convert import ArchiveOpener, ConversionEngine, Converter, Job, Report
from uploader.convert.engine.api import ClusterFacts
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster
from uploader.core import capacity
from uploader.core.errors import ClusterUnavailable
from uploader.system import task_limit

log = logging.getLogger(__name__)


@asynccontextmanager
async def engine(settings: Settings) -> AsyncIterator[ConversionEngine]:
    """What converts, until the block ends."""
    convert = settings.convert
    if convert.engine == "local":
        async with Converter(_workers(settings)) as local:
            yield local
        return
    files = (convert.tls_ca_file, convert.tls_cert_file, convert.tls_key_file)
    cluster = ClusterConverter(Cluster(convert.scheduler, *files), convert.workers)
    async with cluster:
        if convert.fallback == "hold":
            yield cluster
            return
        async with Converter(_workers(settings)) as local:
            yield WithFallback(cluster, local)


@asynccontextmanager
async def opener(settings: Settings, converts: ConversionEngine) -> AsyncIterator[ArchiveOpener]:
    """What opens archives, until the block ends: always this machine, so many at once as it would convert itself."""
    if isinstance(converts, Converter):
        yield converts
        return
    async with Converter(min(_workers(settings), len(os.sched_getaffinity(0)))) as local:
        yield local


class WithFallback:
    """Converts on the cluster, and on this machine whatever the cluster cannot take."""

    def __init__(self, cluster: ClusterConverter, local: Converter) -> None:
        self._cluster = cluster
        self._local = local
        self._away = False

    @property
    def workers(self) -> int:
        """See `ConversionEngine`."""
        return self._local.workers if self._away else max(self._cluster.workers, self._local.workers)

    @property
    def apart(self) -> bool:
        """See `ConversionEngine`."""
        return not self._away

    @property
    def cluster(self) -> ClusterFacts:
        """See `ConversionEngine`."""
        return self._cluster.cluster

    async def convert(
        self,
        job: Job,
        alive: Callable[[], None] = lambda: None,
        part: Callable[[float], None] = lambda _: None,
    ) -> Report:
        """See `ConversionEngine`."""
        try:
            report = await self._cluster.convert(job, alive, part)
        except ClusterUnavailable as error:
            if not self._away:
                log.warning("convert: on this machine meanwhile. %s", error)
            self._away = True
            return await self._local.convert(job, alive, part)
        if self._away:
            log.info("convert: on the cluster again")
        self._away = False
        return report

    async def aclose(self) -> None:
        """See `ConversionEngine`."""
        await self._cluster.aclose()
        await self._local.aclose()


def _workers(settings: Settings) -> int:
    """As many converters as are set, where the machine's limits have room for them."""
    wanted, room = settings.convert.processes, task_limit.room()
    left = None if room is None else room.tasks
    workers = capacity.workers(wanted, left, cores=os.cpu_count() or 1, folders=len(settings.folders))
    if room is not None and workers < wanted:
        log.warning(
            "convert: %d of %d workers, because %s. %s", workers, wanted, room.limit, capacity.MORE_TASKS
        )
    return workers
