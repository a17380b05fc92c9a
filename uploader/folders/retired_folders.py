"""Drop folders that are no longer configured: what was not claimed of their files leaves the list."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial

from uploader.core.log_subject import About
from uploader.core.model import Scope
from uploader.journal import Journal
from uploader.journal.intake_queries import settling_folders, waiting

log = logging.getLogger(__name__)

PAGE = 5000
"""Rows that are read together."""


async def retire(journal: Journal, folder: str) -> None:
    """Take the settling files of an unwatched folder off the list and end its hold. Claimed files go on."""
    after, count = 0, 0
    while rows := await journal.read(partial(waiting, folder=folder, after=after, limit=PAGE)):
        await journal.files.vanished([file_id for file_id, _ in rows])
        after, count = rows[-1][0], count + len(rows)
    await journal.holds.clear(Scope.FOLDER, folder)
    log.info(
        "%s is not in the configuration: %d files that wait in it leave the list", About(folder=folder), count
    )


async def retire_others(journal: Journal, configured: Collection[str]) -> None:
    """The same of all folders but the configured ones."""
    for folder in await journal.read(settling_folders):
        if folder not in configured:
            await retire(journal, folder)
