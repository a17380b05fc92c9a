"""The journal: the one place that knows what became of every file, and the only writer of it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import anyio

from uploader.core.configuration import Folder
from uploader.core.planner_view import PlannerView
from uploader.core.transitions.change import LogLine
from uploader.core.transitions.file_events import Converted
from uploader.core.working_set import Delta, WorkingSet
from uploader.journal import deltas
from uploader.journal.archives import Archives
from uploader.journal.ended_sums import ENDED
from uploader.journal.files import Files
from uploader.journal.followers import Followers
from uploader.journal.forgetting import Forgetting
from uploader.journal.hold_rows import hold_revision, learn
from uploader.journal.holds import Holds
from uploader.journal.opening import FILE_NAME, damage
from uploader.journal.pausing import Pausing
from uploader.journal.pruning import Pruning, give_back
from uploader.journal.queries import FileRow, SessionRow
from uploader.journal.reader import Reader
from uploader.journal.retry import Retrying
from uploader.journal.scenes import Scenes
from uploader.journal.sessions import Sessions
from uploader.journal.sqlite_library import Database
from uploader.journal.status import HoldList, StatusFacts, status_of
from uploader.journal.stored_transactions import StoredTransactions
from uploader.journal.subscriptions import Subscriptions
from uploader.journal.view_queries import read_view
from uploader.journal.writer import COMMIT_RETRY, SLOW, JournalProblem, Writer, passing, untrustworthy
from uploader.system import threads

log = logging.getLogger(__name__)

T = TypeVar("T")


class Journal:
    """The journal of a state directory: `files`, `sessions` and `holds` write, `read` reads.

    Only one process may hold it (the daemon's lock sees to that). Raises JournalError where it is damaged or newer
    than the program; it never starts empty in place of a file that is there.
    """

    def __init__(self, state_dir: Path) -> None:
        self._writer = Writer(state_dir / FILE_NAME)
        transactions = StoredTransactions(self._writer, self._committed)
        self._reader = Reader(state_dir, transactions.changed)
        self._one_reader = anyio.CapacityLimiter(1)
        self._unread = ""
        """What SQLite says of the reads that are tried; empty while they succeed."""
        self._asked: dict[object, float] = {}
        """When the reads began that are under way, in unix seconds."""
        self.live = WorkingSet()
        """The rows with which something is still to be done, as of the last commit that this loop was told of."""
        self.live.apply(deltas.everything(self._reader.db))
        self.subscriptions = Subscriptions()
        """The subscribers are told of each commit, after the working set."""
        self.archives = Archives(transactions)
        self.files = Files(transactions)
        self.sessions = Sessions(transactions)
        self.scenes = Scenes(transactions)
        self.holds = Holds(transactions)
        self.retrying = Retrying(transactions)
        self.pausing = Pausing(transactions)
        self.forgetting = Forgetting(transactions)
        self.pruning = Pruning(transactions)
        self.followers = Followers(transactions)

    @property
    def identity(self) -> str:
        """Which journal it is, by the name that it was given when it was made."""
        return self._writer.identity

    @property
    def last_event(self) -> int:
        """The number of the last event that is durable."""
        return self._writer.last_event

    @property
    def trouble(self) -> JournalProblem | None:
        """Why commits, or reads, do not go through at the moment; None while they do."""
        oldest = min(self._asked.values(), default=None)
        if self._writer.trouble or oldest is None or not (self._unread or time.time() - oldest > SLOW):
            return self._writer.trouble
        said = self._unread or "the disk neither answers nor fails; what is told is as of its last answer"
        return JournalProblem(f"The journal {self._writer.path} cannot be read: {said}.", oldest)

    async def read(self, query: Callable[[Database], T]) -> T:
        """Run a query on a connection of its own, in a thread, one at a time; a failing disk is waited out.

        Raises JournalError where what is read shows that the journal was damaged since the start.
        """
        token = object()
        self._asked[token] = time.time()
        try:
            while (found := await self._read(query)) is None:  # noqa: ASYNC110 - a disk does not say when it is well
                await anyio.sleep(COMMIT_RETRY)
        finally:
            del self._asked[token]
        return found[0]

    def _committed(self, delta: Delta, events: Sequence[LogLine]) -> None:
        """Doubt about the working set ends the daemon; what a subscriber makes of the events is its own affair."""
        self.live.apply(delta)
        self.subscriptions.publish(events)

    async def _read(self, query: Callable[[Database], T]) -> tuple[T] | None:
        """One try; None where it failed because of the disk, or of another process."""
        try:
            found = await threads.run_sync(query, self._reader.db, limiter=self._one_reader)
        except sqlite3.DatabaseError as error:
            if not passing(error):
                raise (damage(self._writer.path, error) or error) from error
            if not self._unread:
                log.warning("journal: cannot be read, tried again every second: %s", error)
            self._unread = str(error)
            return None
        self._unread = ""
        return (found,)

    async def compare(self, destinations: Mapping[str, Folder]) -> None:
        """Raise CommitInDoubt where the working set is not what the journal says; tests ask at every turn."""
        nobody: frozenset[int] = frozenset()

        def check(told: PlannerView) -> None:
            expected = replace(told, twins_completed=nobody, twins_pending=nobody)
            found = self.live.view(destinations)
            if found != expected:
                raise AssertionError(f"the working set has {found}, the journal {expected}")

        await self._writer.transact("", lambda db: read_view(db, destinations), check)

    async def status(self) -> dict[str, Any]:
        """See `Reader.status`."""
        return await self.read(lambda _: self._reader.status())

    async def facts(self, destinations: Mapping[str, Folder]) -> StatusFacts:
        """See `Reader.facts`."""
        return await self.read(lambda _: self._reader.facts(destinations))

    async def keep_sums(self) -> None:
        """Keep the sums of what has ended, before events are forgotten that they are followed by."""
        sums = await self.read(lambda _: self._reader.kept_sums())
        await self._writer.transact("summed", lambda db: learn(db, ENDED, sums))

    async def give_back(self, pages: int) -> bool:
        """See `pruning.give_back`."""
        return await self._writer.transact("shrunk", lambda db: give_back(db, pages))

    async def hold_revision(self) -> int:
        """How often the list of holds has changed, as of the last time that it was written down."""
        return await self.read(hold_revision)

    def close(self) -> None:
        """Finish what was handed in and close the file."""
        self._reader.close()
        self._writer.close()  # the last one: it folds the write-ahead log into the file


__all__ = [
    "FILE_NAME",
    "SLOW",
    "Converted",
    "FileRow",
    "HoldList",
    "Journal",
    "JournalProblem",
    "Reader",
    "SessionRow",
    "StatusFacts",
    "status_of",
    "untrustworthy",
]
