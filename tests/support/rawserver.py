"""A loopback server that answers with exact bytes, for what no well-behaved server would send.

Each request is answered by the next `Reply` of the script; the last one is repeated. What was received is kept.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


@dataclass
class Request:
    """What came in; `body` ends where the client, or the script, stopped."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> object:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """How one request is answered.

    `raw` is sent as it is, the first `cut` bytes of it where that is given. `after` is how many bytes of the body are
    read first (None: all). Then: `end` is `keep` (the connection serves on), `close`, `reset` (RST), `stall` (open and
    silent, nothing more read) or `drain` (the rest of the body is read, then closed). `drip` is the pause in seconds
    between single bytes, `wait` the one before the first. `forever` is repeated after `raw` until the client goes.
    """

    raw: bytes = b""
    cut: int | None = None
    after: int | None = None
    end: str = "keep"
    drip: float = 0.0
    wait: float = 0.0
    forever: bytes = b""


def http(
    status: int = 200,
    body: bytes = b"",
    kind: str = "application/json",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> bytes:
    """The bytes of an answer; `length` lies about the body's."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def ok(document: object, **headers: str) -> Reply:
    """A good JSON answer."""
    return Reply(
        http(200, json.dumps(document).encode(), headers={k.replace("_", "-"): v for k, v in headers.items()})
    )


def problem(status: int, detail: str = "no", **headers: str) -> Reply:
    """A refusal in the platform's format."""
    body = json.dumps(
        {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    ).encode()
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Reply(http(status, body, "application/problem+json", named))


@dataclass
class RawServer:
    """`async with RawServer(reply, …) as server`: requests to `server.url` are answered in order."""

    script: list[Reply]
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __init__(self, *script: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.script, self.tls, self.requests, self.connections = list(script), tls, [], 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http{'s' if self.tls else ''}://{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answer(reader, writer):
                pass
        except (
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            asyncio.CancelledError,
        ):
            # The client went, or sends on what nobody reads, or the test is over.
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        length = int(headers.get("content-length", "0"))
        request = Request(method, target, headers)
        self.requests.append(request)
        await self._take(reader, request, length if reply.after is None else reply.after)
        await self._send(writer, reply)
        if reply.end == "stall":
            await asyncio.sleep(3600)
        if reply.end == "drain":
            await self._take(reader, request, length - len(request.body))
        if reply.end == "reset":
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return reply.end == "keep"

    async def _take(self, reader: asyncio.StreamReader, request: Request, size: int) -> None:
        kept = bytearray()
        while len(kept) < size:
            part = await reader.read(min(1 << 20, size - len(kept)))
            if not part:
                break
            kept += part
        request.body += bytes(kept)

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        await asyncio.sleep(reply.wait)
        raw = reply.raw if reply.cut is None else reply.raw[: reply.cut]
        for part in [raw] if not reply.drip else [raw[i : i + 1] for i in range(len(raw))]:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(reply.drip)
        while reply.forever:
            writer.write(reply.forever)
            await writer.drain()
