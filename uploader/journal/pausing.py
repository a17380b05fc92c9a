"""What a person pauses and resumes, entered into the journal. One public method is one transaction."""

from __future__ import annotations

from uploader.core.transitions import pause_events as events
from uploader.journal.transactions import Rows, Transactions


class Pausing:
    """The pauses; see `core.pauses`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def paused(self, folder: str, seconds: float | None) -> float | None:
        """Begin nothing new for a folder (empty: for all), for so many seconds or until a person resumes (None).

        Returns when it ends by itself (unix seconds). A pause of the folder that there is gets this end.
        """

        def work(rows: Rows) -> float | None:
            until = None if seconds is None else rows.now + seconds
            rows.apply(events.paused(rows.now, rows.pauses(), folder, until))
            return until

        return await self._transact("paused", work)

    async def resumed(self, folder: str | None) -> list[str]:
        """End the pause of a folder, or all (None); returns the folders whose pause was in force."""

        def work(rows: Rows) -> list[str]:
            change, ended = events.resumed(rows.now, rows.pauses(), folder)
            rows.apply(change)
            return ended

        return await self._transact("resumed", work)
