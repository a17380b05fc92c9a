"""How much settles, in sums of blocks of rows: only blocks in which a row has changed are read again.

A status asks at every look of a person or a page, and of a million new files all settle at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from uploader.journal.pending_amounts import Group, groups, merged
from uploader.journal.queries import scalar
from uploader.journal.sqlite_library import Database

BLOCK = 512
"""Rows of files, by their ids, that are summed together."""

RANGE = 64
"""Blocks that one query sums at most: it sorts the rows, and a million of them would take a hundred megabytes."""


class ChangedBlocks:
    """The blocks in which transactions have changed rows: the writer notes them, and one reader sums them anew.

    A block is noted before the commit of its change, and forgotten only when a reader has summed it that began after
    that commit: whatever a reader can see was noted before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[int, int] = {}
        """By block: the last transaction that changed it."""
        self._last = 0
        self.committed = 0
        """All transactions up to this one are committed, or came to nothing."""

    def note(self, blocks: Iterable[int]) -> int:
        """A transaction changes rows of these blocks; returns its number. Its commit is still to come."""
        with self._lock:
            self._last += 1
            self._noted.update(dict.fromkeys(blocks, self._last))
            return self._last

    def noted(self) -> list[int]:
        """The changed blocks in their order."""
        with self._lock:
            return sorted(self._noted)

    def forget(self, up_to: int) -> None:
        """The blocks have been read as they were after this transaction."""
        with self._lock:
            self._noted = {block: last for block, last in self._noted.items() if last > up_to}


class SettlingSums:
    """What settles, as of the last `read`. Without `changed` nobody says what changes: all is read each time."""

    def __init__(self, changed: ChangedBlocks | None = None) -> None:
        self._changed = changed
        self._blocks: dict[int, list[Group]] = {}
        self._begun = False
        """All was read once."""

    def read(self, db: Database) -> list[Group]:
        """The groups. Has to be the first that is read within its transaction."""
        committed = self._changed.committed if self._changed else 0
        whole = _settling(db)  # the moment of the transaction begins here
        if self._changed is None or not self._begun:
            self._blocks.clear()
            self._sum(db, whole)
        else:
            self._sum(db, self._changed.noted())
        if self._changed:
            self._begun = True
            self._changed.forget(committed)
        return merged(group for block in self._blocks.values() for group in block)

    def _sum(self, db: Database, blocks: Iterable[int]) -> None:
        where = "f.state = 'settling' AND f.id >= ? AND f.id < ?"
        for start, end in _ranges(blocks):
            for block in range(start, end):
                self._blocks.pop(block, None)
            for group in groups(db, where, start * BLOCK, end * BLOCK, within=f"f.id / {BLOCK}"):
                self._blocks.setdefault(group["block"], []).append(group)


def _settling(db: Database) -> range:
    """The blocks between the first and the last file that settles."""
    first, last = (
        scalar(db, f"SELECT COALESCE({which}(id), 0) FROM files WHERE state = 'settling'")  # noqa: S608
        for which in ("MIN", "MAX")
    )
    return range(first // BLOCK, last // BLOCK + 1)


def blocks_of(file_ids: Iterable[int]) -> set[int]:
    """The blocks of these files."""
    return {file_id // BLOCK for file_id in file_ids}


def _ranges(blocks: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Blocks in order as ranges of neighbours."""
    start = end = -1
    for block in blocks:
        if block != end or end - start >= RANGE:
            if end > start:
                yield start, end
            start = block
        end = block + 1
    if end > start:
        yield start, end
