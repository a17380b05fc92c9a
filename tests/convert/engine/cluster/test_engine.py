"""What the engine makes of lost and unfit workers, and of a cluster that is not there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from tests.support import compare, rasters
from tests.support.cluster import LocalCluster
from uploader.convert import Converter, Job
from uploader.convert.engine.cluster import attempt, engine, task
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster, Pending
from uploader.convert.engine.cluster.worker_check import checked
from uploader.core.errors import ClusterUnavailable, WorkerGone
from uploader.daemon.conversion_engine import WithFallback

pytestmark = pytest.mark.anyio


class Link:
    """The link to a cluster whose workers answer as they are told, one after another."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []
        self.gone, self.workers, self.slots, self.without_since = "", {"a": 1}, 1, None

    async def ask(self, name: str, request: dict[str, Any], avoid: list[str]) -> Pending:
        """The next answer; where there is none, no worker is fit."""
        self.asked.append(avoid)
        pending = Pending()
        if self.answers:
            pending.answer = self.answers.pop(0)
        else:
            pending.failed = "no worker is fit"
        pending.over.set()
        return pending

    async def forget(self, name: str) -> None:
        """Nothing is kept."""

    async def aclose(self) -> None:
        """Nothing is open."""


def job(root: Path, kind: str = "plain") -> Job:
    """A small raster, and where its COG goes."""
    return Job(rasters.make(kind, root / "in" / "source.tif", size=64), root / "out.tif")


def left(root: Path) -> list[str]:
    """What lies there."""
    return [path.name for path in root.iterdir()]


@pytest.mark.unit
async def test_a_lost_worker_is_told_each_time(tmp_path: Path) -> None:
    """Whoever counts the attempts asks again or does not; nothing is left of a try, and the cluster goes on."""
    async with ClusterConverter(Cluster("tcp://c:1")) as converter:
        converter._link = Link(*[{"lost": "gone"}] * 9)  # type: ignore[assignment]
        for _ in range(2):
            with pytest.raises(WorkerGone, match="A worker was lost while it converted it: gone"):
                await converter.convert(job(tmp_path))
        assert converter.lost == 2
        assert len(converter._link.answers) == 7  # type: ignore[union-attr]
    assert left(tmp_path) == ["in"]


@pytest.mark.unit
async def test_a_worker_that_is_not_fit_is_not_asked_again(tmp_path: Path) -> None:
    """The others are; where none is left, the reason says what is wrong with it."""
    async with ClusterConverter(Cluster("tcp://c:1")) as converter:
        link = converter._link = Link({"unfit": "It sees another folder.", "worker": "a"})  # type: ignore[assignment]
        with pytest.raises(ClusterUnavailable, match=r"It sees another folder\."):
            await converter.convert(job(tmp_path))
        assert link.asked == [[], ["a"]]
        assert converter.cluster.avoided == 1


@pytest.mark.unit
async def test_a_worker_that_nobody_can_name_is_no_endless_loop(tmp_path: Path) -> None:
    """It could not be left out the next time."""
    async with ClusterConverter(Cluster("tcp://c:1")) as converter:
        converter._link = Link({"unfit": "It sees another folder."})  # type: ignore[assignment]
        with pytest.raises(ClusterUnavailable, match="another folder"):
            await converter.convert(job(tmp_path))


@pytest.mark.e2e
async def test_another_version_is_told(
    workers: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the worker itself, before it takes anything of a job apart."""
    monkeypatch.setattr(attempt, "__version__", "0.0.1")
    async with ClusterConverter(Cluster(workers.address)) as converter:
        with pytest.raises(ClusterUnavailable, match=r"It runs uploader .*, and the daemon 0\.0\.1"):
            await converter.convert(job(tmp_path))
    assert left(tmp_path) == ["in"]


@pytest.mark.e2e
async def test_this_machine_converts_where_the_cluster_is_not_there(tmp_path: Path) -> None:
    """The number of conversions is then its own."""
    asked = job(tmp_path)
    async with ClusterConverter(Cluster("tls://127.0.0.1:1"), 9) as cluster, Converter(1) as local:
        converter = WithFallback(cluster, local)
        assert converter.workers == 9
        await converter.convert(asked)
        assert converter.workers == 1
    assert compare.differences(asked.source, asked.target) == []


@pytest.mark.unit
def test_a_worker_is_asked_for_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of Dask, by which it can be left out."""
    distributed = pytest.importorskip("distributed", reason="needs the extra `dask`")
    monkeypatch.setattr(distributed, "get_worker", lambda: SimpleNamespace(address="tcp://w:1"))
    assert task._address() == "tcp://w:1"


@pytest.mark.e2e
async def test_every_worker_is_asked_whether_it_is_fit(workers: LocalCluster, tmp_path: Path) -> None:
    """It reads what we wrote, writes what we read, and tells of its host; nothing is left."""
    found = await checked(Cluster(workers.address), tmp_path)
    assert [(one.why, bool(one.host.gdal), one.host.confinement is not None) for one in found.workers] == [
        ("", True, True)
    ]
    assert found.slots == 2
    assert left(tmp_path) == []


async def test_each_worker_is_told_while_it_converts(
    workers: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has begun with, by its name, and afterwards that it is done."""
    asked = Job(
        rasters.make("plain", tmp_path / "in" / "s.tif", size=2000), tmp_path / "out.tif", name="a.tif"
    )
    monkeypatch.setattr(engine, "LOOK", 0.01)
    async with ClusterConverter(Cluster(workers.address)) as converter, anyio.create_task_group() as group:
        group.start_soon(converter.convert, asked)
        with anyio.fail_after(60):
            while not any(worker.converting for worker in converter.cluster.each):  # noqa: ASYNC110 - only the engine tells it
                await anyio.sleep(0.02)
        found = [worker.converting for worker in converter.cluster.each if worker.converting]
        assert found == [("a.tif",)]
        with anyio.fail_after(60):
            while not sum(worker.done for worker in converter.cluster.each):  # noqa: ASYNC110 - only the engine tells it
                await anyio.sleep(0.02)
        assert all(not worker.converting for worker in converter.cluster.each)
