"""One zygote, seen from the parent: start it, have it convert a raster in a child, read the answer, end it."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, Process

from uploader.convert.archive_job import ArchiveJob
from uploader.convert.engine import starting
from uploader.convert.engine.child_answers import (
    ZygoteFacts,
    death,
    death_of_child,
    ended,
    entries_of,
    facts_of,
    forecast_of,
    last_words,
    nonsense,
    parsed,
    quicklook_of,
    report_of,
    shortage,
)
from uploader.convert.engine.child_progress import ALIVE, part_of
from uploader.convert.engine.started_process import StartedProcess
from uploader.convert.isolation import environment
from uploader.convert.job import Forecast, Job, Report
from uploader.core import errors
from uploader.core.archives import ArchiveEntry

_LOG = logging.getLogger(__name__)

_LINE_BYTES = (8 << 20) + 1
"""The longest answer of a child that a zygote passes on, with its end."""

_END_SECONDS = 5.0
"""How long a zygote that was asked to end may take; it needs milliseconds, if it is not stopped."""

SILENCE = 50.0
"""Seconds without a sign of life after which a converter is given up; one that works gives one every `BEAT`."""

_SHORT = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""What the system answers when it has no process or descriptor to give."""

_ERROR_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Said:
    """How a child ended, and its own two lines: the answer, and the quicklook where one was asked for."""

    ending: dict[str, Any]
    line: bytes = b""
    more: bytes = b""


class Worker:
    """A zygote and its pipes. Not shared: one job at a time. Made by `start`.

    `sound` tells whether it may be given another job: each raster had a child of its own, so only a zygote that
    died itself, talks nonsense, or was left in the middle of a job is not.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self.host: ZygoteFacts | None = None
        self.sound = True
        self._has_child = False
        """Whether the request that is answered has a child by now."""
        self._hears: Callable[[], None] = lambda: None
        self._hears_part: Callable[[float], None] = lambda _: None
        self._rest = b""
        self._errors = b""
        self._all_said = anyio.Event()
        """The error stream has come to its end."""

    @property
    def pid(self) -> int:
        """The zygote's process id, which is also that of its process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return self._process.returncode is None

    @classmethod
    async def start(cls) -> Worker:
        """Start a zygote with nothing of ours but the module path. It is ready when it says so to `convert`.

        It is tied to the thread that runs this, and its child to it: they die when that thread ends. Raises
        Shortage where the machine has no room for another process, and ConverterBroken where it cannot be started.
        """
        begun = starting.begun()
        if begun is not None:
            return cls(StartedProcess(begun))
        try:
            process = await anyio.open_process(
                starting.command(), env=environment.of_child(), cwd="/", start_new_session=True
            )
        except OSError as error:
            if error.errno in _SHORT:
                raise shortage(error.strerror) from error
            raise errors.ConverterBroken(
                f"The converter does not start: {error.strerror}.", _SEE_CHECK
            ) from error
        except RuntimeError as error:  # Python 3.11 waits for each process in a thread of its own
            raise shortage(str(error)) from error
        return cls(process)

    async def convert(
        self,
        job: Job,
        workshop: Path,
        alive: Callable[[], None] = lambda: None,
        part: Callable[[float], None] = lambda _: None,
    ) -> Report:
        """Hand over one job and wait for its report; `alive` and `part` are those of `ConversionEngine`.

        Raises what the child says is wrong, ConversionFailed when it or the zygote dies, shows no sign of life or
        talks nonsense, ConverterBroken when the zygote does not come up, Shortage when the machine has no process or
        thread to give, and MemoryTooNarrow.
        """
        self._hears, self._hears_part = alive, part
        said = await self._guarded(_line_of({"job": job.to_json(), "workshop": str(workshop)}))
        exit_code, printed = said.ending["exit"], said.ending["errors"]
        if exit_code != 0:
            if not (job.quicklook and said.line):
                raise death_of_child(said.ending, job.memory_limit)
            _LOG.warning("no picture of %s: %s", job.name, death(exit_code, printed, ""))
        report = report_of(parsed(said.line))
        peak_bytes = said.ending["peak_bytes"]
        return replace(report, peak_bytes=peak_bytes, quicklook=quicklook_of(said.more))

    async def look_ahead(self, job: Job, beside: Sequence[str]) -> Forecast:
        """Have a child read the head of a raster where it lies; raises as `convert` does."""
        request = {"job": job.to_json(), "workshop": "", "beside": list(beside)}
        return forecast_of(await self._asked(request, job.memory_limit))

    async def list_archive(self, job: ArchiveJob) -> list[ArchiveEntry]:
        """Have a child list the files in an archive; raises as `convert` does."""
        return entries_of(await self._asked({"archive": job.to_json()}, job.memory_limit))

    async def unpack(self, job: ArchiveJob, alive: Callable[[], None]) -> None:
        """Have a child write what is wanted of an archive; raises as `convert` does."""
        self._hears, self._hears_part = alive, lambda _: None
        entries_of(await self._asked({"archive": job.to_json()}, job.memory_limit))

    async def _asked(self, request: dict[str, Any], memory_limit: int) -> dict[str, Any]:
        """A child's answer to what takes no raster apart."""
        said = await self._guarded(_line_of(request))
        if said.ending["exit"] != 0:
            raise death_of_child(said.ending, memory_limit)
        return parsed(said.line)

    async def rehearse(self, workshop: Path) -> None:
        """Have the zygote itself do in this folder what each of its children would do first; raises as `convert`."""
        await self._guarded(_line_of({"rehearse": str(workshop)}))

    async def ready(self) -> ZygoteFacts:
        """Wait until it is ready, and learn what it tells. Raises ConverterBroken."""
        await self._guarded(b"")
        assert self.host is not None
        return self.host

    async def _guarded(self, request: bytes) -> Said:
        """One exchange, while the error stream is kept from filling up."""
        self.sound = False
        self._all_said = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect_errors)
            answer = await self._converse(request)
            tasks.cancel_scope.cancel()
        if isinstance(answer, errors.LocalError):
            raise answer
        self.sound = True
        return answer

    async def _converse(self, request: bytes) -> Said | errors.LocalError:
        """The answer, or why there is none: returned, for a task group would wrap what is raised."""
        try:
            if self.host is None:
                ready = await self._answer()
                self.host = facts_of(ready.ending, ready.line)
                layers = self.host.confinement.layers()
                _LOG.info(
                    "converter ready pid=%d %s", self.pid, " ".join(f"{k}={v!r}" for k, v in layers.items())
                )
            if not request:
                return Said({})
            assert self._process.stdin is not None
            self._has_child = False
            await self._process.stdin.send(request)
            return await self._answer()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            code = await self._process.wait()
            with anyio.move_on_after(_LAST_WORDS):
                await self._all_said.wait()
            said = self._errors.decode("utf-8", "replace")
            if self.host is None:
                why = last_words(said) or f"it {ended(code)}."
                return errors.ConverterBroken(f"The converter does not start: {why}", _SEE_CHECK)
            return death(code, said, " on this raster")
        except TimeoutError:
            return self._silent()
        except (errors.ConversionFailed, errors.Shortage) as error:
            return error

    def _silent(self) -> errors.LocalError:
        """What it means that nothing was heard for so long: it hangs, is stopped, or waits for what never comes."""
        if self.host is None:
            text = f"The converter does not come up within {SILENCE:g} seconds."
            return errors.ConverterBroken(text, _SEE_CHECK)
        text = f"The converter made no progress for {SILENCE:g} seconds and was stopped."
        if not self._has_child:  # no raster has come that far
            return errors.ConverterBroken(text, _SEE_CHECK)
        return errors.ConversionFailed(
            text, "If the raster is sound, raise convert.memory_limit, should that be small."
        )

    async def _answer(self) -> Said:
        """How a child ended, as the zygote tells it, and the child's own lines."""
        line = await self._line()
        while line == ALIVE[:-1] or part_of(line) is not None:
            self._has_child = True
            part = part_of(line)
            self._hears() if part is None else self._hears_part(part)
            line = await self._line()
        ending = parsed(line)
        if ending.get("short"):
            await self._line()
            await self._line()
            raise shortage(str(ending["short"]))
        try:
            facts = {"exit": int(ending["exit"]), "peak_bytes": int(ending["peak_bytes"])}
            said = {"errors": str(ending["errors"])}
        except (KeyError, TypeError, ValueError) as error:
            raise nonsense() from error
        return Said(ending | facts | said, await self._line(), await self._line())

    async def _line(self) -> bytes:
        """One line of the zygote's, of bounded length."""
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            if len(self._rest) > _LINE_BYTES:
                raise errors.ConversionFailed("The converter does not stop talking.")
            with anyio.fail_after(SILENCE):
                self._rest += await self._process.stdout.receive()
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    async def _collect_errors(self) -> None:
        """Keep the end of what the zygote and its libraries print, and never let the pipe fill up."""
        stream: ByteReceiveStream | None = self._process.stderr
        assert stream is not None
        while True:
            try:
                self._errors = (self._errors + await stream.receive())[-_ERROR_BYTES:]
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._all_said.set()
                return

    async def kill(self) -> None:
        """End the zygote and its child, for certain; may be repeated. Not to be cancelled half-way.

        It is asked first, so that it ends its child itself and leaves nothing for others to bury.
        """
        with anyio.CancelScope(shield=True):
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with anyio.move_on_after(_END_SECONDS):
                await self._process.wait()
            if self.alive:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
            await self._process.aclose()


_SEE_CHECK = "See `uploader check`."

_LAST_WORDS = 1.0
"""Seconds in which what a zygote printed before its end is read: a process of its own may keep the stream open."""


def _line_of(request: dict[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"
