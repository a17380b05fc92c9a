"""What a Dask worker runs for one raster: the same pool, zygote and child as on the daemon's own machine.

GDAL never runs in the worker's own process. The function may be called again for an attempt that another worker has
begun, because Dask runs the tasks of a lost worker once more: then it gives that one's answer, or says that it is lost.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal

from uploader import __version__
from uploader.convert.engine.cluster import attempt_folder
from uploader.convert.engine.cluster.attempt_folder import BEGUN, TOKEN
from uploader.convert.engine.cluster.room import Room
from uploader.convert.engine.pool import Converter
from uploader.convert.job import Job
from uploader.core.errors import LocalError
from uploader.system import threads

LOOK = 1.0
"""Seconds between two looks whether the attempt is still wanted."""

_MOST_AT_ONCE = 1024
"""Dask bounds how many tasks a worker runs; the pool does not bound them again."""


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Convert the raster of an attempt, once; the answer is plain JSON types.

    It has `report`, `size`, `sha256` and `host`; or `error`, `reason` and `way_out` as a child says them; or `lost`:
    another worker began the attempt; or `unfit`: why this worker cannot convert for this daemon. `worker` names it.
    """
    folder, worker = Path(request["folder"]), _address()
    if why := _unfit(request, folder):
        return {"unfit": why, "worker": worker}
    if (earlier := attempt_folder.answered(folder)) is not None:
        return earlier
    try:
        attempt_folder.written(folder / BEGUN, attempt_folder.beginning(request["token"], worker))
    except FileExistsError:
        return {"lost": "The worker that had begun with it is gone.", "worker": worker}
    except OSError as error:
        return {"unfit": f"It cannot write to {folder.parent}: {error.strerror}.", "worker": worker}
    answer: dict[str, Any] = _HOST.portal().call(_convert, Job.from_json(request["job"]), folder)
    answer["worker"] = worker
    with suppress(OSError):  # then nobody wants it any more
        attempt_folder.write_answer(folder, answer)
    return answer


def wanted() -> None:
    """Do nothing: a task that waits tells a cluster which grows with its work that a worker is wanted."""


def _address() -> str:
    """How the scheduler calls this worker."""
    from distributed import get_worker  # noqa: PLC0415 - whoever runs this has it

    return str(get_worker().address)


def _unfit(request: dict[str, Any], folder: Path) -> str:
    """Why this worker cannot convert for this daemon, in words; empty where it can."""
    if request["version"] != __version__:
        return f"It runs uploader {__version__}, and the daemon {request['version']}."
    try:
        same = attempt_folder.read(folder / TOKEN) == request["token"].encode()
    except OSError as error:
        return f"It does not find what the daemon wrote to {folder.parent}: {error.strerror}."
    return "" if same else f"It sees another folder at {folder.parent} than the daemon."


class _Host:
    """The event loop and the pool of this worker process, which its tasks share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._portal: BlockingPortal | None = None

    def portal(self) -> BlockingPortal:
        """The door to the event loop, which is started for the first task, and ends with the process.

        Its thread must live as long as the zygotes, who die with it; those of tasks may end earlier.
        """
        with self._lock:
            if self._portal is None:
                ready = threading.Event()
                threads.start(threading.Thread(target=self._serve, args=(ready,), daemon=True))
                ready.wait()
            assert self._portal is not None
            return self._portal

    def _serve(self, ready: threading.Event) -> None:
        anyio.run(self._loop, ready)

    async def _loop(self, ready: threading.Event) -> None:
        threads.allow(_MOST_AT_ONCE)
        async with BlockingPortal() as portal:
            self.converter = Converter(_MOST_AT_ONCE)
            self.room = Room()
            self._portal = portal
            ready.set()
            await portal.sleep_until_stopped()


_HOST = _Host()


async def _convert(job: Job, folder: Path) -> dict[str, Any]:
    """The answer to one job, which is given up as soon as its folder is gone."""
    answer: dict[str, Any] = {"lost": "The daemon does not want it any more."}
    signs = [0]

    def alive() -> None:
        signs[0] += 1

    async with anyio.create_task_group() as group:
        group.start_soon(_watch, folder, signs, group.cancel_scope)
        async with AsyncExitStack() as stack:
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(_patient, alive)
                await stack.enter_async_context(_HOST.room.taken(alone=job.alone))
                waiting.cancel_scope.cancel()
            answer = await _answer(job, alive)
        group.cancel_scope.cancel()
    return answer


async def _patient(alive: Callable[[], None]) -> None:
    """Who waits for a place in this worker lives, too."""
    while True:
        alive()
        await anyio.sleep(LOOK)


async def _watch(folder: Path, signs: list[int], scope: anyio.CancelScope) -> None:
    """Pass each sign of life on, and end the conversion when nobody waits for it."""
    told = 0
    while True:
        await anyio.sleep(LOOK)
        seen = signs[0]
        try:
            await threads.run_sync(partial(_touched, folder / BEGUN, sign=seen > told))
        except OSError:
            scope.cancel()
            return
        told = seen


def _touched(path: Path, *, sign: bool) -> None:
    """Raises OSError where it is not there: it is opened, for a shared file system tells the truth only then."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if sign:
            os.utime(handle)
    finally:
        os.close(handle)


async def _answer(job: Job, alive: Callable[[], None]) -> dict[str, Any]:
    """The report or the error, with what the host is."""
    try:
        report = await _HOST.converter.convert(job, alive)
        size, sha256 = await threads.run_sync(_measured, job.target)
    except LocalError as error:
        return error.to_json() | {"host": _host()}
    except FileNotFoundError:  # the folder was removed between the last write and the hash
        return {"lost": "The daemon does not want it any more."}
    return {"report": report.to_json(), "size": size, "sha256": sha256, "host": _host()}


def _host() -> dict[str, Any]:
    facts = _HOST.converter.facts
    return ({} if facts is None else asdict(facts)) | {"name": socket.gethostname()}


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return os.fstat(file.fileno()).st_size, digest
