"""A cluster whose parts know each other by certificates: who has none, or others, converts nothing there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import anyio

from tests.support.certificates import self_signed
from tests.support.cluster import cluster
from tests.support.rasters import make
from uploader.convert import Job
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster
from uploader.core.errors import ClusterUnavailable


def main() -> int:
    """Convert with the right certificates, with others, and with none; 0 where only the first succeeds."""
    with tempfile.TemporaryDirectory(prefix="cluster-tls-") as temporary:
        root = Path(temporary)
        ours, others = root / "ours", root / "others"
        for folder in (ours, others):
            folder.mkdir()
            self_signed(folder)
        job = Job(make("plain", root / "in" / "source.tif", size=64), root / "out.tif")
        with cluster(root / "cluster", certificates=ours) as made:
            came = {
                "ours": anyio.run(_converted, job, _with(made.address, ours)),
                "others": anyio.run(_converted, job, _with(made.address, others)),
                "none": anyio.run(_converted, job, Cluster(made.address.replace("tls:", "tcp:"))),
            }
    for name, what in came.items():
        print(f"certificates={name}: {what}")
    return 0 if [what == "converted" for what in came.values()] == [True, False, False] else 1


def _with(address: str, folder: Path) -> Cluster:
    return Cluster(address, folder / "cert.pem", folder / "cert.pem", folder / "key.pem")


async def _converted(job: Job, to: Cluster) -> str:
    async with ClusterConverter(to) as converter:
        try:
            await converter.convert(job)
        except ClusterUnavailable as error:
            return error.reason
    return "converted"
