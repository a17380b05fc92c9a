"""The process that talks to Dask for the daemon: it has no key, no journal, and nothing of the daemon's environment.

Dask takes apart what workers send by unpickling it, so whoever rules a worker rules this process too. It reads lines
of JSON from the daemon (first where the scheduler is, then what to run and what to cancel) and writes lines of JSON,
which the daemon reads as from a process that may be out of its mind. When the scheduler is gone it says so and ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import dask
from distributed import Client, Future, KilledWorker, Security
from distributed.client import FutureCancelledError

from uploader.convert.engine.cluster import task
from uploader.convert.isolation import confine, landlock

CONNECT = 5.0
"""Seconds within which a scheduler is found."""

ANSWER = 15.0
"""Seconds within which it answers when it is asked how it is: it may be busy."""

LOOK = 1.0
"""Seconds between two questions how the cluster is."""

_SYSTEM = (
    *(
        "/etc/hosts",
        "/etc/resolv.conf",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
    ),
    *(
        "/etc/ssl",
        "/usr/lib",
        "/lib",
        "/lib64",
        "/usr/share/zoneinfo",
        "/proc/self",
        "/proc/meminfo",
        "/proc/stat",
    ),
    *("/proc/net", "/proc/cpuinfo", "/proc/loadavg", "/sys/fs/cgroup", "/dev/null", "/dev/urandom"),
)
"""What the system's libraries and Dask's look at themselves read."""

_LINE_BYTES = 8 << 20
_WORDS = 500


class ClusterSession:
    """One connection to a scheduler, and the tasks that were asked for through it."""

    def __init__(self, client: Client, answers: BinaryIO) -> None:
        self._client = client
        self._answers = answers
        self._futures: dict[str, Future] = {}
        self._workers: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost = False
        """The scheduler has forgotten what it was asked for: also one that was there again at once."""
        self._call: Future | None = None
        """A task that waits while there is no worker."""

    def say(self, **said: Any) -> None:
        """Write one line; what is too long, or no JSON, is told as that."""
        line = json.dumps(said, default=str).encode()
        if len(line) > _LINE_BYTES:
            line = json.dumps({"failed": said.get("done"), "why": "Its answer is too long."}).encode()
        self._answers.write(line + b"\n")

    async def listen(self, requests: asyncio.StreamReader) -> str:
        """Do what the daemon asks until it is gone."""
        while line := await requests.readline():
            asked = json.loads(line)
            if "cancel" in asked:
                await self._cancel(asked["cancel"])
            else:
                one = asyncio.create_task(self._run(asked["run"], asked["request"], asked["avoid"]))
                self._tasks.add(one)
                one.add_done_callback(self._tasks.discard)
        return "The daemon is gone."

    async def watch(self) -> str:
        """Tell the workers again and again; gives why that has come to an end."""
        while self._client.status == "running" and not self._lost:
            try:
                found = await asyncio.wait_for(self._client.scheduler.identity(), ANSWER)
            except (OSError, TimeoutError) as error:
                return _words(error) or f"It does not answer within {ANSWER:g} seconds."
            self._workers = {name: worker["nthreads"] for name, worker in found["workers"].items()}
            self.say(workers=self._workers)
            self._call_for_workers()
            await asyncio.sleep(LOOK)
        return "The connection was lost."

    def _call_for_workers(self) -> None:
        """A cluster that grows with its work sees some as long as it has no worker."""
        if self._workers and self._call is not None:
            self._call.release()
            self._call = None
        elif not self._workers and self._call is None:
            self._call = self._client.submit(task.wanted, pure=False)

    async def _run(self, name: str, request: dict[str, Any], avoid: list[str]) -> None:
        """Have one attempt run, and tell what came of it."""
        allowed = [worker for worker in self._workers if worker not in avoid] if avoid else None
        if allowed == []:
            self.say(failed=name, why="no worker is fit")
            return
        future = self._futures[name] = self._client.submit(
            task.run,
            request,
            key=f"uploader-{name}",
            pure=False,
            workers=allowed,
            allow_other_workers=False,
        )
        try:
            self.say(done=name, answer=await future)
        except KilledWorker:
            self.say(done=name, answer={"lost": "Dask gave it up, for several workers were lost with it."})
        except (asyncio.CancelledError, FutureCancelledError):
            self._lost = self._lost or name in self._futures  # else it was the daemon who cancelled it
        except Exception as error:  # noqa: BLE001 - whatever a worker raised
            self.say(failed=name, why=_words(error))
        finally:
            self._futures.pop(name, None)
            future.release()

    async def _cancel(self, name: str) -> None:
        future = self._futures.pop(name, None)
        if future is not None:
            with suppress(OSError, TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._client.cancel([future], force=True), ANSWER)


def _words(error: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_WORDS]


def _security(settings: dict[str, str]) -> Security | None:
    """The certificates that are set; None for none."""
    if not settings["ca"]:
        return None
    return Security(
        require_encryption=True,
        tls_ca_file=settings["ca"],
        tls_client_cert=settings["cert"],
        tls_client_key=settings["key"],
    )


async def _serve(answers: BinaryIO) -> None:
    requests = asyncio.StreamReader(limit=_LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin.buffer)
    settings = json.loads(await requests.readline())
    _keep_to_libraries(settings)
    try:
        client = await Client(
            settings["scheduler"],
            security=_security(settings),
            asynchronous=True,
            set_as_default=False,
            timeout=CONNECT,
            name="uploader",
        )
    except Exception as error:  # noqa: BLE001 - whatever Dask says of the address, the certificates or the network
        answers.write(json.dumps({"gone": _words(error)}).encode() + b"\n")
        return
    session = ClusterSession(client, answers)
    ends = [asyncio.create_task(session.watch()), asyncio.create_task(session.listen(requests))]
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    with suppress(BrokenPipeError):
        session.say(gone=done.pop().result())


def _keep_to_libraries(settings: dict[str, str]) -> None:
    """Give up every file but what Python, Dask and the resolver of names read: the API key and the journal above all.

    Where the kernel has no Landlock, the rights of files are all that keeps them.
    """
    code = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *filter(os.path.isdir, sys.path)]
    files = [settings[name] for name in ("ca", "cert", "key") if settings[name]]
    with suppress(OSError):
        landlock.restrict(map(Path, (*code, *_SYSTEM, *files)), (), tcp=True)


def main(arguments: list[str]) -> None:
    """Serve the daemon, whose process id is the argument, until it or the scheduler is gone."""
    confine.settle(int(arguments[0]))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT:g}s"})
    try:
        asyncio.run(_serve(answers))
    finally:
        os._exit(0)  # Dask's own farewell would wait for a scheduler that may be gone
