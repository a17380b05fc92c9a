"""A process that was started without an event loop, as one sees it who has one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import IO

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

_LOOK = 0.003
"""Seconds between two looks at whether it has ended."""


class _Reading(ByteReceiveStream):
    """The end of a pipe that is read."""

    def __init__(self, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """What has come; waits until something has. Raises EndOfStream."""
        while True:
            await anyio.wait_readable(self._pipe.fileno())
            with contextlib.suppress(BlockingIOError):
                if data := os.read(self._pipe.fileno(), max_bytes):
                    return data
                raise anyio.EndOfStream

    async def aclose(self) -> None:
        """Nothing is read any more."""
        self._pipe.close()


class _Writing(ByteSendStream):
    """The end of a pipe that is written to."""

    def __init__(self, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe

    async def send(self, item: bytes) -> None:
        """Write all of it. Raises BrokenResourceError where nobody reads."""
        rest = memoryview(item)
        while rest:
            await anyio.wait_writable(self._pipe.fileno())
            try:
                rest = rest[os.write(self._pipe.fileno(), rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise anyio.BrokenResourceError from error

    async def aclose(self) -> None:
        """Nothing is written any more."""
        self._pipe.close()


class StartedProcess(Process):
    """What `anyio.open_process` would have given for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._streams = _Writing(process.stdin), _Reading(process.stdout), _Reading(process.stderr)

    async def wait(self) -> int:
        """Wait for its end; gives its exit code."""
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - the kernel tells an event loop only with a handle more
            await anyio.sleep(_LOOK)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()

    def send_signal(self, signal: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(signal)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    @property
    def stdin(self) -> ByteSendStream:
        """What it reads."""
        return self._streams[0]

    @property
    def stdout(self) -> ByteReceiveStream:
        """What it writes."""
        return self._streams[1]

    @property
    def stderr(self) -> ByteReceiveStream:
        """Its errors."""
        return self._streams[2]

    async def aclose(self) -> None:
        """End it, and close its pipes."""
        with anyio.CancelScope(shield=True):
            if self.returncode is None:
                self.kill()
            for stream in self._streams:
                await stream.aclose()
            await self.wait()
