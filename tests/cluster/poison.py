"""A raster with which each worker dies: each is told, nothing is left, and the cluster converts the next one.

The daemon counts them as attempts of the file, in the journal (`tests/effects/test_lost_workers.py`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import anyio
from anyio import to_thread

from tests.support.cluster import LocalCluster, cluster
from tests.support.rasters import make
from uploader.convert import Job
from uploader.convert.engine.cluster.attempt_folder import BEGUN
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster
from uploader.core.errors import WorkerGone
from uploader.core.workshops import WORKSHOP

TRIES = 3


def main() -> int:
    """Run it; 0 where each of its workers was told to be lost, and nothing is left."""
    with tempfile.TemporaryDirectory(prefix="cluster-poison-") as temporary:
        root = Path(temporary)
        jobs = []
        for name in ("poison", "sound"):
            source = make("plain", root / name / "in" / "source.tif", size=3000)
            jobs.append(Job(source, root / name / "out.tif"))
        with cluster(root / "cluster") as made:
            said, killed = anyio.run(_both, made, *jobs)
        left = sorted(path.name for job in jobs for path in job.target.parent.iterdir())
    print(f"killed={killed} told: {said} left={left}")
    return 0 if said and killed == TRIES and left == ["in", "in", "out.tif"] else 1


async def _both(made: LocalCluster, poison: Job, sound: Job) -> tuple[str, int]:
    """What is said of the first, and how many workers it cost; the second is converted."""
    said, killed = "", 0
    async with ClusterConverter(Cluster(made.address)) as converter:

        async def refused() -> None:
            nonlocal said
            for _ in range(TRIES):
                try:
                    await converter.convert(poison)
                except WorkerGone as error:
                    said = str(error)
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(refused)
            known: set[Path] = set()
            while True:
                begun = set(poison.target.parent.glob(f".*{WORKSHOP}/{BEGUN}")) - known
                if begun:
                    known |= begun
                    killed += 1
                    made.workers[0].kill()
                    await to_thread.run_sync(made.workers[0].wait)
                    await to_thread.run_sync(made.revive)
                await anyio.sleep(0.02)
        await converter.convert(sound)
    return said, killed
