"""What every request has to pass before anything is done for it, and what every answer says about itself.

A page of some other site must neither read this one nor act through it. So the Host header must name this machine (or
one of `[dashboard] hosts`): a foreign name that resolves to it (DNS rebinding) is refused. What another site starts is
refused but for a link that is followed, and a change must come from a page of this very origin.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 256 << 10
"""Bytes of what a request carries beside its head."""

PATIENCE = 30.0
"""Seconds for a request to be answered, and for the answer to be taken; streams take as long as they like."""

SAFE = frozenset({"GET", "HEAD"})

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with none at all browsers say "Origin: null" of our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer, where it says nothing else itself; see `answer_headers` for what depends on the basemap."""


def answer_headers(pictures: str) -> Mapping[str, str]:
    """Those of every answer. `pictures`: the one origin beside our own that pictures may come from; empty: none.

    Who serves map tiles may want to know which page shows them, and is told its origin, never its path.
    """
    also = f" {pictures}" if pictures else ""
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{also}; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    referrer = {"Referrer-Policy": "strict-origin-when-cross-origin"} if pictures else {}
    return {**HEADERS, **referrer, "Content-Security-Policy": policy}


class Guard:
    """An ASGI application in front of another. `streams`: paths whose answers have no end."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str], streams: Iterable[str], pictures: str = ""
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._streams = frozenset(streams)
        self._headers = answer_headers(pictures)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        headers = Headers(scope=scope)
        reply = _with_headers(send, self._headers)
        if refusal := self._refusal(scope["method"], headers):
            status, text = refusal
            await PlainTextResponse(f"{text}\n", status)(scope, receive, reply)
            return
        try:
            async with asyncio.timeout(None if scope["path"] in self._streams else PATIENCE):
                await self._app(scope, _bounded(receive), reply)
        except TimeoutError:
            return  # whoever does not take his answer gets none

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Status and text of what is refused; None where nothing speaks against it."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not known(hosts[0], self._hosts):
            return 403, "this page is served under the machine's own name only; see [dashboard] hosts"
        if not same_site(method, headers):
            return 403, "this request was started by another site"
        if int_or(headers.get("content-length"), 0) > MAX_BODY:
            return 413, "too large"
        return None


def own_names(listen_host: str, hosts: Iterable[str]) -> frozenset[str]:
    """Names that a Host header may carry, beside address literals, which no name server can redirect."""
    return frozenset(name.lower() for name in ("localhost", listen_host, socket.gethostname(), *hosts))


def known(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this machine by one of these names, or by an address."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and ":" in host else host
    name = name.strip("[]").lower()
    if name in names and name:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_site(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request may be answered as far as who started it goes.

    Browsers say it in Sec-Fetch-Site, older ones in Origin; who says neither is a program, which may read only.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if method in SAFE:
        return site in {None, "same-origin", "none"} or headers.get("sec-fetch-mode") == "navigate"
    if site not in {None, "same-origin"}:
        return False
    if origin is None:
        return site == "same-origin"
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def int_or(text: str | None, other: int) -> int:
    """A number in decimal digits, else the other one."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 19 else other  # noqa: PLR2004


def _with_headers(send: Send, said: Mapping[str, str]) -> Send:
    async def reply(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in said.items():
                headers.setdefault(name, value)
        await send(message)

    return reply


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise HTTPException(413, "too large")
        return message

    return bounded
