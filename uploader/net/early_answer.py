"""Connections that listen while they write, for requests whose answer may come before their body is sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio
import httpcore

from uploader.net.network_stream import NetworkBackend

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

_READ = 65_536
_INTERIM = b"HTTP/1.1 1"
"""How the 1xx answers begin; nobody here waits for one."""


class EarlyAnswerStream(httpcore.AsyncNetworkStream):
    """A stream that can listen while it writes: a write ends early once the far side has begun to answer.

    httpcore takes a WriteError in the middle of a body as the cue to read the answer, so that is what an
    early answer looks like to it. Reading goes on through TLS as well, where a readable socket alone proves
    nothing: session tickets arrive unasked.
    """

    def __init__(
        self, inner: httpcore.AsyncNetworkStream, remember: Callable[[EarlyAnswerStream], None]
    ) -> None:
        self._inner = inner
        self._remember = remember
        self._heard: anyio.Event | None = None
        self._ahead = b""
        self._failure: Exception | None = None
        self._writing: anyio.CancelScope | None = None
        self._patience = 0.0
        self._answer_by: float | None = None
        remember(self)

    def attend(self, group: anyio.abc.TaskGroup, patience: float) -> None:
        """Listen from now on, in a task of `group`; once read for, the answer may take `patience` seconds."""
        self._heard, self._ahead, self._failure = anyio.Event(), b"", None
        self._patience, self._answer_by = patience, None
        group.start_soon(self._listen, self._heard)

    @property
    def listening(self) -> bool:
        """Whether it listens still: nothing of an answer is there, and the connection is not at its end."""
        return self._heard is not None and not self._heard.is_set()

    async def _listen(self, heard: anyio.Event) -> None:
        """Read the first bytes of the answer ahead of time."""
        try:
            while not _begun(self._ahead):
                part = await self._inner.read(_READ, None)
                self._ahead = _past_interim(self._ahead + part)
                if not part:
                    break
        except Exception as error:  # noqa: BLE001 - not swallowed: whoever reads next gets it
            self._failure = error
        finally:
            heard.set()
            if self._writing is not None:
                self._writing.cancel()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Read, first what was heard ahead of time."""
        timeout = self._left(timeout)
        if self._heard is None:
            return await self._inner.read(max_bytes, timeout)
        with anyio.move_on_after(timeout):
            await self._heard.wait()
        if not self._heard.is_set():
            raise httpcore.ReadTimeout
        if self._failure is not None:
            raise self._failure
        data, self._ahead = self._ahead[:max_bytes], self._ahead[max_bytes:]
        if not self._ahead:
            self._heard = None
        return data

    def _left(self, timeout: float | None) -> float | None:
        """`timeout`, or less when the whole answer is due before."""
        if not self._patience:
            return timeout
        now = time.monotonic()
        if self._answer_by is None:
            self._answer_by = now + self._patience
        left = max(0.0, self._answer_by - now)
        return left if timeout is None else min(timeout, left)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Write all of `buffer`, or end with WriteError when there is an answer already."""
        if not buffer:
            return
        if self._heard is None:
            await self._inner.write(buffer, timeout)
            return
        if self._heard.is_set():
            raise httpcore.WriteError("the answer is there already")
        with anyio.CancelScope() as scope:
            self._writing = scope
            try:
                await self._inner.write(buffer, timeout)
            finally:
                self._writing = None
        if scope.cancelled_caught:
            raise httpcore.WriteError("the answer came in the middle of a chunk")

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Put TLS over this stream, and attention over that."""
        return EarlyAnswerStream(
            await self._inner.start_tls(ssl_context, server_hostname, timeout), self._remember
        )

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Whatever the stream below knows."""
        return self._inner.get_extra_info(info)


def _begun(data: bytes) -> bool:
    """Whether `data` is the beginning of a final answer."""
    return len(data) >= len(_INTERIM) and not data.startswith(_INTERIM)


def _past_interim(data: bytes) -> bytes:
    """`data` without the whole 1xx answers at its beginning."""
    while data.startswith(_INTERIM) and b"\r\n\r\n" in data:
        data = data.partition(b"\r\n\r\n")[2]
    return data


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections that notice an early answer, and remembers the last one: its user has one at a time."""

    def __init__(self) -> None:
        self._inner = NetworkBackend()
        self.stream: EarlyAnswerStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection."""
        return EarlyAnswerStream(
            await self._inner.connect_tcp(host, port, timeout, local_address, socket_options), self._keep
        )

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await anyio.sleep(seconds)

    def _keep(self, stream: EarlyAnswerStream) -> None:
        self.stream = stream
