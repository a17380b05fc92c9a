"""Every worker of a cluster is asked once whether it can convert for us: for `uploader check`.

A worker gets an attempt as any other, of a raster that is not there. One that is fit reads what we wrote, writes what
we read, starts a converter, and says that the raster is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import anyio

from uploader.convert.engine.cluster.answers import HostFacts, WorkerLost, WorkerUnfit, done_of, host_of
from uploader.convert.engine.cluster.attempt import Attempt
from uploader.convert.engine.cluster.link import Cluster, Link
from uploader.convert.job import Job
from uploader.core.errors import ClusterUnavailable, LocalError, RasterUnreadable
from uploader.system import threads

MOST = 64
"""Workers that are asked; of more, so many."""

PATIENCE = 60.0
"""Seconds that they may take together: each may have to come to the end of a conversion first."""


@dataclass(slots=True)
class WorkerFinding:
    """What one worker is found to be: `why` it cannot convert for us, empty where it can."""

    worker: str
    why: str = "It did not answer in time: it may be busy."
    host: HostFacts = field(default_factory=HostFacts)


@dataclass(slots=True)
class ClusterFinding:
    """What a whole cluster is found to be: `slots` conversions at once, or why it is not there."""

    slots: int = 0
    workers: list[WorkerFinding] = field(default_factory=list)
    unavailable: ClusterUnavailable | None = None


async def checked(cluster: Cluster, staging: Path) -> ClusterFinding:
    """Ask all workers at once; leaves nothing in staging."""
    found = ClusterFinding()
    async with anyio.create_task_group() as group:
        try:
            link = await Link.start(cluster, group)
        except ClusterUnavailable as error:
            found.unavailable = error
            return found
        found.slots = link.slots
        found.workers = [WorkerFinding(name) for name in sorted(link.workers)[:MOST]]
        async with anyio.create_task_group() as questions:
            for one in found.workers:
                questions.start_soon(_ask, link, one, staging)
        await link.aclose()
        group.cancel_scope.cancel()
    return found


async def _ask(link: Link, one: WorkerFinding, staging: Path) -> None:
    """Let one worker, and no other, have an attempt."""
    job = Job(staging / ".none" / "none.tif", staging / "none.tif")
    try:
        attempt = await threads.run_sync(Attempt.begin, job)
    except LocalError as error:
        one.why = error.reason
        return
    others = [name for name in link.workers if name != one.worker]
    try:
        pending = await link.ask(attempt.name, attempt.request(), others)
        with anyio.move_on_after(PATIENCE):
            await pending.over.wait()
            one.host = host_of(pending.answer.get("host") if isinstance(pending.answer, dict) else None)
            one.why = pending.failed or await threads.run_sync(_why, attempt, pending.answer)
    except ClusterUnavailable as error:
        one.why = error.reason
    finally:
        with anyio.CancelScope(shield=True):
            await link.forget(attempt.name)
            await threads.run_sync(attempt.end)


def _why(attempt: Attempt, answer: object) -> str:
    """Why a worker that answered so cannot convert for us; empty where it can."""
    try:
        done_of(answer)
    except RasterUnreadable:
        return "" if _came_back(attempt) else f"What it wrote to {attempt.folder.parent} is not read here."
    except WorkerUnfit as error:
        return error.why
    except (LocalError, WorkerLost) as error:
        return str(error)
    return "Its answer makes no sense."


def _came_back(attempt: Attempt) -> bool:
    try:
        return attempt.came_back()
    except OSError:
        return False
