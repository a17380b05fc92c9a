"""Connections for httpcore, direct or with TLS, by the streams of anyio.

httpcore has the same, but opens three scopes for each read and write and collects all that is known of a socket to see
whether an idle one was closed: of the processor time of a small request that was a seventh.
"""

from __future__ import annotations

import select
import ssl
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError)


class NetworkStream(httpcore.AsyncNetworkStream):
    """An open connection. `raw` is its socket, `stream` carries the bytes."""

    def __init__(self, stream: ByteStream, raw: socket.socket) -> None:
        self._stream = stream
        self._raw = raw

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """The next bytes; none at the end. Raises ReadTimeout, ReadError."""
        try:
            if timeout is None:
                return await self._stream.receive(max_bytes)
            with anyio.fail_after(timeout):
                return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except _BROKEN as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Write all of `buffer`. Raises WriteTimeout, WriteError."""
        if not buffer:
            return
        try:
            if timeout is None:
                await self._stream.send(buffer)
                return
            with anyio.fail_after(timeout):
                await self._stream.send(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except _BROKEN as error:
            raise httpcore.WriteError(str(error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Put TLS over this stream. Raises ConnectTimeout, ConnectError; then it is closed."""
        try:
            with anyio.fail_after(timeout):
                encrypted = await TLSStream.wrap(
                    self._stream,
                    ssl_context=ssl_context,
                    hostname=server_hostname,
                    standard_compatible=False,
                    server_side=False,
                )
        except Exception as error:
            await self.aclose()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, anyio.BrokenResourceError | anyio.EndOfStream | ssl.SSLError):
                raise httpcore.ConnectError(str(error)) from error
            raise
        return NetworkStream(encrypted, self._raw)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for, by its names; None for what it does not need to know."""
        match info:
            case "ssl_object":
                return self._stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610 - not that of Django
            case "is_readable":
                return _readable(self._raw)
            case "socket":
                return self._raw
            case "client_addr":
                return self._raw.getsockname()
            case "server_addr":
                return self._raw.getpeername()
        return None


def _readable(raw: socket.socket) -> bool:
    """Whether bytes or the end of the connection are there, or it is closed already."""
    descriptor = raw.fileno()
    if descriptor < 0:
        return True
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


class NetworkBackend(httpcore.AsyncNetworkBackend):
    """Opens connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection. Raises ConnectTimeout, ConnectError."""
        try:
            with anyio.fail_after(timeout):
                stream = await anyio.connect_tcp(host, port, local_host=local_address)
            raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not that of Django
            for option in socket_options or ():
                raw.setsockopt(*option)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except (OSError, anyio.BrokenResourceError) as error:
            raise httpcore.ConnectError(str(error)) from error
        return NetworkStream(stream, raw)

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await anyio.sleep(seconds)
