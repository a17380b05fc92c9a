"""One HTTP request to the platform and its whole answer, straight from httpcore.

A client above it would keep cookies, follow redirects and ask the environment, none of which a request to the platform
may do, and it would take as much processor time again.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import anyio
import httpcore

from uploader import __version__
from uploader.core.errors import ConfigurationError, NoAnswer
from uploader.net.answer_errors import HttpAnswer
from uploader.net.connection_pool import open_pool
from uploader.net.transport_errors import BROKEN, Stage, broken

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

SMALL = 1 << 20
"""Bytes of an answer that are read at most."""

LARGE = 16 << 20
"""The same for lists."""

_CONNECTIONS, _IDLE = 16, 4
"""Connections at once, and those that are kept while nobody uses them."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE = "%/:?[]@!$&'()*+,;=~"
"""What a target keeps as it is, besides letters, digits and `-._`; `%` because it may be quoted already."""


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
        self._pool = open_pool(context, proxy, most=_CONNECTIONS, idle=_IDLE)
        try:
            parts = urlsplit(self.base_url)
            self._scheme, self._prefix, self._port = parts.scheme, parts.path, parts.port
            self._host = _ascii(parts.hostname or "")
        except ValueError as error:  # a UnicodeError is one
            raise ConfigurationError("An address names a host that cannot be one.") from error
        self._headers = {
            "Host": _authority(self._scheme, self._host, self._port),
            "User-Agent": f"geopera-uploader/{__version__}",
            "Accept": "application/json",
            # What is not compressed cannot grow while it is read.
            "Accept-Encoding": "identity",
        }

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

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
        own = {**self._headers, **headers}
        if content is not None:
            own["Content-Length"] = str(len(content))
        stage = Stage()
        timeout = {"connect": self._connect, "pool": self._connect, "read": deadline, "write": deadline}
        try:
            with anyio.fail_after(deadline):
                async with self._pool.stream(
                    method,
                    self._target(path),
                    headers=[(name.encode("ascii"), value.encode("ascii")) for name, value in own.items()],
                    content=content,
                    extensions={"timeout": timeout, "trace": stage},
                ) as response:
                    return await self._answer(response, what, most)
        except BROKEN as error:
            raise broken(error, stage, what, self._host) from error

    def _target(self, path: str) -> httpcore.URL:
        """The address of a path, which may end with a query; what no URL may hold is quoted."""
        target = quote(f"{self._prefix}{path}".partition("#")[0], safe=_SAFE)
        return httpcore.URL(scheme=self._scheme, host=self._host, port=self._port, target=target or "/")

    async def _answer(self, response: httpcore.Response, what: str, most: int) -> HttpAnswer:
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
        answer = HttpAnswer.of(response.status, pairs, b"", self._wall())
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            return answer
        return replace(answer, body=await _read(response, answer, what, most))


async def _read(response: httpcore.Response, answer: HttpAnswer, what: str, most: int) -> bytes:
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        raise NoAnswer(f"{what} got an answer in a coding that was not asked for.")
    body = bytearray()
    async for part in response.aiter_stream():
        body += part
        if len(body) > most:
            raise NoAnswer(f"{what} got an answer of more than {most} bytes.")
    return bytes(body)


def _ascii(host: str) -> str:
    """A host as it is asked for in the name service. Raises UnicodeError where it cannot be one."""
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - hardly any host is written so

    return idna.encode(host).decode("ascii")


def _authority(scheme: str, host: str, port: int | None) -> str:
    """Host and port as the Host header tells them."""
    name = f"[{host}]" if ":" in host else host
    return name if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{name}:{port}"


def hush() -> None:
    """Keep the library from logging whole URLs and headers, at whatever level the program logs."""
    logging.getLogger("httpcore").setLevel(logging.WARNING)
