"""Transactions in SQLite, by the journal's one writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from uploader.core.transitions.change import LogLine
from uploader.core.working_set import Delta
from uploader.journal.deltas import delta
from uploader.journal.settling_sums import ChangedBlocks
from uploader.journal.sqlite_library import Database
from uploader.journal.stored_rows import StoredRows
from uploader.journal.transactions import Rows
from uploader.journal.writer import Writer

T = TypeVar("T")


class StoredTransactions:
    """Transactions of the journal's writer. `committed` is told what the rows are after each, and what it logged."""

    def __init__(self, writer: Writer, committed: Callable[[Delta, Sequence[LogLine]], None]) -> None:
        self._writer = writer
        self._committed = committed
        self.changed = ChangedBlocks()

    async def transact(self, name: str, work: Callable[[Rows], T]) -> T:
        """See `Transactions`."""

        def told(db: Database) -> tuple[T, int, Delta, Sequence[LogLine]]:
            rows = StoredRows(db)
            result = work(rows)
            return result, self.changed.note(rows.touched.blocks), delta(db, rows.touched), rows.logged

        def committed(done: tuple[T, int, Delta, Sequence[LogLine]]) -> None:
            self.changed.committed = done[1]
            self._committed(*done[2:])

        result, *_ = await self._writer.transact(name, told, committed)
        return result
