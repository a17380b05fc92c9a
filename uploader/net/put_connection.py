"""One connection to an object store, and one PUT at a time on it.

A signed request must go out with exactly the target and the headers that were signed. A store that refuses a PUT
answers long before the body is sent, then closes the connection or stops reading: who only writes meanwhile sends
gigabytes for nothing, and never learns why.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import httpcore

from uploader.core.errors import UploaderError
from uploader.core.secrets import Secret
from uploader.net.answer_errors import HttpAnswer
from uploader.net.early_answer import Backend
from uploader.net.http_client import Timeouts, decoded
from uploader.net.kept_connection import KeptConnection
from uploader.net.transport_errors import BROKEN, RequestTrace, broken

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

MOST_ANSWER = 65_536
"""Bytes of the store's answer that are read: a refusal is a short XML text."""


class PutConnection:
    """Sends one file at a time and keeps its connection for the next."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        proxy: str = "",
        timeouts: Timeouts | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._backend = Backend()
        self._timeouts = timeouts or Timeouts()
        self._proxy = proxy
        # The kernel ends the connection once nothing that was sent has been acknowledged for so long, or the far side
        # has taken nothing for as long. Only it knows: what it has buffered looks sent from here, and a slow line dead.
        stalled = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._timeouts.stalled * 1000))
        self._connection = KeptConnection(
            context, proxy=proxy, backend=self._backend, socket_options=[stalled]
        )
        self._wall = wall

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()

    async def put(
        self, url: Secret, body: AsyncIterator[bytes], *, size: int, content_type: str, what: str
    ) -> HttpAnswer:
        """Send `body`, which must be `size` bytes long, to a signed URL; gives the answer, also one that came early.

        Raises Unreachable or NoAnswer where there is no answer, and whatever `body` raises. Only headers that
        any signature allows are sent: Host, Content-Type, Content-Length.
        """
        headers = [
            (b"Host", urlsplit(url.reveal()).netloc.encode("ascii")),
            (b"Content-Type", content_type.encode("ascii")),
            (b"Content-Length", str(size).encode("ascii")),
        ]
        outcome: HttpAnswer | UploaderError
        async with anyio.create_task_group() as group:
            try:
                outcome = await self._request(
                    url, headers, _Overheard(body, lambda: self._attend(group)), what
                )
            except UploaderError as error:
                # Carried out by hand: the task group would wrap it.
                outcome = error
            if self._backend.stream is not None and self._backend.stream.listening:
                group.cancel_scope.cancel()  # dear, for it writes down who cancels: mostly the answer has ended it
        if isinstance(outcome, UploaderError):
            raise outcome
        return outcome

    def _attend(self, group: anyio.abc.TaskGroup) -> None:
        if self._backend.stream is not None:
            self._backend.stream.attend(group, self._timeouts.stored)

    async def _request(
        self, url: Secret, headers: list[tuple[bytes, bytes]], body: AsyncIterator[bytes], what: str
    ) -> HttpAnswer:
        t = self._timeouts
        stage = RequestTrace(self._proxy)
        timeout = {"connect": t.connect, "write": t.write, "read": t.stored}
        target = _target(url)
        try:
            connection = await self._connection.ready(target.origin)
            async with connection.stream(
                "PUT",
                target,
                headers=headers,
                content=body,
                extensions={"timeout": timeout, "trace": stage},
            ) as response:
                content = await _read(response)
                return HttpAnswer.of(response.status, decoded(response.headers), content, self._wall())
        except BROKEN as error:
            raise broken(error, stage, what, urlsplit(url.reveal()).hostname or "") from error


class _Overheard:
    """A body that says when it begins to be sent: then the connection is there and its headers are out."""

    def __init__(self, body: AsyncIterator[bytes], begin: Callable[[], None]) -> None:
        self._body = body
        self._begin = begin

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._begin()
        return self._body

    def __anext__(self) -> Awaitable[bytes]:
        return anext(self._body)


async def _read(response: httpcore.Response) -> bytes:
    """The first part of an answer's body; what is beyond is left unread."""
    content = bytearray()
    async for part in response.aiter_stream():
        content += part
        if len(content) >= MOST_ANSWER:
            break
    return bytes(content[:MOST_ANSWER])


def _target(url: Secret) -> httpcore.URL:
    """The URL byte for byte: any rewriting of the query would break the signature."""
    parts = urlsplit(url.reveal())
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target)
