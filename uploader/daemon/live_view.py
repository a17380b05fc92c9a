"""What the planner sees at each turn: the rows of the journal, and what this machine has and does."""

from __future__ import annotations

import time
from dataclasses import replace

from uploader.core import capacity
from uploader.core.pauses import passed_over
from uploader.core.planner_view import PlannerView
from uploader.daemon.assembly import Parts
from uploader.daemon.containment import Containment
from uploader.daemon.running_actions import RunningActions
from uploader.effects.context import Tools
from uploader.journal.queries import twins
from uploader.journal.rows import clock
from uploader.staging import FreeSpace
from uploader.system import threads
from uploader.system.failpoints import COMPARING


class LiveView:
    """The only place that makes the planner's view."""

    def __init__(
        self,
        parts: Parts,
        running: RunningActions,
        free_space: FreeSpace,
        contained: Containment,
        *,
        ends_when_idle: bool,
    ) -> None:
        self._tools = parts.tools
        self._intake = parts.intake
        self._line = parts.line
        self._running = running
        self._free_space = free_space
        self._contained = contained
        self._ends_when_idle = ends_when_idle

    async def read(self) -> PlannerView:
        """The view of this moment.

        Who is busy is noted before the rows are read: what ends in between counts as busy, and its end wakes the
        next turn. The other way round it would be done twice.
        """
        tools, running = self._tools, self._running.seen()
        free, trouble = await self._free_space.free()
        dropped = self._intake.seen(tools.settings.batch.linger_seconds)
        sent, day_ends = self._line.today(time.time())
        resting = len(self._contained.current(time.time())) + running.running.get("Convert", 0)
        view = await _rows(tools, resting=resting)
        return replace(
            view,
            **dropped,
            free_bytes=free,
            converters=capacity.under_way(tools.converter.workers),
            converters_apart=tools.converter.apart,
            staging_trouble=trouble or tools.staging_refusals.trouble(time.time()),
            damaged_copies=tools.damaged_copies.lasting(),
            refused_files=tools.staging_refusals.alone(),
            busy=running.busy,
            running=running.running,
            since=running.since,
            copying=running.copying,
            reserved_bytes=running.reserved_bytes,
            silence=tools.activity.silence(),
            answered_at=tools.answered_at,
            stored_at=tools.stored_at,
            parallel_transfers=self._line.parallel_transfers,
            sent_today=sent,
            day_ends=day_ends,
            no_thread_since=threads.short_since(),
            ends_when_idle=self._ends_when_idle,
        )


async def _rows(tools: Tools, *, resting: int) -> PlannerView:
    """The live rows, from the working set; twins, which it does not know, are asked for where a folder cares.

    `resting`: files that the planner will pass over although they are in the windows.
    """
    journal, destinations = tools.journal, tools.destinations
    if COMPARING:
        await journal.compare(destinations)
    paused = passed_over(journal.live.pauses, clock())
    view = journal.live.view(
        destinations, batch_files=tools.settings.batch.max_files, resting=resting, left_out=paused
    )
    choosy = {folder for folder, destination in destinations.items() if destination.duplicates == "skip"}
    skipping = [queued for queued in view.queued if queued.folder in choosy]
    if not skipping:
        return view
    completed, pending = await journal.read(lambda db: twins(db, skipping))
    return replace(view, twins_completed=completed, twins_pending=pending)
