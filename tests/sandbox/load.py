"""Many clients walk the upload at once while the sandbox is killed and started again in the middle.

    python -m tests.sandbox.load --clients 50 --seconds 300

Prints what was done and every violation: an update that was lost, a quota that does not add up, an answer of 5xx.
The exit status is 1 when there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.audit import audit, problems

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "gpra_load"
QUOTA = 1 << 40
KINDS = ("complete", "complete", "complete", "fail", "twice", "two files")
"""What a client does with its session, in turn."""


@dataclass
class Book:
    """What the clients know to be true, written only after the answer that says so."""

    completed: dict[str, list[str]] = field(default_factory=dict)
    """By session, the md5 of its files."""
    failed: set[str] = field(default_factory=set)
    unsure: int = 0
    """Sessions that may be open because the answer that named them was lost."""
    statuses: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    wrong: list[str] = field(default_factory=list)


class Server:
    """The sandbox as a process of its own, on ports that stay the same."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ports = _free_ports(2)
        self.base = f"http://127.0.0.1:{self.ports[0]}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "uploader.sandbox", "--root", str(self.root), "--api-key", KEY]
        command += ["--port", str(self.ports[0]), "--store-port", str(self.ports[1])]
        command += ["--rate-limit", "0", "--quota", str(QUOTA), "--url-life", "600"]
        log = (self.root.parent / "sandbox.log").open("ab")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        log.close()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.base}/sandbox/state", timeout=1, trust_env=False)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the sandbox did not start")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


async def walk(number: int, server: Server, book: Book, until: float) -> None:
    """One client: sessions until the time is over, one at least; each is ended whatever happens."""
    async with httpx.AsyncClient(base_url=server.base, timeout=60, trust_env=False) as http:
        turn, ended = 0, 0
        while time.monotonic() < until or not ended:
            ended += await session(http, book, f"{number}-{turn}", KINDS[(number + turn) % len(KINDS)])
            turn += 1


async def session(http: httpx.AsyncClient, book: Book, name: str, kind: str) -> bool:
    """One session from its reservation to its end; False where the reservation had no answer."""
    files = {
        f"{name}-{part}.bin": os.urandom(2000 + len(name)) for part in range(2 if kind == "two files" else 1)
    }
    body = {"project_id": "p-1", "file_count": len(files), "total_bytes": sum(map(len, files.values())) + 100}
    opened = await once(http, book, "uploads.initiate", body)
    if opened is None:
        await asyncio.sleep(0.1)
        return False
    upload_id = opened["id"]
    for file, content in files.items():
        await stored(http, book, upload_id, file, content)
    if kind == "fail":
        await until_answered(http, book, "uploads.fail", {"upload_id": upload_id, "error_message": "load"})
        book.failed.add(upload_id)
        return True
    body = {"upload_id": upload_id}
    repeats = [
        until_answered(http, book, "uploads.complete", body) for _ in range(2 if kind == "twice" else 1)
    ]
    told = [answer.get("item_ids", []) for answer in await asyncio.gather(*repeats)]
    if kind == "twice" and sum(map(len, told)) > len(files):
        book.wrong.append(f"{upload_id}: two answers named {told}")
    book.completed[upload_id] = [hashlib.md5(content).hexdigest() for content in files.values()]
    return True


async def stored(http: httpx.AsyncClient, book: Book, upload_id: str, file: str, content: bytes) -> None:
    """A URL and a PUT, again until the store has answered 200."""
    wish = {"upload_id": upload_id, "file_name": file, "content_type": "image/tiff"}
    while True:
        url = (await until_answered(http, book, "uploads.signed_url", wish))["upload_url"]
        try:
            answer = await http.put(url, content=content, headers={"Content-Type": "image/tiff"})
        except httpx.TransportError:
            book.cut += 1
            await asyncio.sleep(0.1)
            continue
        note(book, "store.put", answer)
        return


async def until_answered(
    http: httpx.AsyncClient, book: Book, operation: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The answer of an operation that may be repeated; a repeated fail that says "already failed" is one."""
    while True:
        found = await once(http, book, operation, body)
        if found is not None:
            return found
        await asyncio.sleep(0.1)


async def once(
    http: httpx.AsyncClient, book: Book, operation: str, body: dict[str, Any]
) -> dict[str, Any] | None:
    """One call; None when the connection ended before its answer."""
    try:
        answer = await http.post(f"/v1/op/{operation}", json=body, headers={"X-API-Key": KEY})
    except httpx.TransportError as error:
        book.cut += 1
        book.unsure += operation == "uploads.initiate" and not isinstance(error, httpx.ConnectError)
        return None
    note(book, operation, answer)
    return dict(answer.json())


def note(book: Book, operation: str, answer: httpx.Response) -> None:
    """Count the status; what is neither a success nor a repeated fail is a violation."""
    book.statuses[answer.status_code] += 1
    repeated = operation == "uploads.fail" and answer.status_code == 409
    if answer.status_code != 200 and not repeated:
        book.wrong.append(f"{operation}: {answer.status_code} {answer.text[:200]}")


def violations(book: Book, root: Path) -> list[str]:
    """What the clients know against what is in the folder: nothing lost, nothing twice, the quota to the byte."""
    found = audit(root)
    states = {one.id: one.state for one in found.sessions}
    items: dict[str, list[str]] = {}
    for item in found.items:
        items.setdefault(item.made_by, []).append(item.real_md5)
    wrong = list(book.wrong)
    for upload_id, wanted in book.completed.items():
        if states.get(upload_id) != "completed" or sorted(items.get(upload_id, [])) != sorted(wanted):
            wrong.append(
                f"{upload_id}: was completed, is {states.get(upload_id)} with {items.get(upload_id)}"
            )
    wrong += [
        f"{one}: was failed, is {states.get(one)}" for one in book.failed if states.get(one) != "failed"
    ]
    wrong += [
        f"{one}: items of a session that nobody completed" for one in items.keys() - book.completed.keys()
    ]
    used = sum(one.size for one in found.objects if states[one.upload_id] == "completed")
    if used != found.used_bytes:
        wrong.append(f"{found.used_bytes} bytes are counted as used, the objects have {used}")
    tolerated = [one for one in problems(found, open_sessions=book.unsure) if "uploads.fail on" not in one]
    return wrong + tolerated


async def drive(server: Server, book: Book, clients: int, seconds: float) -> None:
    """All clients, and the kill at half time."""
    until = time.monotonic() + seconds

    async def cut() -> None:
        await asyncio.sleep(seconds / 2)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    await asyncio.gather(cut(), *(walk(number, server, book, until) for number in range(clients)))


def run(root: Path, clients: int, seconds: float) -> tuple[Book, list[str]]:
    """The whole of it in an empty folder."""
    server, book = Server(root / "box"), Book()
    server.root.mkdir()
    server.start()
    try:
        asyncio.run(drive(server, book, clients, seconds))
    finally:
        server.kill()
    log = (root / "sandbox.log").read_text()
    return book, violations(book, server.root) + ([f"the log says: {log[-500:]}"] if log.strip() else [])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        book, wrong = run(Path(folder), given.clients, given.seconds)
    calls = sum(book.statuses.values())
    print(
        f"clients={given.clients} seconds={given.seconds:g} calls={calls} per_second={calls / given.seconds:.0f}"
    )
    print(
        f"completed={len(book.completed)} failed={len(book.failed)} cut={book.cut} statuses={dict(book.statuses)}"
    )
    print("\n".join(wrong) or "no violation")
    return 1 if wrong else 0


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    sys.exit(main())
