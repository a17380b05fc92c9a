"""Sources that a disposal has hidden and nobody was about to dispose of: they are shown again."""

from __future__ import annotations

import logging
import threading

from uploader.core.naming import hidden
from uploader.disposal import leftovers, put_back
from uploader.journal import Journal
from uploader.journal.queries import leaving
from uploader.system import threads

log = logging.getLogger(__name__)


async def put_back_all(journal: Journal, folder: str, stop: threading.Event) -> None:
    """Show again what a disposal has hidden, where the journal knows of no disposal that will go on with it."""
    due = await journal.read(lambda db: leaving(db, folder))
    known = {(path.rpartition(b"/")[0], hidden(path.rpartition(b"/")[2])) for path in due}
    found = await threads.run_sync(lambda: list(leftovers(folder, stop)))
    for leftover in found:
        if (leftover.directory, leftover.hidden) in known:
            continue
        try:
            name = await threads.run_sync(put_back, folder, leftover)
        except OSError as error:
            log.warning("folder=%s hidden files cannot be put back: %s", folder, error)
        else:
            log.warning("folder=%s put back %r, which nobody was about to dispose of", folder, name)
