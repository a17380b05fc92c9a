"""What `convert.engine.api` promises holds for each engine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from tests.support import compare, rasters
from tests.support.cluster import Engines, LocalCluster
from uploader.convert import Converter, Job
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster
from uploader.core.errors import ConversionFailed, RasterRefused, RasterUnreadable, StagedDamaged
from uploader.core.workshops import WORKSHOP

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]


@pytest.fixture(params=["local", "dask"])
def engine(request: pytest.FixtureRequest) -> Engines:
    """Each implementation."""
    if request.param == "local":
        return Converter
    made = request.getfixturevalue("workers")
    return lambda most: ClusterConverter(Cluster(made.address), most)


def job(root: Path, kind: str, **options: Any) -> Job:
    """A raster of a kind in a folder of its own, and where its COG goes."""
    source = root / kind / "in" / "source.tif"
    rasters.make(kind, source, size=options.pop("size", 0))
    return Job(source, root / kind / "out.tif", **options)


def left(asked: Job) -> set[str]:
    """What lies beside the raster's folder."""
    return {path.name for path in asked.target.parent.iterdir()} - {"in"}


def at_work() -> int:
    """Processes of ours that use a processor right now."""
    return sum(child.status() == psutil.STATUS_RUNNING for child in psutil.Process().children(recursive=True))


def ours(others: LocalCluster | None) -> set[int]:
    """Our processes, without those of the cluster, which ends for itself what nobody waits for."""
    found = {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}
    return found - (others.processes() if others else set())


async def test_a_result_is_whole_and_alone(engine: Engines, tmp_path: Path) -> None:
    """It differs in nothing from its raster, and a result that was there is replaced by it."""
    asked = job(tmp_path, "plain", size=64)
    asked.target.write_text("an older result")
    async with engine(1) as converts:
        report = await converts.convert(asked)
        again = await converts.convert(asked)
    assert (again.method, again.bands, again.warnings) == (report.method, report.bands, report.warnings)

    assert compare.differences(asked.source, asked.target) == []
    assert left(asked) == {"out.tif"}


async def test_an_engine_tells_how_far_it_is_or_nothing(engine: Engines, tmp_path: Path) -> None:
    """Onward and not too often, where it knows; nothing of a raster that is done within a second."""
    quick, slow = (job(tmp_path / f"{size}", "plain", size=size) for size in (64, 12000))
    parts: list[tuple[float, float]] = []
    async with engine(1) as converts:
        await converts.convert(quick, part=lambda part: parts.append((-1.0, part)))
        assert parts == []
        report = await converts.convert(slow, part=lambda part: parts.append((anyio.current_time(), part)))
        knows = converts.cluster is None
    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for _, part in parts)
    assert (parts or report.seconds < 2) if knows else parts == []
    assert len(parts) <= 5 * report.seconds + 1


async def test_a_raster_that_is_none_leaves_nothing(engine: Engines, tmp_path: Path) -> None:
    """What lay at the target stays, and the next raster is converted."""
    kinds = {"truncated": RasterUnreadable, "empty": RasterUnreadable, "text": RasterRefused}
    sound = job(tmp_path, "plain", size=64)
    async with engine(1) as converts:
        for kind, error in kinds.items():
            asked = job(tmp_path, kind)
            asked.target.write_text("an older result")
            with pytest.raises(error):
                await converts.convert(asked)
            assert (left(asked), asked.target.read_text()) == ({"out.tif"}, "an older result")
        await converts.convert(sound)

    assert left(sound) == {"out.tif"}


async def test_no_more_than_asked_for_run_at_once(engine: Engines, tmp_path: Path) -> None:
    """Six rasters, two at a time, all of them whole."""
    jobs = []
    for number in range(6):
        asked = job(tmp_path / f"{number}", "plain", size=64)
        jobs.append(asked)
    async with engine(2) as converts, anyio.create_task_group() as group:
        assert converts.workers == 2
        for asked in jobs:
            group.start_soon(converts.convert, asked)

    assert all(compare.differences(asked.source, asked.target) == [] for asked in jobs)


async def test_who_asked_first_is_converted_first(engine: Engines, tmp_path: Path) -> None:
    """So the order in which the planner lets folders share, and higher priorities go first, is that of the work."""
    names = ["many-1", "few-1", "many-2", "urgent", "many-3", "many-4"]
    asked = {name: job(tmp_path / name, "plain", size=64) for name in names}
    done: list[str] = []

    async def one(name: str) -> None:
        await converts.convert(asked[name])
        done.append(name)

    async with engine(1) as converts, anyio.create_task_group() as group:
        for name in names:
            group.start_soon(one, name)
    assert done == names


async def test_a_deadline_ends_a_conversion(engine: Engines, tmp_path: Path) -> None:
    """The file may be too large for its time; nothing of it stays, and nobody works on."""
    asked = job(tmp_path, "plain", size=4000, timeout_seconds=0.05)
    async with engine(1) as converts:
        with pytest.raises(ConversionFailed):
            await converts.convert(asked)
        assert left(asked) == set()
        with anyio.fail_after(10):
            while at_work():  # noqa: ASYNC110 - a process tells nobody that it stands still
                await anyio.sleep(0.05)


async def test_who_is_cancelled_leaves_nothing(engine: Engines, tmp_path: Path) -> None:
    """At any moment; the same raster is converted afterwards as if nothing had been."""
    asked = job(tmp_path, "plain", size=1500)
    async with engine(1) as converts:
        for wait in (0.0, 0.02, 0.1, 0.3):
            with anyio.move_on_after(wait):
                await converts.convert(asked)
            assert left(asked) <= {"out.tif"}
            asked.target.unlink(missing_ok=True)
        await converts.convert(asked)
    assert compare.differences(asked.source, asked.target) == []


@pytest.mark.parametrize("wait", [0.05, 0.3, 1.5])
async def test_an_engine_that_is_closed_leaves_no_process(
    engine: Engines, request: pytest.FixtureRequest, tmp_path: Path, wait: float
) -> None:
    """A conversion that runs meanwhile ends with ConversionFailed; closing twice is closing once."""
    asked = job(tmp_path, "plain", size=4000)
    others = None
    if "dask" in request.node.name:
        others = request.getfixturevalue("workers")
        if wait != 0.3:
            pytest.skip("one moment is enough where a process of its own has to come up each time")
    before = ours(others)
    async with engine(1) as converts:
        ended: list[Exception] = []

        async def run() -> None:
            try:
                await converts.convert(asked)
            except ConversionFailed as error:
                ended.append(error)

        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await anyio.sleep(wait)
            await converts.aclose()
        await converts.aclose()
        assert len(ended) == 1 or asked.target.exists()
    assert ours(others) <= before


async def test_a_folder_that_somebody_removes_is_not_the_rasters_fault(
    engine: Engines, tmp_path: Path
) -> None:
    """What is worked in goes away again and again: each time that is said, and the raster is converted in the end."""
    asked = job(tmp_path, "plain", size=1500)
    damaged = 0

    async def removes() -> None:
        while True:
            for path in asked.target.parent.glob(f".*{WORKSHOP}"):
                shutil.rmtree(path, ignore_errors=True)
            await anyio.sleep(0.02)

    async with engine(1) as converts:
        async with anyio.create_task_group() as group:
            group.start_soon(removes)
            for _ in range(3):
                try:
                    await converts.convert(asked)
                except StagedDamaged:
                    damaged += 1
            group.cancel_scope.cancel()
        await converts.convert(asked)
    assert damaged == 3
    assert compare.differences(asked.source, asked.target) == []
