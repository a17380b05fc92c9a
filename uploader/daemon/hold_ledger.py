"""The list of what holds work back, as the daemon keeps it; status, page and metrics ask here.

Its revision goes up with each change, and each change is a line in the log. The list is in memory at once, and soon in
the journal for those who read beside the daemon: the planning loop never waits for the journal here, for it may be the
journal that holds everything up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio

from uploader.core.holds import HoldChanges, Key, compared, key_of, listed
from uploader.core.model import Hold
from uploader.journal import HoldList, Journal
from uploader.report.terminal_text import duration

log = logging.getLogger(__name__)


State = tuple[int, frozenset[tuple[Key, int]]]
"""What the journal is told of: the revision, and which holds follow from the plan, with the files that they count."""


class HoldLedger:
    """What is held now. Touched by the event loop only.

    `pressing` are the holds that the journal cannot know of; `revision` is the last one of the process before.
    """

    def __init__(
        self, journal: Journal, pressing: Callable[[], Sequence[Hold]] = tuple, revision: int = 0
    ) -> None:
        self._journal = journal
        self._pressing = pressing
        self._planned: tuple[Hold, ...] = ()
        self._list: tuple[Hold, ...] = ()
        self._revision = revision
        self._written: State = (revision, frozenset())
        self._changed = anyio.Event()
        self._done = anyio.Event()

    def planned(self, holds: Sequence[Hold]) -> None:
        """These are the holds that follow from the plan now; what the plan showed before has begun then."""
        began = {key_of(hold): hold.since for hold in self._planned}
        self._planned = tuple(
            replace(hold, since=min(hold.since, began.get(key_of(hold), hold.since))) for hold in holds
        )

    def look(self) -> HoldList:
        """The list as of now; what is new in it is said in the log."""
        now = time.time()
        found = listed(now, (*self._pressing(), *self._journal.live.all_holds(), *self._planned))
        changes = compared(self._list, found)
        self._list = found
        if changes:
            self._revision += 1
            _log(changes, now)
        if self._state() != self._written:
            self._changed.set()
        return HoldList(found, self._revision)

    async def run(self) -> None:
        """Write the plan's holds and the revision into the journal as they change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            holds, state = self._planned, self._state()
            await self._journal.holds.shown(holds, state[0])
            self._written = state
            self._done.set()
            self._done = anyio.Event()

    async def written(self, seconds: float) -> None:
        """Wait until the journal has them, or so many seconds."""
        with anyio.move_on_after(seconds):
            while self._state() != self._written:
                await self._done.wait()

    def _state(self) -> State:
        return self._revision, frozenset((key_of(hold), hold.files) for hold in self._planned)


def _log(changes: HoldChanges, now: float) -> None:
    for hold in changes.ended:
        log.info("hold end %s after=%s", _named(hold), duration(max(0.0, now - hold.since)))
    for hold in changes.begun:
        log.warning("hold begin %s: %s", _named(hold), hold.text)
    for hold in changes.changed:
        goes_on = "waits for a person now" if hold.until is None else "goes on by itself now"
        log.warning("hold change %s %s: %s", _named(hold), goes_on, hold.text)


def _named(hold: Hold) -> str:
    return f"scope={hold.scope} cause={hold.cause} subject={hold.subject!r}"
