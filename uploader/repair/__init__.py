"""The repair of a damaged journal, as `uploader check --repair-journal` runs it.

Look, ask, then change: the newest journal that can be trusted is brought in line with what the platform lists and what
lies in the folders, all on a copy. Only when that is finished does it take the damaged one's place. A repair that is
killed at any point is run again, and goes on or begins anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uploader.config import Settings
from uploader.core.errors import UploaderError
from uploader.core.model import Sighting
from uploader.core.recovery_matching import Target
from uploader.daemon.platform_connection import connect
from uploader.folders import FolderSpec, LookProblem, device, scan
from uploader.folders.ownership import Owner, give, strangers
from uploader.journal.opening import FILE_NAME, REPAIRED_NAME, reached
from uploader.journal.recovery import rebuild, reconciliation, salvage
from uploader.journal.recovery.rebuild import Outcome, Reality
from uploader.repair.orphaned_copies import put_aside
from uploader.repair.platform_listing import listing
from uploader.staging import Staging
from uploader.system import threads
from uploader.system.failpoints import failpoint
from uploader.system.locks import hold_locks


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What was found; where the damaged journal lies now, and where copies of no file (None: there are none)."""

    outcome: Outcome
    damaged: Path | None
    copies: Path | None


async def repair(settings: Settings) -> RepairResult | None:
    """Rebuild the journal; None where nothing is wrong with it.

    Raises AlreadyRunning beside a daemon, JournalError where a newer program wrote the journal, and where the platform
    or a folder cannot be asked what they say; then nothing has changed.
    """
    with hold_locks(settings.state_dir, [folder.path for folder in settings.folders]):
        why = await threads.run_sync(_finding, settings)
        if not why:
            return None
        finished = settings.state_dir / REPAIRED_NAME
        if not finished.exists():
            await _rebuild(settings, why)
        return await threads.run_sync(_put_in_place, settings, finished)


def _finding(settings: Settings) -> str:
    """What is wrong with the journal, or with its drop folders; empty where nothing is."""
    wrong = salvage.finding(settings.state_dir)
    if wrong:
        return wrong
    found = strangers((folder.path for folder in settings.folders), settings.state_dir)
    return next(iter(found.values()), "").removesuffix(".")


async def _rebuild(settings: Settings, why: str) -> None:
    base = await threads.run_sync(salvage.choose, settings.state_dir)
    lost = await threads.run_sync(salvage.lost_sessions, settings.state_dir)
    failpoint("repair.salvaged")
    destinations = settings.destinations()
    wanted = {Target.of(destination) for destination in destinations.values()} | rebuild.targets(base.path)
    scenes = {Target.of(folder) for folder in destinations.values() if folder.scenes}
    async with connect(settings.platform) as (platform, _):
        listed, closed = await listing(platform, wanted, scenes)
    failpoint("repair.listed")
    reality = Reality(listed, destinations, _lying(settings), closed, lost)
    outcome = Outcome(base=base.kind, base_time=base.time, why=why)
    await threads.run_sync(reconciliation.reconcile, base.path, reality, outcome)
    await threads.run_sync(salvage.finish, settings.state_dir, base)


def _lying(settings: Settings) -> Iterator[Sighting]:
    """All files of all folders; raises UploaderError where a folder cannot be read as a whole."""
    for folder in settings.folders:
        try:
            there = device(str(folder.path))
        except OSError:
            there = None
        for found in scan(FolderSpec(folder), threading.Event()) if there is not None else ():
            if isinstance(found, Sighting):
                yield found
            elif isinstance(found, LookProblem) and not found.path:
                there = None
        if there is None:
            raise UploaderError(
                f"The drop folder {folder.path} is missing or cannot be read, and what lies there must be known.",
                "Mount it, or take it out of the configuration; then repair again. Nothing was changed.",
            )


def _put_in_place(settings: Settings, finished: Path) -> RepairResult:
    outcome = rebuild.last_outcome(finished)
    staging = Staging(settings.staging.path)
    copies = put_aside(staging, settings.staging.path, rebuild.copies(finished))
    failpoint("repair.copies")
    damaged = salvage.swap(settings.state_dir)
    own = reached(settings.state_dir / FILE_NAME)
    owner = Owner(own.journal if own else "", str(settings.state_dir), own.event if own else 0)
    give([folder.path for folder in settings.folders], owner)
    return RepairResult(outcome, damaged, copies)
