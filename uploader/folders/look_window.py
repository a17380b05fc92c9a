"""Who is looked at by turns: free places go to files that wait in the journal, and files that never settle lose theirs.

A file keeps its place for a turn. Where others wait, one that has not settled by then goes to the end of the line; it
is still taken, a few turns later than if it were alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import anyio

from uploader.folders.candidates import Unclaimed
from uploader.folders.registration import Registration
from uploader.journal import Journal
from uploader.journal.intake_queries import waiting

PAGE = 500
"""Rows that are read from the journal together at most."""

TURN = 60.0
"""Seconds for which a file keeps its place at least."""

TURN_QUIETS = 3
"""Times the folder's quiet seconds for which it does, where that is longer."""

Look = Callable[[Iterable[bytes]], Awaitable[None]]


class Filling:
    """The line of one folder. `look` looks at paths now; `held` tells whether nothing is to be expected of it."""

    def __init__(
        self,
        folder: str,
        journal: Journal,
        candidates: Unclaimed,
        register: Registration,
        *,
        look: Look,
        held: Callable[[], bool],
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._candidates = candidates
        self._register = register
        self._look = look
        self._held = held
        self._wake = anyio.Event()
        self._again: set[bytes] = set()
        self._looking = False
        self._after = 0
        """The last row of the line that was looked at."""
        self._turn = max(TURN, TURN_QUIETS * candidates.settling(folder).quiet_seconds(folder))
        self._unsettled = 0
        """Files that had to give up their places the last time that the line was gone through."""

    @property
    def unsettled(self) -> int:
        """How many files have given up their places to others that still wait."""
        return (
            max(self._unsettled, len(self._register.gave_way)) if self._register.refused or self._after else 0
        )

    @property
    def busy(self) -> bool:
        """Whether paths are to be looked at again, or are being."""
        return bool(self._again) or self._looking

    def look_again(self, path: bytes) -> None:
        """Look at a path soon: what was seen of it last may be overtaken."""
        self._again.add(path)
        self._wake.set()

    def wake(self) -> None:
        """A file was claimed or ended: another one can take its place."""
        self._wake.set()

    async def run(self) -> None:
        """Look at what is overtaken, and move the line; until cancelled."""
        while True:
            with anyio.move_on_after(self._turn / 2):
                await self._wake.wait()
            self._wake = anyio.Event()
            again, self._again = self._again, set()
            self._looking = bool(again)
            await self._look(again)
            self._looking = False
            await self._move()

    async def _move(self) -> None:
        """Let files into the places that are free, or are given up."""
        if self._register.refused and not self._candidates.roomy(self._folder) and not self._held():
            self._register.gave_way.update(self._candidates.give_way(self._folder, self._turn))
        while (
            (self._after or self._register.refused)
            and not self._held()
            and self._candidates.roomy(self._folder)
        ):
            self._after = await self._page(self._after)
            if not self._after:
                self._unsettled = len(self._register.gave_way)
                self._register.gave_way.clear()  # the line was gone through: it is their turn again

    async def _page(self, after: int) -> int:
        """Look at the next files of the line; returns the last id, 0 at its end."""
        if after == 0:
            self._register.refused = False  # until one of them finds no room
        # Whoever is read of has a place at once, or his turn is over.
        most = min(PAGE, self._candidates.room(self._folder))
        found = await self._journal.read(lambda db: waiting(db, self._folder, after, most))
        known = self._candidates.id_of
        await self._look([path for _, path in found if known(self._folder, path) is None])
        await self._register.count()
        return found[-1][0] if len(found) == most else 0
