"""One HTTP request to the platform and its whole answer.

Requests go out on connections of httpcore. The client of httpx would keep cookies, follow redirects and ask the
environment, none of which a request to the platform may do; its transport would take a fifth more processor time.
"""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
import httpcore
import httpx

from uploader import __version__
from uploader.core.errors import ConfigurationError, NoAnswer
from uploader.net.answer_errors import HttpAnswer
from uploader.net.kept_connection import KeptConnection
from uploader.net.network_stream import require_later
from uploader.net.transport_errors import BROKEN, RequestTrace, broken

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

SMALL = 1 << 20
"""Bytes of an answer that are read at most."""

LARGE = 16 << 20
"""The same for lists."""

MOST_CONNECTIONS = 16
"""At once to one platform."""

_CODING = b"content-encoding"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long what may take, in seconds."""

    connect: float = 10.0
    token: float = 20.0
    """A whole exchange for a token."""
    call: float = 60.0
    """A whole call, from the first byte sent to the last byte read."""
    complete: float = 300.0
    """The same for `uploads.complete`, which makes all items of a session."""
    write: float = 60.0
    """One chunk of a PUT."""
    stalled: float = 20.0
    """No byte of a PUT arriving. Longer than a line's usual breaks, for giving up costs what was sent of the file."""
    stored: float = 300.0
    """The answer to a PUT, once all bytes are sent."""


class HttpClient:
    """Sends requests to one base URL. No redirects, cookies or proxies of the environment, bounded time and size."""

    def __init__(
        self,
        base_url: str,
        *,
        context: ssl.SSLContext | None = None,
        proxy: str = "",
        connect: float = 10.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._wall = wall
        self._connect = connect
        self._proxy = proxy
        self._new_connection = partial(KeptConnection, context or httpx.create_ssl_context(), proxy=proxy)
        self._idle: list[KeptConnection] = []
        # httpcore's pool would lose a place for good where a request is cancelled in the moment in which it gets one.
        self._places = anyio.Semaphore(MOST_CONNECTIONS, fast_acquire=True)
        try:
            base = httpx.URL(self.base_url)
            self._host = base.host
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ConfigurationError("An address names a host that cannot be one.") from error
        self._headers = [
            (b"Host", base.netloc),
            (b"User-Agent", f"geopera-uploader/{__version__}".encode("ascii")),
            (b"Accept", b"application/json"),
            # What is not compressed cannot grow while it is read.
            (b"Accept-Encoding", b"identity"),
        ]

    async def aclose(self) -> None:
        """Close all idle connections."""
        while self._idle:
            await self._idle.pop().aclose()

    async def post(
        self,
        path: str,
        content: bytes,
        headers: Mapping[str, str],
        *,
        what: str,
        deadline: float,
        most: int = SMALL,
    ) -> HttpAnswer:
        """Send one POST and read its answer within `deadline` seconds, once.

        Raises Unreachable or NoAnswer where there is no whole answer; any whole answer is returned, whatever
        its status. The body of a 429 is not waited for: the status says it all.
        """
        return await self._request("POST", path, content, headers, what=what, deadline=deadline, most=most)

    async def get(self, path: str, *, what: str, deadline: float, most: int = SMALL) -> HttpAnswer:
        """The same with one GET."""
        return await self._request("GET", path, None, {}, what=what, deadline=deadline, most=most)

    async def _request(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        what: str,
        deadline: float,
        most: int,
    ) -> HttpAnswer:
        stage = RequestTrace(self._proxy)
        own = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        request = httpcore.Request(
            method,
            _url(self.base_url + path),
            headers=self._headers + own + _length(content),
            content=content,
            # What else takes time is within the deadline.
            extensions={"timeout": {"connect": self._connect}, "trace": stage},
        )
        try:
            with anyio.fail_after(deadline):
                async with self._connection() as connection:
                    return await self._exchange(connection, request, what, most)
        except BROKEN as error:
            raise broken(error, stage, what, self._host) from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[KeptConnection]:
        """A connection for one request: the one used last, which is most likely still open, or a new one.

        Raises PoolTimeout where there are as many as there may be at once.
        """
        try:
            with anyio.fail_after(self._connect):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpcore.PoolTimeout("all connections are in use") from error
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            yield connection
        finally:
            self._idle.append(connection)
            self._places.release()

    async def _exchange(
        self, connection: KeptConnection, request: httpcore.Request, what: str, most: int
    ) -> HttpAnswer:
        ready = await connection.ready(request.url.origin)
        response = await ready.handle_async_request(request)
        try:
            require_later(response)
            body = b""
            if response.status != HTTPStatus.TOO_MANY_REQUESTS:
                body = await self._read(response, what, most)
            return HttpAnswer.of(response.status, decoded(response.headers), body, self._wall())
        finally:
            await response.aclose()

    async def _read(self, response: httpcore.Response, what: str, most: int) -> bytes:
        codings = {value.strip().lower() for name, value in response.headers if name.lower() == _CODING}
        if codings - {b"", b"identity"}:
            raise NoAnswer(f"{what} got an answer in a coding that was not asked for.")
        body = bytearray()
        async for part in response.aiter_stream():
            body += part
            if len(body) > most:
                raise NoAnswer(f"{what} got an answer of more than {most} bytes.")
        return bytes(body)


def decoded(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """The headers of an answer as text."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _length(content: bytes | None) -> list[tuple[bytes, bytes]]:
    return [] if content is None else [(b"Content-Length", b"%d" % len(content))]


@lru_cache(maxsize=64)
def _url(text: str) -> httpcore.URL:
    """The parts of an address. There are few, one for each operation, and each is asked for again and again."""
    url = httpx.URL(text)
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def hush() -> None:
    """Keep the libraries from logging whole URLs and headers, at whatever level the program logs."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
