"""The far side of a transfer, for benchmarks: a platform and store that forgets what it is sent, and distance.

`serve` answers each call at once and reads the bodies of PUTs away, plain or through TLS, with a thread for each
connection; nothing is hashed, so that what it takes is close to the least. `delay` is a proxy that holds back what
passes, half a round trip in each direction, and lets no more bytes be on their way in a connection than a window,
as a kernel does. It knows no loss and no slow start. Both run in processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import socket
import ssl
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WINDOW = 4 << 20
"""Bytes on their way in one direction of a connection: what Linux gives a sender at most, unless it is told more."""

PIECE = 256 << 10
"""Bytes that the proxy takes up at a time."""


@dataclass(slots=True)
class Seen:
    """What the server has seen since it was asked last; times in monotonic seconds."""

    began: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    size: int = 0
    """Bytes of bodies, also of those that have not ended."""
    connections: int = 0
    """Connections that carried a PUT."""
    cpu: float = 0.0

    @property
    def seconds(self) -> float:
        """From the first connection for a PUT until the last answer to one."""
        return max(self.ended) - min(self.began)


class Server:
    """Sessions, names, items, and the times of PUTs. Nothing is checked."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._names: dict[str, list[str]] = {}
        self._items: list[dict[str, str]] = []
        self._seen = Seen()

    def run(self, listener: socket.socket, pipe: Any) -> None:
        """Serve; whoever sends something through the pipe gets what was seen since."""
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        while True:
            pipe.recv()
            used = resource.getrusage(resource.RUSAGE_SELF)
            with self._lock:
                seen, self._seen = self._seen, Seen()
            seen.cpu = used.ru_utime + used.ru_stime
            pipe.send(seen)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=self._answer_all, args=(connection, time.monotonic()), daemon=True
            ).start()

    def _answer_all(self, raw: socket.socket, began: float) -> None:
        buffer, fresh = memoryview(bytearray(1 << 20)), True
        try:
            with self._context.wrap_socket(raw, server_side=True) if self._context else raw as connection:
                while head := _head(connection):
                    method, target, fields, rest = head
                    if method != "PUT":
                        body = rest + _rest(connection, int(fields.get("content-length", 0)) - len(rest))
                        _send(connection, json.dumps(self._answer(target, body, fields["host"])).encode())
                        continue
                    if not fresh:
                        began = time.monotonic()
                    self._swallow(connection, fields, len(rest), buffer)
                    self._note(began, fresh=fresh)
                    _send(connection, b"")  # last: who has the answer may ask at once what was seen
                    fresh = False
        except OSError:
            pass

    def _swallow(
        self, connection: socket.socket, fields: dict[str, str], have: int, buffer: memoryview
    ) -> None:
        if "expect" in fields:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        left = int(fields["content-length"]) - have
        while left > 0:
            got = connection.recv_into(buffer, min(left, len(buffer)))
            if not got:
                raise ConnectionResetError
            left -= got
            with self._lock:
                self._seen.size += got

    def _note(self, began: float, *, fresh: bool) -> None:
        with self._lock:
            self._seen.began.append(began)
            self._seen.ended.append(time.monotonic())
            self._seen.connections += fresh

    def _answer(self, target: str, body: bytes, host: str) -> dict[str, Any]:
        operation, asked = target.rpartition("/")[2], json.loads(body)
        with self._lock:
            if operation == "uploads.initiate":
                upload = f"u_{len(self._names)}"
                self._names[upload] = []
                return {"id": upload, "status": "initiated"}
            if operation == "uploads.signed_url":
                self._names[asked["upload_id"]].append(asked["file_name"])
                scheme = "https" if self._context else "http"
                return {"upload_url": f"{scheme}://{host}/o/{asked['file_name']}", "expires_in": 3600}
            if operation == "uploads.complete":
                return {"id": asked["upload_id"], "item_ids": self._make(asked["upload_id"])}
            if operation == "items.list":
                start = asked.get("offset", 0)
                return {"items": self._items[::-1][start : start + asked.get("limit", 100)]}
        return {"id": asked.get("upload_id", "")}

    def _make(self, upload: str) -> list[str]:
        names = list(dict.fromkeys(self._names[upload]))
        made = [
            {"id": f"it_{len(self._items) + n}", "name": name, "file_name": name, "upload_id": upload}
            for n, name in enumerate(names)
        ]
        self._items.extend(made)
        return [item["id"] for item in made]


def _head(connection: socket.socket) -> tuple[str, str, dict[str, str], bytes] | None:
    """Method, target, fields by name, and what came behind; None where the connection was closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    return method, target, {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}, rest


def _rest(connection: socket.socket, left: int) -> bytes:
    body = b""
    while len(body) < left:
        part = connection.recv(left - len(body))
        if not part:
            raise ConnectionResetError
        body += part
    return body


def _send(connection: socket.socket, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


class _Distance:
    """One direction of a connection: pieces arrive `delay` seconds after they were sent, `window` bytes at most."""

    def __init__(self, delay: float, window: int) -> None:
        self._delay, self._window = delay, window
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._under_way = 0
        self._changed = asyncio.Condition()

    async def take(self, reader: asyncio.StreamReader) -> None:
        """Take up what is sent, as long as the window allows."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._under_way < self._window)
            data = await reader.read(PIECE)
            async with self._changed:
                self._under_way += len(data)
                self._pieces.append((time.monotonic() + self._delay, data))
                self._changed.notify_all()
            if not data:
                return

    async def give(self, writer: asyncio.StreamWriter) -> None:
        """Hand over what has arrived; that it did is known at the other end as much later."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._pieces))
                due, data = self._pieces.popleft()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
            asyncio.get_running_loop().call_later(self._delay, self._acknowledge, len(data))

    def _acknowledge(self, size: int) -> None:
        async def release() -> None:
            async with self._changed:
                self._under_way -= size
                self._changed.notify_all()

        self._task = asyncio.ensure_future(release())


def delay(listener: socket.socket, port: int, round_trip: float, window: int) -> None:
    """Pass connections on to `port` of this machine, `round_trip` seconds away."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port, limit=2 * PIECE)
        await asyncio.sleep(round_trip)  # what the handshake of TCP takes
        there, back = _Distance(round_trip / 2, window), _Distance(round_trip / 2, window)
        ways = [there.take(reader), there.give(far_writer), back.take(far_reader), back.give(writer)]
        await asyncio.gather(*ways, return_exceptions=True)
        writer.close()
        far_writer.close()

    async def run() -> None:
        server = await asyncio.start_server(connected, sock=listener, limit=2 * PIECE)
        await server.serve_forever()

    asyncio.run(run())


class FarSide:
    """A server, and a proxy before it where it is to be far away."""

    def __init__(
        self, *, certificate: tuple[Path, Path] | None, round_trip: float, window: int = WINDOW
    ) -> None:
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._pipe, far = multiprocessing.Pipe()
        self._processes = [_process(Server(context).run, listener, far)]
        port = listener.getsockname()[1]
        if round_trip:
            near = socket.create_server(("127.0.0.1", 0), backlog=128)
            self._processes.append(_process(delay, near, port, round_trip, window))
            port = near.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"

    def seen(self) -> Seen:
        """What was seen since this was asked last."""
        self._pipe.send(None)
        seen: Seen = self._pipe.recv()
        return seen

    def close(self) -> None:
        """End both."""
        for process in self._processes:
            process.terminate()
            process.join()


def _process(target: Any, *arguments: Any) -> Any:
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine's loopback address that signs itself, and its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-out", made, "-keyout", key], check=True, capture_output=True)
    return made, key
