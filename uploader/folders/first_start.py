"""Whether a drop folder without a mark is new to everybody, or was another journal's whose state is gone.

The daemon works meanwhile. The names that some of the files would get are looked up on the platform: a name has the
content's hash in it, so one that is there was uploaded before, and not by this journal. Then the folder is held.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from heapq import nsmallest
from itertools import islice

import anyio

from uploader.config import Folder
from uploader.core.errors import UploaderError
from uploader.core.media_types import upload_name
from uploader.core.model import Sighting
from uploader.core.transitions.change import LogLine
from uploader.folders import FolderSpec, device, scan
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.ownership import Owner, advance, mark, owner_of
from uploader.journal import Journal
from uploader.journal.queries import content_known
from uploader.staging import content_of

log = logging.getLogger(__name__)

SAMPLED = 5
"""Files whose names are looked up."""

SEEN = 1000
"""Files among which the smallest are chosen, so that reading them takes a moment."""

MOST_BYTES = 1 << 30
"""Bytes that are read for it at most; of larger files one is read."""

AGAIN = 60.0
"""Seconds after which a look is repeated that could not be made, and a mark at the soonest."""

PATIENCE = 1.0
"""Seconds that a call waits for the mark, which a folder that hangs does not take."""

Lookup = Callable[[Folder, Sequence[str]], Awaitable[list[str]]]
"""Which of these file names the platform has where the folder's files go. Raises UploaderError where it cannot tell."""


class Belonging:
    """Gives one folder its mark, once it is clear that it is this journal's; `doubt` is told why it is not."""

    def __init__(
        self,
        folder: Folder,
        spec: FolderSpec,
        journal: Journal,
        owner: Owner,
        lookup: Lookup,
        *,
        threads: FolderThreads,
        doubt: Callable[[str], Awaitable[None]],
    ) -> None:
        self._folder = folder
        self._spec = spec
        self._journal = journal
        self._owner = owner
        self._lookup = lookup
        self._threads = threads
        self._doubt = doubt
        self._moved = anyio.Event()
        self._wanted = anyio.Event()
        self._renewed = anyio.Event()
        self._told: int | None = None
        """The last event that the mark was to tell of; None before the folder has one, and while it does not answer."""

    async def run(self) -> None:
        """Give the folder its mark, and let that tell how far the journal has come; until cancelled."""
        await self.settle()
        self._told = 0
        with self._journal.subscriptions.during(f"mark of {self._folder.path}", self._committed):
            while True:
                await self._moved.wait()
                self._moved, self._wanted = anyio.Event(), anyio.Event()
                await self._renew()
                self._renewed.set()
                self._renewed = anyio.Event()
                with anyio.move_on_after(AGAIN):
                    await self._wanted.wait()

    async def renew(self) -> None:
        """Let the mark tell of all that is durable by now before this returns, unless the folder does not answer.

        One that was waited for in vain is not waited for again before it has answered.
        """
        last = self._journal.last_event
        with anyio.move_on_after(PATIENCE):
            while self._told is not None and self._told < last:
                renewed = self._renewed
                self._moved.set()
                self._wanted.set()
                await renewed.wait()
            return
        self._told = None

    async def settle(self) -> None:
        """Until the folder bears a mark, cannot bear one, or is held."""
        while True:
            if await self._settled():
                return
            await anyio.sleep(AGAIN)

    def _committed(self, events: Sequence[LogLine]) -> None:
        if events:
            self._moved.set()

    async def _renew(self) -> None:
        last = self._journal.last_event
        with suppress(OSError):  # the next one tells as much
            owner = replace(self._owner, event=last)
            await self._threads.run(advance, self._folder.path, owner, abandon=True)
        self._told = last

    async def _settled(self) -> bool:
        path = self._folder.path
        owner = await self._threads.run(owner_of, path, abandon=True)
        if owner is not None:
            if owner.journal == self._owner.journal and owner.state_dir != self._owner.state_dir:
                # Its state directory was moved.
                await self._threads.run(mark, path, replace(self._owner, event=owner.event))
            return True  # where it is another's, the scan says so
        try:
            if await self._threads.run(device, str(path), abandon=True) is None:
                return False
            uploaded = await self._uploaded()
        except (OSError, UploaderError) as error:
            log.info("folder=%s it is looked up later whether its files were uploaded: %s", path, error)
            return False
        if uploaded:
            await self._hold(uploaded)
        elif not await self._threads.run(mark, path, self._owner):
            log.info("folder=%s it cannot bear a mark; a lost state directory would not be noticed", path)
        return True

    async def _uploaded(self) -> list[str]:
        """Names of ours that the platform has for files of the folder that this journal does not know."""
        sampled = await self._threads.run(_sample, self._spec, self._threads.stop, abandon=True)
        wanted: list[str] = []
        for sighting, content in sampled:
            if not await self._journal.read(lambda db, content=content: content_known(db, content)):  # type: ignore[misc]
                wanted.append(upload_name(sighting.path, content, self._folder.passthrough))
        return await self._lookup(self._folder, wanted) if wanted else []

    async def _hold(self, uploaded: Sequence[str]) -> None:
        await self._journal.holds.estranged(str(self._folder.path))
        await self._doubt(
            f"Files in the drop folder {self._folder.path} were uploaded by another journal, as the platform shows "
            f"{uploaded[0]} and this one in {self._owner.state_dir} does not know it.",
        )


def _sample(spec: FolderSpec, stop: threading.Event) -> list[tuple[Sighting, str]]:
    """Some files of the folder with the hashes of their contents. Blocking."""
    seen = (found for found in scan(spec, stop) if isinstance(found, Sighting))
    found, read = list[tuple[Sighting, str]](), 0
    for sighting in nsmallest(SAMPLED, islice(seen, SEEN), key=lambda sighting: sighting.size):
        if found and read + sighting.size > MOST_BYTES:
            break
        read += sighting.size
        with suppress(UploaderError):
            found.append((sighting, content_of(sighting, stop)))
    return found
