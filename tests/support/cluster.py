"""A Dask cluster on loopback, of real processes that Dask's own command line starts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import psutil

from uploader.convert import ConversionEngine, Converter
from uploader.convert.engine.cluster.engine import ClusterConverter
from uploader.convert.engine.cluster.link import Cluster

Engines = Callable[[int], AbstractAsyncContextManager[ConversionEngine]]
"""Makes an engine for so many conversions at once."""

DASK = Path(sys.executable).with_name("dask")
_START = 60.0


class LocalCluster:
    """One scheduler, and workers that are started and killed one by one. All end with `stop`."""

    def __init__(self, root: Path, port: int = 0, certificates: Path | None = None) -> None:
        self.certificates = certificates
        """A folder with `cert.pem` and `key.pem`, by which all know each other; None: nothing is encrypted."""
        self.root = root
        self._port = port
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self._folders = 0

    @property
    def address(self) -> str:
        """The scheduler's address, which stays the same over its restarts."""
        return f"{'tls' if self.certificates else 'tcp'}://127.0.0.1:{self._port}"

    def start_scheduler(self) -> None:
        """Start the scheduler, at the port that it had before, and wait until it listens."""
        told = self.root / "scheduler.json"
        told.unlink(missing_ok=True)
        arguments = ["--host", "127.0.0.1", "--port", str(self._port), "--scheduler-file", str(told)]
        self.scheduler = self._started(
            "scheduler", *arguments, "--no-dashboard", "--no-show", folder=self.root
        )
        end = time.monotonic() + _START
        while not told.exists() or not told.read_text().endswith("}"):
            assert time.monotonic() < end, (self.root / "log").read_text()[-2000:]
            assert self.scheduler.poll() is None, (self.root / "log").read_text()[-2000:]
            time.sleep(0.05)
        self._port = int(json.loads(told.read_text())["address"].rpartition(":")[2])

    def start_worker(self, *more: str, threads: int = 1) -> subprocess.Popen[bytes]:
        """Start a worker in a working folder of its own."""
        self._folders += 1
        folder = self.root / f"worker-{self._folders}"
        folder.mkdir()
        arguments = [
            self.address,
            "--nthreads",
            str(threads),
            "--local-directory",
            str(folder),
            "--no-dashboard",
        ]
        worker = self._started(
            "worker", *arguments, "--no-nanny", "--host", "127.0.0.1", *more, folder=folder
        )
        self.workers.append(worker)
        return worker

    def _started(self, *arguments: str, folder: Path) -> subprocess.Popen[bytes]:
        if (made := self.certificates) is not None:
            arguments += ("--protocol", "tls", "--tls-ca-file", str(made / "cert.pem"))
            arguments += ("--tls-cert", str(made / "cert.pem"), "--tls-key", str(made / "key.pem"))
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen(
                [DASK, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill_scheduler(self) -> None:
        """Kill it; its workers end by themselves."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def revive(self) -> None:
        """Start a worker for each that is dead."""
        for worker in [worker for worker in self.workers if worker.poll() is not None]:
            self.workers.remove(worker)
            self.start_worker()

    def processes(self) -> set[int]:
        """All its processes, zygotes and their children among them."""
        found = set()
        for root in filter(None, (self.scheduler, *self.workers)):
            try:
                own = psutil.Process(root.pid)
                found |= {root.pid, *(child.pid for child in own.children(recursive=True))}
            except psutil.NoSuchProcess:
                continue
        return found

    def stop(self) -> None:
        """Kill them all."""
        for process in filter(None, (*self.workers, self.scheduler)):
            process.kill()
            process.wait()


@contextmanager
def cluster(
    root: Path, workers: int = 1, *, threads: int = 1, port: int = 0, certificates: Path | None = None
) -> Iterator[LocalCluster]:
    """A cluster of so many workers with so many threads each; they may still be on their way up."""
    root.mkdir(parents=True, exist_ok=True)
    made = LocalCluster(root, port, certificates)
    try:
        made.start_scheduler()
        for _ in range(workers):
            made.start_worker(threads=threads)
        yield made
    finally:
        made.stop()


@contextmanager
def engines(root: Path, *, dask: bool) -> Iterator[Engines]:
    """The local engine, or one that converts on a cluster of one worker below `root`."""
    if not dask:
        yield Converter
        return
    with cluster(root / ".cluster", threads=2) as made:
        yield lambda most: ClusterConverter(Cluster(made.address), most)
