"""What is held is tried at once because a person asks for it: all of it, or what one hold keeps waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from uploader.core.errors import UploaderError
from uploader.core.hold_causes import CAUSES
from uploader.core.model import Hold, Scope
from uploader.core.transitions.held_rows import HoldName
from uploader.journal import Journal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trying:
    """The parts of a daemon that may wait. A name of None means all of them."""

    journal: Journal
    holds: Callable[[], Sequence[Hold]]
    """The list of what is held now."""
    mistakes: Callable[[str | None], int]
    """Tries what a mistake in the program keeps back; returns how many files and sessions that are."""
    folders: Callable[[str | None], int]
    """Looks at a folder again; returns how many folders that are."""
    platform: Callable[[], None]
    """Asks the platform soon, although no file waits for it."""

    async def everything(self) -> int:
        """Try whatever is held, or waits for another try. Returns how many holds, sessions and files that are."""
        count = self.mistakes(None) + await self.journal.retrying.tried_now()
        self.folders(None)
        self.platform()
        log.info("tried now count=%d", count)
        return count

    async def hold(self, name: HoldName) -> int:
        """Try what one hold keeps waiting, and nothing else. Returns as above.

        Raises UploaderError where nothing is held by that name, or where trying is not what ends it.
        """
        found = [each for each in self.holds() if (each.scope, each.subject) == name]
        if not found:
            what = f"Nothing is held by the name {name.scope}{f':{name.subject}' if name.subject else ''}."
            raise UploaderError(what, "`uploader status` shows what is.")
        if not any(CAUSES[each.cause].tried for each in found):
            raise UploaderError("Trying it again does not end this hold.", found[0].way_out)
        count = await self.journal.retrying.tried_now(name)
        if name.scope in {Scope.FILE, Scope.SESSION}:
            count += self.mistakes(name.subject)
        if name.scope is Scope.FOLDER:
            count += self.folders(name.subject)
        if name.scope in {Scope.PLATFORM, Scope.TARGET}:
            self.platform()
        log.info("tried now scope=%s subject=%r count=%d", name.scope, name.subject, count)
        return count
