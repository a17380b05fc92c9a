"""The journal: the one place that knows what became of every file, and the only writer of it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio

from uploader.journal.files import Converted, Files
from uploader.journal.holds import Holds
from uploader.journal.library import Database
from uploader.journal.opening import FILE_NAME, damage
from uploader.journal.pruning import Pruning
from uploader.journal.reader import Reader
from uploader.journal.retrying import Retrying
from uploader.journal.sessions import Sessions
from uploader.journal.views import FileRow, SessionRow
from uploader.journal.writer import COMMIT_RETRY, Writer, passing

log = logging.getLogger(__name__)

T = TypeVar("T")


class Journal:
    """The journal of a state directory: `files`, `sessions` and `holds` write, `read` reads.

    Only one process may hold it (the daemon's lock sees to that). Raises JournalError where it is damaged or newer
    than the program; it never starts empty in place of a file that is there.
    """

    def __init__(self, state_dir: Path) -> None:
        self._writer = Writer(state_dir / FILE_NAME)
        self._reader = Reader(state_dir)
        self._one_reader = anyio.CapacityLimiter(1)
        self.files = Files(self._writer)
        self.sessions = Sessions(self._writer)
        self.holds = Holds(self._writer)
        self.retrying = Retrying(self._writer)
        self.pruning = Pruning(self._writer)

    @property
    def identity(self) -> str:
        """Which journal it is, by the name that it was given when it was made."""
        return self._writer.identity

    @property
    def trouble(self) -> str:
        """Why commits do not go through at the moment; empty while they do."""
        return self._writer.trouble

    async def read(self, query: Callable[[Database], T]) -> T:
        """Run a query on a connection of its own, in a thread, one at a time; a failing disk is waited out.

        Raises JournalError where what is read shows that the journal was damaged since the start.
        """
        while True:
            try:
                return await anyio.to_thread.run_sync(query, self._reader.db, limiter=self._one_reader)
            except sqlite3.DatabaseError as error:
                if not passing(error):
                    raise (damage(self._writer.path, error) or error) from error
                log.warning("journal: cannot be read, tried again in a second: %s", error)
            await anyio.sleep(COMMIT_RETRY)

    async def status(self) -> dict[str, Any]:
        """See `Reader.status`."""
        return await self.read(lambda _: self._reader.status())

    def close(self) -> None:
        """Finish what was handed in and close the file."""
        self._reader.close()
        self._writer.close()  # the last one: it folds the write-ahead log into the file


__all__ = ["FILE_NAME", "Converted", "FileRow", "Journal", "Reader", "SessionRow"]
