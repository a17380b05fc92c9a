"""The holds that follow from the plan: at once for those who ask the daemon, soon in the journal for others.

The planning loop never waits for the journal here: it may be the journal that holds everything up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio

from uploader.core.model import Hold
from uploader.journal import Journal

log = logging.getLogger(__name__)


class ShownHolds:
    """What the last plan holds back. Touched by the event loop only."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._written: list[tuple[str, str]] = []
        self._changed = anyio.Event()
        self._done = anyio.Event()
        self.holds: tuple[Hold, ...] = ()

    def show(self, holds: Sequence[Hold]) -> None:
        """These are the holds now; those that are new are said in the log."""
        known = _keys(self.holds)
        for hold in holds:
            if (str(hold.scope), hold.subject) not in known:
                log.warning("hold scope=%s %s", hold.scope, hold.text)
        self.holds = tuple(holds)
        if _keys(holds) != self._written:
            self._changed.set()

    async def run(self) -> None:
        """Write them into the journal as they change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            holds = self.holds
            await self._journal.holds.shown(holds)
            self._written = _keys(holds)
            self._done.set()
            self._done = anyio.Event()

    async def written(self, seconds: float) -> None:
        """Wait until the journal has them, or so many seconds."""
        with anyio.move_on_after(seconds):
            while _keys(self.holds) != self._written:
                await self._done.wait()


def _keys(holds: Sequence[Hold]) -> list[tuple[str, str]]:
    return [(str(hold.scope), hold.subject) for hold in holds]
