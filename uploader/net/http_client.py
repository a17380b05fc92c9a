"""One HTTP request to the platform and its whole answer; the only place that uses httpx's transport.

The httpx client above it is left out: it keeps cookies, follows redirects and asks the environment, none of which a
request to the platform may do, and half of its own processor time went into that.
"""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, cast

import anyio
import httpx

from uploader import __version__
from uploader.core.errors import ConfigurationError, NoAnswer
from uploader.net.answer_errors import HttpAnswer
from uploader.net.transport_errors import BROKEN, RequestTrace, broken

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping

SMALL = 1 << 20
"""Bytes of an answer that are read at most."""

LARGE = 16 << 20
"""The same for lists."""

MOST_CONNECTIONS = 16
"""At once to one platform."""

# Below the 5 s after which common servers close an idle connection: a request that meets the closing is
# doubtful, and a doubtful `initiate` is dear.
_KEEP_ALIVE = 4.0


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
        self._new_connection = partial(
            httpx.AsyncHTTPTransport,
            verify=context or httpx.create_ssl_context(),
            proxy=proxy or None,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=1, keepalive_expiry=_KEEP_ALIVE
            ),
        )
        # One transport would look at the sockets of all its connections before and after each request.
        self._idle: list[httpx.AsyncHTTPTransport] = []
        # httpcore would lose a place for good where a request is cancelled in the moment in which it gets one.
        self._places = anyio.Semaphore(MOST_CONNECTIONS, fast_acquire=True)
        self._headers = {
            "User-Agent": f"geopera-uploader/{__version__}",
            "Accept": "application/json",
            # What is not compressed cannot grow while it is read.
            "Accept-Encoding": "identity",
        }
        try:
            self._host = httpx.URL(self.base_url).host
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ConfigurationError("An address names a host that cannot be one.") from error

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
        timeout = {"connect": self._connect, "read": deadline, "write": deadline}
        request = httpx.Request(
            method,
            _url(self.base_url + path),
            content=content,
            headers={**self._headers, **headers},
            extensions={"timeout": timeout, "trace": stage},
        )
        try:
            with anyio.fail_after(deadline):
                async with self._connection() as connection:
                    return await self._exchange(connection, request, what, most)
        except BROKEN as error:
            raise broken(error, stage, what, self._host) from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """A connection for one request: the one used last, which is most likely still open, or a new one.

        Raises PoolTimeout where there are as many as there may be at once.
        """
        try:
            with anyio.fail_after(self._connect):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("all connections are in use") from error
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            yield connection
        finally:
            self._idle.append(connection)
            self._places.release()

    async def _exchange(
        self, connection: httpx.AsyncHTTPTransport, request: httpx.Request, what: str, most: int
    ) -> HttpAnswer:
        response = await connection.handle_async_request(request)
        try:
            body = b""
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                body = await self._read(response, what, most)
            return HttpAnswer.of(response.status_code, response.headers.multi_items(), body, self._wall())
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, what: str, most: int) -> bytes:
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"", "identity"}:
            raise NoAnswer(f"{what} got an answer in a coding that was not asked for.")
        body = bytearray()
        async for part in cast("httpx.AsyncByteStream", response.stream):
            body += part
            if len(body) > most:
                raise NoAnswer(f"{what} got an answer of more than {most} bytes.")
        return bytes(body)


@lru_cache(maxsize=64)
def _url(text: str) -> httpx.URL:
    """The parts of an address. There are few, one for each operation, and each is asked for again and again."""
    return httpx.URL(text)


def hush() -> None:
    """Keep the libraries from logging whole URLs and headers, at whatever level the program logs."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
