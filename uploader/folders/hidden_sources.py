"""Sources that a disposal has hidden and nobody was about to dispose of: they are shown again."""

from __future__ import annotations

import logging

from uploader.core.naming import hidden
from uploader.disposal import leftovers, put_back
from uploader.folders.folder_threads import FolderThreads
from uploader.journal import Journal
from uploader.journal.queries import leaving

log = logging.getLogger(__name__)


async def put_back_all(journal: Journal, folder: str, threads: FolderThreads) -> None:
    """Show again what a disposal has hidden, where the journal knows of no disposal that will go on with it."""
    due = await journal.read(lambda db: leaving(db, folder))
    known = {(path.rpartition(b"/")[0], hidden(path.rpartition(b"/")[2])) for path in due}
    found = await threads.run(lambda: list(leftovers(folder, threads.stop)))
    for leftover in found:
        if (leftover.directory, leftover.hidden) in known:
            continue
        try:
            name = await threads.run(put_back, folder, leftover)
        except OSError as error:
            log.warning("folder=%s hidden files cannot be put back: %s", folder, error)
        else:
            log.warning("folder=%s put back %r, which nobody was about to dispose of", folder, name)
