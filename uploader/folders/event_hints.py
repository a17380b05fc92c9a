"""Follows the events of one drop folder: each names paths that are worth a look, and is never believed by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from uploader.core.model import Sighting
from uploader.folders import WHOLE, FolderSpec, Missed, changes, look_all
from uploader.folders import inbox as told
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.inbox import Inbox
from uploader.folders.scanning import CHUNK


class EventHints:
    """What events name is looked at, and delivered to the inbox.

    `removed` is told of paths that are gone. While the folder is `blind`, or where events name the whole of it,
    `rescan` asks for a scan instead.
    """

    def __init__(
        self,
        spec: FolderSpec,
        missed: Missed,
        threads: FolderThreads,
        inbox: Inbox,
        *,
        removed: Callable[[Sequence[bytes]], Awaitable[None]],
        blind: Callable[[], bool],
        rescan: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._missed = missed
        self._threads = threads
        self._inbox = inbox
        self._removed = removed
        self._blind = blind
        self._rescan = rescan

    async def follow(self) -> None:
        """Follow until cancelled."""
        async with aclosing(changes(self._spec, self._missed, limiter=self._threads.limiter)) as hints:
            async for paths in hints:
                if self._blind() or WHOLE in paths:
                    self._rescan()
                    continue
                wanted = list(paths)
                for start in range(0, len(wanted), CHUNK):
                    await self._look_in_passing(wanted[start : start + CHUNK])

    async def _look_in_passing(self, paths: Sequence[bytes]) -> None:
        stop = self._threads.stop
        found = await self._threads.run(lambda: list(look_all(self._spec, paths, stop)))
        sightings = [seen for _, seen in found if isinstance(seen, Sighting)]
        gone = [path for path, seen in found if seen is None]
        await self._inbox.deliver(told.ScanResult(sightings, gone))
        await self._removed(gone)
