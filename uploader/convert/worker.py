"""One converting child, seen from the parent: start it, give it a job, read its answer, kill it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, Process

import uploader
from uploader.convert import confine
from uploader.convert.job import Job, Report
from uploader.core import errors

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from uploader.convert.child import main; main(sys.argv[1:])"
)
"""What the child runs first: it finds our modules where we do, be it an installation or a checkout."""

_ANSWER_BYTES = 8 << 20
_ERROR_BYTES = 4096
_REASON_LENGTH = 1000

_ERRORS: Mapping[str, type[errors.LocalError]] = {
    kind.__name__: kind
    for kind in (
        errors.RasterUnreadable,
        errors.RasterRefused,
        errors.ConversionFailed,
        errors.NoSpace,
    )
}

_DEATHS: Mapping[int, str] = {
    signal.SIGSEGV: "crashed (segmentation fault)",
    signal.SIGBUS: "crashed (bus error)",
    signal.SIGFPE: "crashed (arithmetic)",
    signal.SIGILL: "crashed (illegal instruction)",
    signal.SIGABRT: "gave up (abort)",
    signal.SIGKILL: "was killed, perhaps for its memory",
    signal.SIGXCPU: "used up its processor time",
    signal.SIGXFSZ: "wrote too large a file",
}


class Worker:
    """A child and its pipes. Not shared: one job at a time. Made by `start`."""

    def __init__(self, process: Process, memory_limit: int) -> None:
        self._process = process
        self.memory_limit = memory_limit
        self.jobs = 0
        self._ready = False
        self._rest = b""
        self._errors = b""

    @property
    def pid(self) -> int:
        """The child's process id, which is also that of its process group."""
        return self._process.pid

    @classmethod
    async def start(cls, memory_limit: int) -> Worker:
        """Start a child with nothing of ours but the module path. It is ready when it says so to `convert`.

        The child is tied to the thread that runs this: it dies when that thread ends.
        """
        command = [
            sys.executable,
            "-I",
            "-c",
            _START,
            json.dumps(_module_path()),
            str(memory_limit),
            str(os.getpid()),
        ]
        process = await anyio.open_process(
            command, env=confine.environment(memory_limit), cwd="/", start_new_session=True
        )
        return cls(process, memory_limit)

    async def convert(self, job: Job, workshop: Path) -> Report:
        """Hand over one job and wait for its report.

        Raises what the child says is wrong, or ConversionFailed when it dies or talks nonsense: then it must be
        killed, for it is in no known state.
        """
        request = json.dumps({"job": job.to_json(), "workshop": str(workshop)}).encode() + b"\n"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect_errors)
            answer = await self._converse(request)
            tasks.cancel_scope.cancel()
        if isinstance(answer, errors.ConversionFailed):
            raise answer
        self.jobs += 1
        return _report(answer)

    async def _converse(self, request: bytes) -> dict[str, Any] | errors.ConversionFailed:
        """The child's answer, or why there is none: returned, for a task group would wrap what is raised."""
        try:
            if not self._ready:
                await self._line()
                self._ready = True
            assert self._process.stdin is not None
            await self._process.stdin.send(request)
            return _parsed(await self._line())
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            return await self._death()
        except errors.ConversionFailed as error:
            return error

    async def _line(self) -> bytes:
        """One line of the child's answers, of bounded length."""
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            if len(self._rest) > _ANSWER_BYTES:
                raise errors.ConversionFailed("The converter does not stop talking.")
            self._rest += await self._process.stdout.receive()
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    async def _death(self) -> errors.ConversionFailed:
        code = await self._process.wait()
        if b"bad_alloc" in self._errors or b"MemoryError" in self._errors:
            return errors.ConversionFailed("The converter ran out of memory on this raster.", _MORE_MEMORY)
        said = " ".join(self._errors.decode("utf-8", "replace").split())[-200:]
        if not self._ready:
            return errors.ConversionFailed(f"The converter does not start: {said}", "See `uploader check`.")
        how = _DEATHS.get(-code, f"ended with signal {-code}" if code < 0 else f"ended with code {code}")
        return errors.ConversionFailed(f"The converter {how} on this raster{': ' + said if said else ''}.")

    async def _collect_errors(self) -> None:
        """Keep the end of what the child and its libraries print, and never let the pipe fill up."""
        stream: ByteReceiveStream | None = self._process.stderr
        assert stream is not None
        while True:
            try:
                self._errors = (self._errors + await stream.receive())[-_ERROR_BYTES:]
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def kill(self) -> None:
        """End the child and whatever it started, for certain; may be repeated. Not to be cancelled half-way."""
        with anyio.CancelScope(shield=True):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            await self._process.aclose()


_MORE_MEMORY = "Raise convert.memory_limit, or split the raster."


def _module_path() -> list[str]:
    """Where the child finds the same modules as we do: our path without what is relative to some folder."""
    own = str(Path(uploader.__file__).resolve().parent.parent)
    known = [entry for entry in sys.path if Path(entry).is_absolute()]
    return known if own in known else [own, *known]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise errors.ConversionFailed("The converter's answer makes no sense.") from error
    if not isinstance(answer, dict):
        raise errors.ConversionFailed("The converter's answer makes no sense.")
    return answer


def _report(answer: dict[str, Any]) -> Report:
    """The report that an answer holds; raises the error that it holds."""
    if "error" in answer:
        kind = _ERRORS.get(str(answer["error"]), errors.ConversionFailed)
        raise kind(
            str(answer.get("reason", ""))[:_REASON_LENGTH], str(answer.get("way_out", ""))[:_REASON_LENGTH]
        )
    try:
        return Report.from_json(answer["report"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise errors.ConversionFailed("The converter's answer makes no sense.") from error
