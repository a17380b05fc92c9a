"""The daemon's end of the pipe to Dask's client: start it, ask it, hear it, end it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
from anyio.abc import Process, TaskGroup

from uploader.convert.engine.child_answers import last_words, parsed
from uploader.convert.engine.cluster.answers import text_of, workers_of
from uploader.convert.engine.starting import module_path
from uploader.convert.isolation import environment
from uploader.core.errors import ClusterUnavailable, ConversionFailed

_LOG = logging.getLogger(__name__)

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from uploader.convert.engine.cluster.client import main; main(sys.argv[1:])"
)
_LINE_BYTES = (8 << 20) + 4096
_ERROR_BYTES = 4096

SILENCE = 30.0
"""Seconds without a line after which the client is given up; it says something each second."""

WAY_OUT = "Look after the cluster's scheduler and workers; it goes on by itself when they are there."


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the scheduler is, and the files of the certificates by which both sides know each other."""

    scheduler: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def to_json(self) -> dict[str, str]:
        """As plain JSON types; an empty text for a file that is not set."""
        files = {"ca": self.ca_file, "cert": self.cert_file, "key": self.key_file}
        return {"scheduler": self.scheduler} | {name: str(path or "") for name, path in files.items()}


@dataclass(slots=True)
class Pending:
    """Something that was asked for: its answer, or why there is none, once `over` is set."""

    over: anyio.Event = field(default_factory=anyio.Event)
    answer: Any = None
    failed: str = ""


class Link:
    """A client of the scheduler in a process of its own. Made by `start`; ends when the scheduler is gone."""

    def __init__(self, process: Process, cluster: Cluster) -> None:
        self._process = process
        self._cluster = cluster
        self._asked: dict[str, Pending] = {}
        self._errors = b""
        self.workers: dict[str, int] = {}
        """By address: how many tasks a worker runs at once."""
        self.without_since: float | None = None
        """Since when there is no worker (monotonic seconds); None while there is one."""
        self.gone = ""
        """Why it has ended, in words; empty while it has not."""
        self._heard = anyio.Event()

    @classmethod
    async def start(cls, cluster: Cluster, group: TaskGroup) -> Link:
        """Start the process, and hear it in `group`; gives the link once the scheduler has told of its workers.

        Raises ClusterUnavailable.
        """
        command = [sys.executable, "-I", "-c", _START, json.dumps(module_path()), str(os.getpid())]
        try:
            process = await anyio.open_process(
                command, env=environment.of_child(), cwd="/", start_new_session=True
            )
        except (OSError, RuntimeError) as error:
            raise ClusterUnavailable(f"Dask's client does not start: {error}.", WAY_OUT) from error
        link = cls(process, cluster)
        group.start_soon(link._hear)
        group.start_soon(link._collect_errors)
        try:
            await link._send(cluster.to_json())
            await link._heard.wait()
            link.require()
        except BaseException:
            await link.aclose()
            raise
        return link

    def require(self) -> None:
        """Raises ClusterUnavailable where the scheduler is gone."""
        if self.gone:
            text = f"The scheduler {self._cluster.scheduler} is not to be reached ({self.gone.rstrip('.')})."
            raise ClusterUnavailable(text, WAY_OUT)

    @property
    def slots(self) -> int:
        """How many tasks all workers run at once."""
        return sum(self.workers.values())

    async def ask(self, name: str, request: dict[str, Any], avoid: list[str]) -> Pending:
        """Have an attempt run on a worker that is none of these. Raises ClusterUnavailable."""
        self.require()
        pending = self._asked[name] = Pending()
        await self._send({"run": name, "request": request, "avoid": avoid})
        return pending

    async def forget(self, name: str) -> None:
        """Nobody waits for this attempt any more: a worker that has not begun with it never will."""
        if (pending := self._asked.pop(name, None)) and not pending.over.is_set():
            with contextlib.suppress(ClusterUnavailable):
                await self._send({"cancel": name})

    async def _send(self, asked: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send(json.dumps(asked).encode() + b"\n")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._end("Its client has ended.")
            self.require()

    async def _hear(self) -> None:
        """Read what it says until it ends; whatever it is, it ends in words."""
        try:
            await self._lines()
        except TimeoutError:
            self._end(f"Its client said nothing for {SILENCE:g} seconds.")
        except ConversionFailed:
            self._end("Its client talks nonsense.")
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await anyio.lowlevel.checkpoint()
            self._end(f"Its client has ended: {last_words(self._errors.decode('utf-8', 'replace'))}")
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _lines(self) -> None:
        assert self._process.stdout is not None
        rest = b""
        while not self.gone:
            if len(rest) > _LINE_BYTES:
                raise ConversionFailed("The line does not end.")
            with anyio.fail_after(SILENCE):
                rest += await self._process.stdout.receive()
            *lines, rest = rest.split(b"\n")
            for line in lines:
                self._understand(parsed(line))

    def _understand(self, said: dict[str, Any]) -> None:
        """One line. Raises ConversionFailed for nonsense."""
        if "gone" in said:
            self._end(text_of(said["gone"]) or "It is gone.")
        elif "workers" in said:
            self.workers = workers_of(said["workers"])
            since = time.monotonic() if self.without_since is None else self.without_since
            self.without_since = None if self.slots else since
            self._heard.set()
        else:
            self._answered(said)

    def _answered(self, said: dict[str, Any]) -> None:
        """What came of an attempt; of one that nobody asked for, or waits for, nothing is kept."""
        name = said.get("done", said.get("failed"))
        pending = self._asked.get(name) if isinstance(name, str) else None
        if pending is None:
            return
        pending.answer = said.get("answer")
        pending.failed = "" if "done" in said else text_of(said.get("why")) or "no reason given"
        pending.over.set()

    def _end(self, why: str) -> None:
        """All that was asked for is over."""
        if not self.gone:
            self.gone, self.workers = why, {}
            _LOG.debug("cluster client ended pid=%d: %s", self._process.pid, why)
        self._heard.set()
        for pending in self._asked.values():
            pending.over.set()

    async def _collect_errors(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                self._errors = (self._errors + await self._process.stderr.receive())[-_ERROR_BYTES:]

    async def aclose(self) -> None:
        """End the process, for certain; may be repeated."""
        with anyio.CancelScope(shield=True):
            self._end("It was closed.")
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            await self._process.aclose()
