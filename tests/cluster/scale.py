"""How many workers one daemon feeds, what it takes for each file, and what a second worker brings."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import psutil

from benchmarks.multiplied_journal import TEMPLATE, multiply
from tests.support.cluster import LocalCluster, cluster
from tests.support.live import Live, live
from tests.support.rasters import make
from uploader.convert import Converter, Job
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster
from uploader.journal import Reader

_PAIR_SIDE = 4000
"""Of a raster for two workers, in pixels: with `convert.level = "small"` it takes a core some seconds."""

_PROCESSES = 2
"""Of Dask, among which the simulated workers are divided as threads."""


def feeds(workers: int, seconds: float, rounds: int) -> int:
    """Conversions that sleep, on so many workers: 0 where at least 90 % of them are busy."""
    os.environ["SLOW_SECONDS"] = str(seconds)
    preload = ["--preload", str(Path(__file__).with_name("slow.py"))]
    with (
        tempfile.TemporaryDirectory(prefix="cluster-scale-") as temporary,
        cluster(Path(temporary), 0) as made,
    ):
        for _ in range(_PROCESSES):
            made.start_worker(*preload, threads=workers // _PROCESSES)
        jobs = _jobs(Path(temporary), workers * rounds, size=256)
        took, (_, used, _) = anyio.run(_convert, made, jobs, workers)
    busy = rounds * seconds / took
    each = used / len(jobs)
    print(
        f"workers={workers} files={len(jobs)} seconds={took:.1f} busy={busy:.1%} "
        f"cpu_ms_a_file={each * 1000:.1f} feeds={seconds / each:.0f} workers at {seconds:g} s a file"
    )
    return 0 if busy >= 0.9 else 1


def fed_by_a_daemon(workers: int, seconds: float, rounds: int, known: int) -> int:
    """The same with all that a daemon does: claims, journal, sessions and uploads to a sandbox beside it.

    `known`: so many completed files are in its journal, and in its folder, before.
    """
    os.environ["SLOW_SECONDS"] = str(seconds)
    preload = ["--preload", str(Path(__file__).with_name("slow.py"))]
    files = workers * rounds
    with tempfile.TemporaryDirectory(prefix="cluster-daemon-") as temporary:
        root = Path(temporary)
        (root / "world").mkdir()
        raster = _cog(root)
        with cluster(root / "cluster", 0) as made:
            for _ in range(_PROCESSES):
                made.start_worker(*preload, threads=workers // _PROCESSES)
            settings = {
                "convert": {"engine": "dask", "scheduler": made.address, "workers": 0},
                "staging": {"dir": str(root / "shared")},
            }
            with live(root / "world", start=False, settings=settings) as d:
                before = _remember(root, d, raster, known)
                d.up()
                assert d.process is not None
                daemon = psutil.Process(d.process.pid)
                if known:
                    d.w.wait(lambda: _rests(daemon), "the known files are scanned", 900)
                spent = sum(daemon.cpu_times()[:2])
                for number in range(files):
                    shutil.copyfile(raster, d.w.drop / f"f{number:05d}.tif")
                while (status := d.status())["completed"] < before + files:
                    assert not status["rejected"], status["failed"]
                    time.sleep(0.5)
                clients = [c for c in daemon.children() if "cluster.client" in " ".join(c.cmdline())]
                used = sum(sum(process.cpu_times()[:2]) for process in (daemon, *clients)) - spent
                times = _converted(d.w.root / "daemon.log")
    # The first are begun while the cluster is still coming up; what counts is the middle of them.
    middle = times[workers : files - workers + 1]
    busy = (len(middle) - 1) * seconds / (middle[-1] - middle[0]) / workers
    print(
        f"daemon: workers={workers} known={known} files={files} busy={busy:.1%} "
        f"cpu_ms_a_file={used / files * 1000:.1f} feeds={seconds / (used / files):.0f} workers "
        f"at {seconds:g} s a file load={os.getloadavg()[0]:.1f}"
    )
    return 0 if busy >= 0.9 else 1


def _remember(root: Path, made: Live, raster: Path, known: int) -> int:
    """Give a new daemon a journal and a folder of so many completed files; returns how many it tells of."""
    if known < TEMPLATE:
        return 0
    template = root / "template"
    template.mkdir()
    with live(template, settings={"convert": {"workers": 2}}) as first:
        for number in range(TEMPLATE):
            shutil.copyfile(raster, first.w.drop / f"t{number:05d}.tif")
        first.w.wait(lambda: first.status()["completed"] == TEMPLATE, "the template is completed", 300)
        first.end()
        multiply((first.w.state, first.w.drop), (made.w.state, made.w.drop), known)
    with Reader(made.w.state) as reader:
        return int(reader.status()["completed"])


def _rests(process: psutil.Process) -> bool:
    """Whether a process uses less than a twentieth of a processor for ten seconds."""
    before = sum(process.cpu_times()[:2])
    time.sleep(10)
    return sum(process.cpu_times()[:2]) - before < 0.5


def _cog(root: Path) -> Path:
    """A small COG, which is an item as it is."""
    job = Job(make("rgb_striped", root / "made" / "source.tif", size=256), root / "cog.tif")

    async def converted() -> None:
        async with Converter(1) as converter:
            await converter.convert(job)

    anyio.run(converted)
    return job.target


def _converted(log: Path) -> list[float]:
    """When files were converted, in order (unix seconds)."""
    lines = [line for line in log.read_text().splitlines() if " INFO converted " in line]
    return sorted(datetime.fromisoformat(line.partition(" INFO ")[0]).timestamp() for line in lines)


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor seconds of a file: of its worker with the children, of us with Dask's client, and of the scheduler."""

    worker: float
    coordinator: float
    scheduler: float

    @property
    def others(self) -> float:
        """What the worker's cores do not get where all run on the same ones."""
        return self.coordinator + self.scheduler

    def __str__(self) -> str:
        return f"worker={self.worker:.2f} coordinator={self.coordinator:.3f} scheduler={self.scheduler:.3f}"


def pair(files: int) -> int:
    """Rasters of at least two seconds each on one worker of one core, and on two: 0 where two are 1.8 times as quick.

    `ceiling` is what two workers can be at most where coordinator and scheduler run on their two cores as well: twice
    what one worker needed of a file, divided by what everybody needed of it beside a second one. What is missing from
    there to 2 is those others' part, and what two workers cost each other (caches, memory, one core seen as two). What
    is missing from `ratio` to `ceiling` is time in which a core had nothing to do.
    """
    took, shares = {}, {}
    with tempfile.TemporaryDirectory(prefix="cluster-pair-") as temporary:
        for workers in (1, 2):
            with cluster(Path(temporary) / f"{workers}", workers) as made:
                for number, worker in enumerate(made.workers):
                    for thread in psutil.Process(worker.pid).threads():
                        os.sched_setaffinity(thread.id, {sorted(os.sched_getaffinity(0))[number]})
                jobs = _jobs(Path(temporary) / f"jobs{workers}", files, size=_PAIR_SIDE, effort="small")
                took[workers], used = anyio.run(_convert, made, jobs, workers)
                shares[workers] = Shares(*(seconds / files for seconds in used))
    load = os.getloadavg()[0]
    print(
        f"files={files} one={took[1]:.1f} s two={took[2]:.1f} s ratio={took[1] / took[2]:.2f} load={load:.1f}"
    )
    for workers, share in shares.items():
        print(f"processor seconds a file with {workers}: {share}")
    print(f"ceiling={2 * shares[1].worker / (shares[2].worker + shares[2].others):.2f}")
    return 0 if took[1] / took[2] >= 1.8 else 1


def _jobs(root: Path, count: int, *, size: int, **options: Any) -> list[Job]:
    """So many conversions of one raster."""
    source = make("rgb_striped", root / "in" / "source.tif", size=size)
    return [Job(source, root / f"{number}.tif", **options) for number in range(count)]


async def _convert(made: LocalCluster, jobs: list[Job], workers: int) -> tuple[float, tuple[float, ...]]:
    """Seconds that they took together, once all workers were there, and meanwhile those of processors: `_parts`."""
    async with ClusterConverter(Cluster(made.address)) as converter:
        first, rest = jobs[0], jobs
        await converter.convert(first)
        while converter.slots < workers:  # noqa: ASYNC110 - the workers come up by and by
            await anyio.sleep(0.1)
        begun, before = time.monotonic(), _parts(made)
        async with anyio.create_task_group() as group:
            for job in rest:
                group.start_soon(converter.convert, job)
        seconds = time.monotonic() - begun
        return seconds, tuple(now - then for now, then in zip(_parts(made), before, strict=True))


def _parts(made: LocalCluster) -> tuple[float, float, float]:
    """Processor seconds until now of the workers with their children, of us with our client, and of the scheduler."""
    assert made.scheduler is not None
    return sum(_whole(worker.pid) for worker in made.workers), _used(), _whole(made.scheduler.pid)


def _whole(pid: int) -> float:
    """Processor seconds of a process and of all that it has started, those that have ended among them."""
    root = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:4]) for each in (root, *root.children(recursive=True)))


def _used() -> float:
    """Processor seconds of this process and its clients, without those of the cluster."""
    own = psutil.Process()
    clients = [child for child in own.children() if "cluster.client" in " ".join(child.cmdline())]
    return sum(sum(process.cpu_times()[:2]) for process in (own, *clients))
