"""Intake on its own, with a real journal and a real folder, and somebody who claims by hand."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from uploader.config import Folder
from uploader.core.model import FileState
from uploader.folders.intake import Intake
from uploader.folders.watcher import FolderWatcher
from uploader.journal import Journal
from uploader.journal.rows import rows
from uploader.system.locks import FolderLocks

TINY = b"not a tiff, so that nothing has to be whole"


@dataclass
class Bench:
    """An intake that runs, and its world."""

    intake: Intake
    journal: Journal
    drop: Path

    @property
    def watcher(self) -> FolderWatcher:
        """Who watches the folder."""
        return self.intake._watchers[str(self.drop)]

    def put(self, name: str, data: bytes = TINY) -> Path:
        """A file that appears at once."""
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    async def files(self) -> list[dict[str, Any]]:
        """All rows."""
        return await self.journal.read(lambda db: rows(db, "SELECT * FROM files ORDER BY id"))

    async def states(self) -> dict[str, int]:
        """How many rows are in each state."""
        found: dict[str, int] = {}
        for row in await self.files():
            found[row["state"]] = found.get(row["state"], 0) + 1
        return found

    async def hold(self) -> str:
        """What is held, in words."""
        return " ".join(
            f"{hold['reason']} {hold['way_out']}" for hold in (await self.journal.status())["holds"]
        )

    async def until(self, condition: Callable[[], Any], what: str, seconds: float = 120.0) -> Any:
        """Wait until a condition holds, which may be a coroutine function; returns what it returned."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            value = await value if hasattr(value, "__await__") else value
            if value:
                return value
            await anyio.sleep(0.02)
        raise AssertionError(
            f"not within {seconds:.0f} s: {what}; {await self.states()}; {await self.hold()}"
        )

    async def settled(self, count: int) -> list[int]:
        """Wait until so many may be claimed; returns their ids."""
        await self.until(lambda: len(self.intake.settled()) >= count, f"{count} settled")
        return [file.file_id for file in self.intake.settled()]

    async def claim(self, file_id: int, content: str = "") -> FileState:
        """Claim a file as the effect does, without a copy."""
        sighting = self.intake.settled_sighting(file_id)
        assert sighting is not None
        state = await self.journal.files.claimed(file_id, sighting, content or f"c{file_id}", sighting.size)
        self.intake.claimed(file_id)
        return state


@asynccontextmanager
async def bench(root: Path, *, window: int = 1000, **folder: Any) -> AsyncIterator[Bench]:
    """An intake over one folder for the length of a block; the journal stays where it is."""
    drop = root / "drop"
    drop.mkdir(parents=True, exist_ok=True)
    (root / "state").mkdir(exist_ok=True)
    facts = {"path": drop, "project_id": "p-1", "settle_seconds": 0.05, "rescan_seconds": 3600.0, **folder}
    journal, locks = Journal(root / "state"), FolderLocks([drop])
    try:
        intake = Intake(journal, [Folder(**facts)], locks, window=window)
        async with anyio.create_task_group() as group:
            group.start_soon(intake.run, lambda: None)
            yield Bench(intake, journal, drop)
            group.cancel_scope.cancel()
    finally:
        journal.close()
        locks.release()
