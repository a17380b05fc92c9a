"""A proxy between daemon and platform that cuts, stalls, slows and refuses, at the byte where a test wants it.

    with Gateway() as gateway:
        gateway.rules.append(Rule("store", cut_up=1000, count=1))

The daemon is configured with `platform.proxy = gateway.url`, so it sees the calls and the PUTs. Each request gets a
connection of its own to the platform; nothing of a request is kept but its first line and, for API calls, its body.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

BLOCK = 1 << 16


@dataclass
class Rule:
    """What happens to requests whose URL contains `part`, `count` times (None: always).

    `cut_up`, `cut_down`: reset the connection after so many bytes of the request's or the answer's body and head.
    `stall_down`: send nothing more of the answer after so many bytes, for `seconds`. `rate`: bytes per second upwards.
    `black_hole`: read nothing and answer nothing for `seconds`.
    """

    part: str
    count: int | None = None
    cut_up: int | None = None
    cut_down: int | None = None
    stall_down: int | None = None
    rate: int | None = None
    black_hole: bool = False
    seconds: float = 600.0
    struck: int = 0


@dataclass
class Call:
    """One request to the API, with its JSON."""

    url: str
    body: dict[str, Any]

    @property
    def operation(self) -> str:
        """The operation's name, the last part of the path."""
        return urlsplit(self.url).path.rpartition("/")[2]


Answerer = Callable[[Call], tuple[int, dict[str, Any]] | None]
"""Answers a call in the platform's place, or lets it pass with None."""


@dataclass
class Gateway:
    """The proxy, as a context manager; one thread per connection."""

    answer: Answerer = lambda _: None
    rules: list[Rule] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    down: bool = False
    """Connections are reset at once, as when nothing listens."""

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        """The value of `platform.proxy`."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                _reset(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client:
            self._pass(client)

    def _pass(self, client: socket.socket) -> None:
        head, rest = _head(client)
        method, url, _ = head.split("\r\n", 1)[0].split(" ")
        self.urls.append(url)
        rule = self._rule(url)
        if rule and rule.black_hole:
            self._ended.wait(rule.seconds)
            return _reset(client)
        length = _length(head)
        parts = urlsplit(url)
        if method == "POST" and length < 1 << 20:
            rest += _exactly(client, length - len(rest))
            answer = self._asked(url, rest)
            if answer is not None:
                client.sendall(answer)
                return None
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60) as server:
            server.sendall(_forwarded(head, parts.path + (f"?{parts.query}" if parts.query else "")))
            if not self._up(client, server, rest, length, rule):
                return _reset(client)
            return self._down(client, server, rule)

    def _rule(self, url: str) -> Rule | None:
        for rule in self.rules:
            if rule.part in url and (rule.count is None or rule.struck < rule.count):
                rule.struck += 1
                return rule
        return None

    def _asked(self, url: str, body: bytes) -> bytes | None:
        try:
            document = json.loads(body)
        except ValueError:
            return None
        answer = self.answer(Call(url, document)) if isinstance(document, dict) else None
        if answer is None:
            return None
        status, content = answer
        text = json.dumps(content).encode()
        kind = "application/problem+json" if status >= 400 else "application/json"
        fields = (f"Content-Type: {kind}", f"Content-Length: {len(text)}", "Connection: close")
        return "\r\n".join((f"HTTP/1.1 {status} X", *fields, "", "")).encode() + text

    def _up(
        self, client: socket.socket, server: socket.socket, rest: bytes, length: int, rule: Rule | None
    ) -> bool:
        """Pass the body upwards; False where it was cut."""
        sent = 0
        while True:
            if rule and rule.cut_up is not None and sent + len(rest) >= rule.cut_up:
                server.sendall(rest[: rule.cut_up - sent])
                return False
            server.sendall(rest)
            sent += len(rest)
            if sent >= length:
                return True
            if rule and rule.rate:
                time.sleep(len(rest) / rule.rate)
            rest = client.recv(min(BLOCK, rule.rate // 10 + 1 if rule and rule.rate else BLOCK))
            if not rest:
                return False

    def _down(self, client: socket.socket, server: socket.socket, rule: Rule | None) -> None:
        passed = 0
        while part := server.recv(BLOCK):
            if rule and rule.cut_down is not None and passed + len(part) >= rule.cut_down:
                client.sendall(part[: rule.cut_down - passed])
                return _reset(client)
            if rule and rule.stall_down is not None and passed + len(part) >= rule.stall_down:
                client.sendall(part[: rule.stall_down - passed])
                self._ended.wait(rule.seconds)
                return _reset(client)
            client.sendall(part)
            passed += len(part)
        return None


def _head(client: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(BLOCK)
        if not part:
            raise OSError("the client left")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        if not part:
            raise OSError("the client left")
        data += part
    return data


def _length(head: str) -> int:
    fields = (line.partition(":") for line in head.split("\r\n")[1:])
    return next((int(value) for name, _, value in fields if name.lower() == "content-length"), 0)


def _forwarded(head: str, target: str) -> bytes:
    """The same request in the form for servers, on a connection that ends with its answer."""
    first, *fields = head.split("\r\n")
    method, _, version = first.split(" ")
    kept = [f for f in fields if not f.lower().startswith(("connection:", "proxy-connection:"))]
    return "\r\n".join([f"{method} {target} {version}", *kept, "Connection: close", "", ""]).encode("latin-1")


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
