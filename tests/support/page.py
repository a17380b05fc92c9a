"""A page that tells of a real journal and of a daemon that is acted: on loopback, by the server of the daemon."""

from __future__ import annotations

import atexit
import json
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx

from tests.support.views import free_port
from uploader.core.model import Hold
from uploader.journal import FILE_NAME, HoldList, Reader, content_hashes, status_of
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer
from uploader.report import dashboard
from uploader.report.dashboard import Access, Basemap, Preview, Previews, Sources

SIGHTING = json.dumps([[1, 2, 3_000_000, 4, 5], []])
FILE = (
    "INSERT INTO files (folder, path, current, state, sighting, size, content, object_size, method, file_name, "
    "session_id, item_id, disposal, discovered_at, changed_at, converted_at, stored_at, completed_at, last_error, "
    "attempts) "
    "VALUES (:folder, :path, 1, :state, :sighting, :size, :content, :object_size, :method, :file_name, :session, "
    ":item, :disposal, :at, :at, :completed, :completed, :completed, :reason, :attempts)"
)


@cache
def _empty() -> Path:
    """A state directory with a journal that is new; made once."""
    made = Path(tempfile.mkdtemp(prefix="empty-journal-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    Writer(made / FILE_NAME).close()
    return made


@dataclass
class Acted:
    """A state directory with a real journal, and what a daemon would tell beside it."""

    state: Path
    holds: list[Hold] = field(default_factory=list)
    running: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    """Requests of the control socket that the page has made."""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    previews: dict[int, Preview] = field(default_factory=dict)
    picture: bytes = b""
    access: Access = field(default_factory=Access)
    commits: int = 0
    destinations: Mapping[str, Any] = field(default_factory=dict)
    silent: bool = False
    """The daemon answers nothing."""
    waits: list[Any] = field(default_factory=list)
    basemap: Basemap | None = None
    cluster: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        shutil.copytree(_empty(), self.state, dirs_exist_ok=True)

    def add(self, path: str, state: str = "completed", *, ago: float = 60.0, **given: Any) -> int:
        """Enter a file with its events and its session. Returns its id."""
        at, ended = time.time() - ago, state in {"completed", "disposed"}
        with self._written() as db:
            session = None
            if ended or given.get("upload_id"):
                session = db.execute(
                    "INSERT INTO sessions (state, project_id, collection_id, item_id, asset_key, categorical, "
                    "idempotency_key, body, file_count, total_bytes, upload_id, created_at, changed_at) "
                    "VALUES ('completed', 'p-1', '', '', '', 0, hex(randomblob(8)), '{}', 1, 9, ?, ?, ?)",
                    (given.get("upload_id", f"up_{path}"), at, at),
                ).lastrowid
            values = {
                "folder": "/srv/drop",
                "path": path.encode("utf-8", "surrogateescape"),
                "state": state,
                "sighting": SIGHTING,
                "size": 3_000_000,
                "content": None,
                "object_size": 2_000_000 if ended else None,
                "method": "encode" if ended else None,
                "file_name": None,
                "session": session,
                "item": f"it_{path}" if ended else None,
                "disposal": "kept" if ended else None,
                "at": at,
                "completed": at if ended else None,
                "reason": "",
                "attempts": 0,
                **{name: value for name, value in given.items() if name != "upload_id"},
            }
            values["content"] = content_hashes.stored(values["content"])
            number = db.execute(FILE, values).lastrowid
            steps = ("claimed", "converted", "stored", "completed") if ended else ("claimed",)
            db.executemany(
                "INSERT INTO events (time, file_id, session_id, event, state, note) VALUES (?, ?, ?, ?, ?, '')",
                [(at, number, session, step, state) for step in steps],
            )
        assert number is not None
        return number

    def change(self, sql: str, *values: Any) -> None:
        """Have the rows be otherwise, as a commit of the daemon would."""
        with self._written() as db:
            db.execute(sql, values)

    def forget(self, file_id: int) -> None:
        """Prune a file: only its receipt is left."""
        with self._written() as db:
            db.execute("INSERT INTO receipts SELECT * FROM all_receipts WHERE id = ?", (file_id,))
            db.execute("DELETE FROM files WHERE id = ?", (file_id,))

    @contextmanager
    def _written(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.state / FILE_NAME)) as db:
            db.execute("PRAGMA synchronous=OFF")
            yield db
            db.commit()
        self.commits += 1

    async def status(self) -> dict[str, Any]:
        """As `LiveStatus.ask` tells it."""
        if self.silent:
            await anyio.sleep(3600)
        with Reader(self.state) as reader:
            told = status_of(
                reader.facts(self.destinations), HoldList(self.holds, 7), time.time(), self.waits
            )
        cluster = {} if self.cluster is None else {"cluster": self.cluster}
        return {**told, **cluster, "running": self.running, "stalled_after": 300.0, "alarms": []}

    async def command(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """As the control socket answers."""
        self.asked.append(request)
        self.commits += 1
        return {"ok": True, **self.answers[request["command"]]}

    async def read(self, query: Any) -> Any:
        """As `Journal.read` does."""
        with Reader(self.state) as reader:
            return query(reader.db)

    def sources(self, **given: Any) -> Sources:
        """What the page is given."""
        previews = Previews(
            lambda _, ids: {i: self.previews[i] for i in ids if i in self.previews},
            lambda _, __: self.picture or None,
        )
        facts: dict[str, Any] = {
            "status": self.status,
            "read": self.read,
            "command": self.command,
            "access": self.access,
            "commits": lambda: self.commits,
            "running": lambda: bool(self.running),
            "base_url": "https://api.example.com",
            "previews": previews,
            "basemap": self.basemap,
        }
        return Sources(**{**facts, **given})


@asynccontextmanager
async def serving(acted: Acted, port: int = 0, **given: Any) -> AsyncIterator[int]:
    """Serve on a free port; gives the port."""
    port = port or free_port()
    async with anyio.create_task_group() as group:
        group.start_soon(dashboard.serve, f"127.0.0.1:{port}", acted.sources(**given))
        with anyio.fail_after(10):
            while not await _listens(port):  # noqa: ASYNC110 - a port cannot say when it opens
                await anyio.sleep(0.01)
        yield port
        group.cancel_scope.cancel()


@asynccontextmanager
async def browsing(acted: Acted, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of such a page, which keeps cookies as a browser does."""
    async with (
        serving(acted, **given) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False) as client,
    ):
        yield client


async def let_in(client: httpx.AsyncClient, acted: Acted) -> None:
    """Give the client the cookie that allows changes."""
    answer = await client.post(
        "/enter", data={"token": acted.access.token()}, headers={"Origin": str(client.base_url).rstrip("/")}
    )
    assert answer.status_code == 303, answer.text


async def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


__all__ = ["Acted", "Database", "browsing", "let_in", "serving"]
