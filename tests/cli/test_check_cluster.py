"""What `uploader check` says of a cluster."""

from __future__ import annotations

import pytest

from uploader.cli.check_cluster import of_cluster
from uploader.convert.engine.cluster.answers import HostFacts
from uploader.convert.engine.cluster.worker_check import ClusterFinding, WorkerFinding
from uploader.convert.isolation.verdict import Confinement
from uploader.core.errors import ClusterUnavailable

pytestmark = pytest.mark.unit

WHOLE = Confinement(namespace=True, landlock=7, seccomp=True)
BARE = Confinement(namespace=True, seccomp=True)


def told(found: ClusterFinding) -> list[str]:
    """The findings as lines."""
    return [f"{one.verdict} {one.name}: {one.text}" for one in of_cluster("tls://c:1", found)]


def test_a_cluster_that_is_whole_is_one_line() -> None:
    """With how many are there."""
    host = HostFacts("n1", "3.10", "1.4", WHOLE)
    assert told(ClusterFinding(2, [WorkerFinding("a", "", host), WorkerFinding("b", "", host)])) == [
        "ok cluster: tls://c:1: 2 workers fit, 2 conversions at once in all."
    ]


def test_what_is_wrong_is_told_of_each() -> None:
    """Workers that are not fit, libraries that differ, and hosts without Landlock, each host once."""
    found = [
        WorkerFinding("a", "It sees another folder."),
        WorkerFinding("b", "", HostFacts("n1", "3.10", "1.4", BARE)),
        WorkerFinding("c", "", HostFacts("n1", "3.10", "1.4", BARE)),
        WorkerFinding("d", "", HostFacts("n2", "3.11", "1.5", WHOLE)),
    ]
    assert told(ClusterFinding(4, found)) == [
        "fail worker a: It sees another folder.",
        "ok cluster: tls://c:1: 3 workers fit, 4 conversions at once in all.",
        "warn cluster: they have different libraries: GDAL 3.10, rasterio 1.4; GDAL 3.11, rasterio 1.5.",
        "warn worker host n1: its confinement lacks a layer.",
    ]


def test_a_cluster_that_is_not_there_is_told() -> None:
    """Without a scheduler nothing converts; without workers it waits."""
    assert told(ClusterFinding(unavailable=ClusterUnavailable("It is gone."))) == [
        "fail cluster: It is gone."
    ]
    assert told(ClusterFinding()) == ["warn cluster: tls://c:1 has no workers."]
