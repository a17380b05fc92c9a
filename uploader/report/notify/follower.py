"""What one way was told, as the journal keeps it; and the rejected files of which it has to be told.

It is entered after it was told, so that a crash in between tells it again rather than never. Nobody waits for the
journal here, for it may be what an alarm is about: what was told is in memory meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anyio.abc import TaskGroup

from uploader.core.alarms import GATHERED, Key, Rejection, SentAlarm, of_rejections
from uploader.core.model import FileState
from uploader.core.transitions.change import LogLine
from uploader.journal import Journal
from uploader.journal.followers import LOOKED_AT, Position, position_of, rejections
from uploader.journal.opening import newest_event
from uploader.report.notify.teller import Teller
from uploader.system.bounded_read import BoundedRead

PATIENCE = 1.0
"""Seconds that the journal may take; without its answer the rest goes on."""

BEHIND = 1000
"""Events after which it is entered how far it has come although there was nothing to tell: nothing is pruned before."""


class Follower:
    """The memory of a teller. Who begins to follow is told of what happens from then on."""

    def __init__(self, teller: Teller, journal: Journal, group: TaskGroup) -> None:
        self._teller = teller
        self._journal = journal
        self._name = f"notify.{teller.name}"
        self._kept: Position | None = None
        """As it stands in the journal; None: nowhere, as far as is known."""
        self._event = 0
        """The event up to which all rejected files were told."""
        self._reached = 0
        """The event up to which the teller knows of them."""
        self._some_told = False
        """Rejected files were told, and it is not entered yet."""
        self._gather_until = float("-inf")
        self._ahead = BEHIND
        """Events of which the journal was not asked yet; a rejection counts as so many that it is asked at once."""
        self._look = BoundedRead(self._rejections, group)
        self._entry = BoundedRead(self._enter, group)

    async def begin(self) -> None:
        """Know what was told before the start; waits for the journal."""
        self._journal.subscriptions.add(self._name, self._heard)
        self._kept = await self._journal.read(lambda db: position_of(db, self._name))
        if self._kept is None:
            self._event = await self._journal.read(newest_event)
        else:
            self._event, self._teller.told = self._kept.event, self._kept.told
        self._reached = self._event

    async def look(self, now: float) -> None:
        """Give the teller the files that were rejected since, once it has told of those before."""
        if self._teller.rejected or now < self._gather_until or self._ahead < BEHIND:
            return
        found = await self._look.ask(PATIENCE)
        if found is None:
            return
        rejected, self._reached, answered = found
        self._ahead -= answered
        if rejected:
            self._teller.rejected = [*of_rejections(rejected)]
            self._some_told, self._gather_until = True, now + GATHERED

    async def keep(self) -> None:
        """Enter what was told, where that has changed."""
        if not self._teller.rejected:
            self._event = self._reached
        if self._changed():
            await self._entry.ask(PATIENCE)

    async def leave(self) -> None:
        """Follow no longer, if it did: what was told is forgotten, and no event is kept for it."""
        self._journal.subscriptions.remove(self._name)
        self._teller.told, self._teller.rejected, self._teller.trouble = {}, [], ""
        if await self._journal.read(lambda db: position_of(db, self._name)) is not None:
            await self._journal.followers.left(self._name)
        self._kept = None

    def _heard(self, events: Sequence[LogLine]) -> None:
        rejected = any(line.state == FileState.REJECTED for line in events)
        self._ahead += BEHIND if rejected else len(events)

    def _changed(self) -> bool:
        if self._kept is None or _times(self._teller.told) != _times(self._kept.told):
            return True
        ahead = self._event - self._kept.event
        return ahead > (0 if self._some_told else BEHIND)

    async def _rejections(self) -> tuple[list[Rejection], int, int]:
        """The files, the event up to which they were looked for, and how much of `_ahead` that is."""
        after, heard = self._event, self._ahead
        found, reached = await self._journal.read(lambda db: rejections(db, after))
        went_to_the_end = reached - after < LOOKED_AT
        return found, reached, heard if went_to_the_end else 0

    async def _enter(self) -> None:
        new, before = Position(self._event, self._teller.told), self._kept.event if self._kept else 0
        await self._journal.followers.told(self._name, before, new)
        self._kept = new
        self._some_told = self._some_told and self._event < self._reached


def _times(told: Mapping[Key, SentAlarm]) -> dict[Key, float]:
    return {key: one.at for key, one in told.items()}
