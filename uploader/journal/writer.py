"""The sole writer: one thread, one connection, and as many transactions as wait are committed together.

WAL with synchronous=FULL: when `transact` returns, the change survives a power cut. The wait is shielded, so that
nothing can be cancelled between an answer of the platform and its commit.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import anyio
from sqlite_utils import Database

from uploader.core.errors import JournalError
from uploader.failpoints import failpoint
from uploader.journal.schema import SCHEMA, migrations

log = logging.getLogger(__name__)

T = TypeVar("T")

COMMIT_RETRY = 1.0
"""Seconds between two tries to commit on a full or failing disk."""

BUSY_TIMEOUT = 30.0
"""Seconds a connection waits for another one, such as `uploader retry` beside a daemon."""

FILE_NAME = "journal.sqlite"


@dataclass(slots=True)
class _Job:
    name: str
    work: Callable[[Database], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def connect(path: Path) -> Database:
    """Open the journal for writing, with the pragmas it is promised with, and bring it up to date.

    Raises JournalError when it is damaged or was written by a newer program; an existing file is never replaced.
    """
    try:
        conn = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("PRAGMA foreign_keys=ON")
        conn.execute("PRAGMA temp_store=MEMORY")  # a full /tmp is no reason to stop
        version = int(conn.execute("PRAGMA user_version").fetchone()[0])
        _check(conn, path, version)
        db = Database(conn, execute_plugins=False)
        if version < SCHEMA:
            migrations.apply(db)
            conn.execute(f"PRAGMA user_version={SCHEMA}")
    except sqlite3.OperationalError as error:
        raise JournalError(f"The journal {path} cannot be opened: {error}.", _RIGHTS) from error
    except sqlite3.DatabaseError as error:
        raise JournalError(f"The journal {path} is damaged: {error}.", _DAMAGED) from error
    return db


def _check(conn: sqlite3.Connection, path: Path, version: int) -> None:
    if version > SCHEMA:
        raise JournalError(
            f"{path} was written by a newer version of this program (schema {version}, known {SCHEMA}).",
            "Install that version again.",
        )
    verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict))


_RIGHTS = (
    "Check that state_dir exists, is on a local disk with free space, and belongs to the user that runs this."
)
_DAMAGED = (
    "Nothing was changed. Stop the daemon, copy state_dir aside, and restore journal.sqlite from a backup, or "
    "recover it with `sqlite3 journal.sqlite .recover`. Starting with an empty journal would upload everything twice."
)


class Writer:
    """Runs transactions in one thread; `close` waits for those that were handed in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        """Why commits do not go through at the moment, in words; empty while they do."""
        self._db = connect(path)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def transact(self, name: str, work: Callable[[Database], T]) -> T:
        """Run `work` in a transaction of its own and return its result once it is durable.

        An exception of `work` rolls back its changes alone and is raised here. Cannot be cancelled.
        """
        loop = asyncio.get_running_loop()
        job = _Job(name, work, loop, loop.create_future())
        self._jobs.put(job)
        with anyio.CancelScope(shield=True):
            await job.future
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def close(self) -> None:
        """Finish what was handed in and close the file."""
        self._jobs.put(None)
        self._thread.join()
        self._db.close()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs = [first]
            ending = False
            while not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    ending = True
                    break
                jobs.append(following)
            self._commit(jobs)
            for job in jobs:
                job.loop.call_soon_threadsafe(_resolve, job.future)
            if ending:
                return

    def _commit(self, jobs: list[_Job]) -> None:
        """Commit all jobs together; a full disk is waited out, because what happened cannot be undone."""
        while True:
            try:
                self._once(jobs)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it; the thread must go on
                if not passing(error):
                    for job in jobs:
                        job.error = damage(self.path, error) or error
                    return
                if self._db.conn.in_transaction:
                    self._db.conn.execute("ROLLBACK")
                if not self.trouble:
                    log.warning("journal: commit failed, tried again every second: %s", error)
                self.trouble = f"The journal cannot be written: {error}."
                time.sleep(COMMIT_RETRY)
            else:
                self.trouble = ""
                return

    def _once(self, jobs: list[_Job]) -> None:
        self._db.conn.execute("BEGIN IMMEDIATE")
        for job in jobs:
            job.error = None
            try:
                with self._db.atomic():
                    job.result = job.work(self._db)
            except Exception as error:
                if passing(error):
                    raise
                job.error = damage(self.path, error) or error
        for job in jobs:
            failpoint(f"commit.{job.name}.before")
        self._db.conn.execute("COMMIT")
        for job in jobs:
            failpoint(f"commit.{job.name}.after")


def passing(error: BaseException) -> bool:
    """Whether the disk or another process is the cause, and not the statement."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(
        ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_READONLY", "SQLITE_CANTOPEN")
    )


def damage(path: Path, error: BaseException) -> JournalError | None:
    """What to tell where the error says that the file is damaged; None where it is another matter."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return JournalError(f"The journal {path} is damaged: {error}.", _DAMAGED)
    return None


def _resolve(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(None)
