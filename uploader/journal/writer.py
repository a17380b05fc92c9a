"""The sole writer: one thread, one connection, and as many transactions as wait are committed together.

WAL with synchronous=FULL: when `transact` returns, the change survives a power cut. The wait is shielded, so that
nothing can be cancelled between an answer of the platform and its commit.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import anyio

from uploader.core.errors import JournalError
from uploader.journal.high_water_mark import Marker
from uploader.journal.opening import FILE_NAME, connect, damage, mark_of, taken_away
from uploader.journal.sqlite_library import Database
from uploader.system import threads
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)

T = TypeVar("T")

COMMIT_RETRY = 1.0
"""Seconds between two tries to commit on a full or failing disk."""


SLOW = 10.0
"""Seconds after which a commit, or a read, that neither succeeds nor fails is told."""


@dataclass(frozen=True, slots=True)
class JournalProblem:
    """Why the journal does not do its work, as a sentence, and since when (unix seconds)."""

    text: str
    since: float


class CommitInDoubt(Exception):
    """Whether a commit was made is not known: nothing that is in memory can be trusted, so the process must end."""


@dataclass(slots=True)
class _Job:
    name: str
    work: Callable[[Database], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    committed: Callable[[Any], None]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Runs transactions in one thread; `close` waits for those that were handed in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._refused = ""
        """What SQLite says of the commits that are tried; empty while they go through."""
        self._begun: float | None = None
        """When the commit began that is under way, in unix seconds."""
        self._db = connect(path)
        # Opened for its number alone: closing any other descriptor would give SQLite's locks away.
        self._file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        self.identity, self.last_event = mark_of(self._db)
        """Which journal it is, by the name that it was given when it was made; and the number of its last event."""
        self._marker = Marker(path.parent, self.identity)
        self._marker.note(self.last_event)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        threads.start(self._thread)

    @property
    def trouble(self) -> JournalProblem | None:
        """Why commits do not go through at the moment; None while they do."""
        begun = self._begun
        if begun is None or not (self._refused or time.time() - begun > SLOW):
            return None
        said = self._refused or "neither the disk nor whoever holds it locked lets a commit through"
        return JournalProblem(f"The journal {self.path} cannot be written: {said}.", begun)

    async def transact(
        self, name: str, work: Callable[[Database], T], committed: Callable[[T], None] = lambda _: None
    ) -> T:
        """Run `work` in a transaction of its own and return its result once it is durable.

        One without a name only reads. `committed` is called with the result in the event loop, in the order of the
        commits, before anybody who waits goes on.
        An exception of `work` rolls back its changes alone and is raised here. Cannot be cancelled.
        """
        loop = asyncio.get_running_loop()
        job = _Job(name, work, loop, loop.create_future(), committed)
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
        os.close(self._file)
        self._marker.close()

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
            self._begun = time.time()
            self._commit(jobs)
            self._begun, self._refused = None, ""
            for job in jobs:
                job.loop.call_soon_threadsafe(_resolve, job)
            if ending:
                return

    def _commit(self, jobs: list[_Job]) -> None:
        """Commit all jobs together; a full disk is waited out, because what happened cannot be undone."""
        while True:
            try:
                self._once(jobs)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it; the thread must go on
                self._roll_back()
                if not passing(error):
                    told = damage(self.path, error) or _told(error)
                    for job in jobs:
                        job.error = told
                    return
                if not self._refused:
                    log.warning("journal: commit failed, tried again every second: %s", error)
                self._refused = str(error)
                time.sleep(COMMIT_RETRY)
            else:
                return

    def _roll_back(self) -> None:
        """Leave no transaction open, whatever the error was: the next one could not begin."""
        try:
            if self._db.conn.in_transaction:
                self._db.conn.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.warning("journal: the failed transaction cannot be rolled back: %s", error)

    def _once(self, jobs: list[_Job]) -> None:
        if os.fstat(self._file).st_nlink == 0:
            raise taken_away(self.path)
        self._db.conn.execute("BEGIN IMMEDIATE")
        for job in jobs:
            job.error = None
            try:
                with self._db.atomic():
                    job.result = job.work(self._db)
            except Exception as error:
                if passing(error):
                    raise
                if not self._db.conn.in_transaction:
                    raise  # SQLite gave up the whole transaction, the changes of the other jobs with it
                job.error = damage(self.path, error) or error
        named = [job.name for job in jobs if job.name]
        for name in named:
            failpoint(f"commit.{name}.before")
        last = self._db.conn.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0]
        self._db.conn.execute("COMMIT")
        self.last_event = last
        self._marker.note(last)
        for name in named:
            failpoint(f"commit.{name}.after")


def _told(error: Exception) -> Exception:
    """These leave nothing committed; what else is raised beside the jobs may come after the commit."""
    if isinstance(error, sqlite3.Error | MemoryError | JournalError):
        return error
    doubt = CommitInDoubt(f"{type(error).__name__}: {error}")
    doubt.__cause__ = error
    return doubt


def passing(error: BaseException) -> bool:
    """Whether the disk or another process is the cause, and not the statement."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(
        ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_READONLY", "SQLITE_CANTOPEN")
    )


def untrustworthy(error: BaseException) -> bool:
    """Whether the journal is the matter, and not one statement's values, which were rolled back."""
    if isinstance(error, sqlite3.Error):
        of_values = (
            sqlite3.ProgrammingError,
            sqlite3.InterfaceError,
            sqlite3.IntegrityError,
            sqlite3.DataError,
        )
        return not isinstance(error, of_values)
    return isinstance(error, JournalError | CommitInDoubt)


def _resolve(job: _Job) -> None:
    if job.error is None:
        try:
            job.committed(job.result)
        except Exception as error:  # noqa: BLE001 - what is in memory is no longer what is in the journal
            job.error = CommitInDoubt(f"after {job.name}: {type(error).__name__}: {error}")
            job.error.__cause__ = error
    if not job.future.done():
        job.future.set_result(None)


__all__ = [
    "COMMIT_RETRY",
    "FILE_NAME",
    "SLOW",
    "CommitInDoubt",
    "JournalProblem",
    "Writer",
    "passing",
    "untrustworthy",
]
