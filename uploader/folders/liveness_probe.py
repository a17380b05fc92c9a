"""Whether a drop folder answers at all: a mount whose server is gone lets every call wait, and none of them fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import anyio

from uploader.folders import device
from uploader.folders.folder_holds import Cause, FolderHolds
from uploader.system import threads

EVERY = 30.0
"""Seconds between two questions."""

PATIENCE = 20.0
"""Seconds without an answer after which it is told."""


class LivenessProbe:
    """Asks a folder for its device, and notes in its standing that it is mute; `changed` is told of both ends."""

    def __init__(self, name: str, standing: FolderHolds, changed: Callable[[], None]) -> None:
        self._name = name
        self._standing = standing
        self._changed = changed

    async def run(self) -> None:
        """Ask again and again, until cancelled; a question that hangs is not followed by another one."""
        while True:
            await anyio.sleep(EVERY)
            async with anyio.create_task_group() as group:
                group.start_soon(self._tell)
                with suppress(OSError):  # whoever reads the folder says what is the matter
                    await threads.run_sync(device, self._name, abandon_on_cancel=True)
                group.cancel_scope.cancel()
            if self._standing.mute:
                await self._standing.set(Cause.MUTE, "")
                self._changed()

    async def _tell(self) -> None:
        await anyio.sleep(PATIENCE)
        await self._standing.set(Cause.MUTE, f"The drop folder {self._name} does not answer.")
        self._changed()
