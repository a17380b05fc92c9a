"""The only place that listens for browsers: a read-only page, its numbers as JSON and for Prometheus.

    /             the page            /status.json   what `uploader status --json` prints
    /metrics      for Prometheus      /healthz       200 while all stages move, 503 when one stands still

GET only, without cookies or scripts. A page of some other site cannot read it: the Host header must name this
machine, so a foreign name that resolves to it (DNS rebinding) is refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from uploader.core.errors import UploaderError
from uploader.report import pages
from uploader.report.health import health
from uploader.report.metrics import exposition

if TYPE_CHECKING:
    from collections.abc import Awaitable

log = logging.getLogger(__name__)

MAX_HEAD = 8 << 10
"""Bytes of a request's line and headers together."""
PATIENCE = 5.0
"""Seconds for a request to arrive, for the status to be found, and for the answer to be taken."""
MAX_CLIENTS = 32
BIND_AGAIN = 60.0
"""Seconds until a taken port is tried again."""

HEADERS = (
    "Cache-Control: no-store",
    "Connection: close",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{pages.STYLE_HASH}'; base-uri 'none'",
)

Answer = tuple[str, str, bytes]
"""Status line, content type, body."""

Status = dict[str, Any]


def _metrics(status: Status, accept: str) -> Answer:
    return "200 OK", *exposition(status, time.time(), accept)


def _health(status: Status, _: str) -> Answer:
    line, body = health(status, time.time())
    return line, "text/plain; charset=utf-8", body


ANSWERS: Mapping[str, Callable[[Status, str], Answer]] = {
    "/": lambda status, _: ("200 OK", "text/html; charset=utf-8", pages.page(status)),
    "/status.json": lambda status, _: ("200 OK", "application/json", pages.status_json(status)),
    "/metrics": _metrics,
    "/healthz": _health,
}
"""By path: what makes the answer of a status and of the request's Accept header."""


async def serve(listen: str, status: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Serve on `listen` ("HOST:PORT") until cancelled; an empty `listen` returns at once.

    A port that is taken is no reason to stop uploading: it is said in the log and tried again every minute.
    """
    if not listen:
        return
    host, _, port = listen.rpartition(":")
    handler = _Handler(host.strip("[]"), status)
    while True:
        try:
            server = await asyncio.start_server(handler, host.strip("[]"), int(port), limit=MAX_HEAD)
        except OSError as error:
            log.warning("dashboard listen=%s cannot be opened: %s. Trying again every minute.", listen, error)
            await asyncio.sleep(BIND_AGAIN)
            continue
        async with server:
            await server.serve_forever()


def hosts_allowed(listen_host: str) -> frozenset[str]:
    """Names that a Host header may carry, beside address literals, which no name server can redirect."""
    return frozenset({"localhost", listen_host.lower(), socket.gethostname().lower()})


class _Handler:
    def __init__(self, host: str, status: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._hosts = hosts_allowed(host)
        self._status = status
        self._slots = asyncio.Semaphore(MAX_CLIENTS)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            if self._slots.locked():
                await _reply(writer, _plain("503 Service Unavailable", "too many clients"))
            else:
                async with self._slots:
                    await _reply(writer, await self._answer(reader))
        except OSError as error:  # a timeout is one too
            log.debug("dashboard client given up: %s", error)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return _plain("400 Bad Request", "not a request")
        method, target, host, accept = _parsed(head)
        if not self._known(host):
            return _plain("403 Forbidden", "this page is served under the machine's own name only")
        if method != "GET":
            return _plain("405 Method Not Allowed", "read only")
        if target not in ANSWERS:
            return _plain("404 Not Found", "not here")
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self._status()
        except (TimeoutError, UploaderError):
            return _plain("503 Service Unavailable", "the daemon does not answer")
        return ANSWERS[target](status, accept)

    def _known(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and ":" in host else host
        name = name.strip("[]").lower()
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _parsed(head: bytes) -> tuple[str, str, str, str]:
    """Method, path without query, Host and Accept of a request; empty strings where there is none."""
    lines = head.decode("latin-1").split("\r\n")
    method, _, rest = lines[0].partition(" ")
    target = rest.partition(" ")[0].partition("?")[0]
    hosts, accepts = (
        [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith(name)]
        for name in ("host:", "accept:")
    )
    return method, target, hosts[0] if len(hosts) == 1 else "", ",".join(accepts)


def _plain(status: str, text: str) -> Answer:
    return status, "text/plain; charset=utf-8", f"{text}\n".encode()


async def _reply(writer: asyncio.StreamWriter, answer: Answer) -> None:
    status, kind, body = answer
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *HEADERS]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    async with asyncio.timeout(PATIENCE):
        await writer.drain()
