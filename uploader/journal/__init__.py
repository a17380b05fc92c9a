"""The journal: the one place that knows what became of every file, and the only writer of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
from sqlite_utils import Database

from uploader.journal.files import Converted, Files
from uploader.journal.holds import Holds
from uploader.journal.reader import Reader
from uploader.journal.retrying import Retrying
from uploader.journal.sessions import Sessions
from uploader.journal.views import FileRow, SessionRow
from uploader.journal.writer import FILE_NAME, Writer

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

    @property
    def trouble(self) -> str:
        """Why commits do not go through at the moment; empty while they do."""
        return self._writer.trouble

    async def read(self, query: Callable[[Database], T]) -> T:
        """Run a query on a connection of its own, in a thread, one at a time."""
        return await anyio.to_thread.run_sync(query, self._reader.db, limiter=self._one_reader)

    async def status(self) -> dict[str, Any]:
        """See `Reader.status`."""
        return await anyio.to_thread.run_sync(self._reader.status, limiter=self._one_reader)

    def close(self) -> None:
        """Finish what was handed in and close the file."""
        self._reader.close()
        self._writer.close()  # the last one: it folds the write-ahead log into the file


__all__ = ["FILE_NAME", "Converted", "FileRow", "Journal", "Reader", "SessionRow"]
