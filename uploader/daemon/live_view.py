"""What the planner sees at each turn: the journal's live rows, what runs, and the machine's room."""

from __future__ import annotations

import time
from dataclasses import replace

from uploader.core import capacity
from uploader.core.pauses import passed_over
from uploader.core.planner_view import PlannerView, Queued
from uploader.daemon.assembly import Parts
from uploader.daemon.containment import Containment
from uploader.daemon.running_actions import RunningActions, RunningView
from uploader.journal.queries import twins
from uploader.journal.rows import clock
from uploader.staging import FreeSpace
from uploader.system import threads
from uploader.system.failpoints import COMPARING


class LiveView:
    """Makes the view. Touched by the event loop only.

    Who is busy is noted before the rows are read: what ends in between counts as busy, and its end wakes the next turn.
    The other way round it would be done twice.
    """

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

    async def look(self) -> PlannerView:
        """The view. Twins, which the working set does not know, are asked for where a folder cares."""
        running, room = self._running.seen(), await self._free_space.free()
        journal = self._tools.journal
        if COMPARING:
            await journal.compare(self._tools.destinations)
        view = self._view(running, room)
        skipping = self._skipping(view)
        if not skipping:
            return view
        completed, pending = await journal.read(lambda db: twins(db, skipping))
        return replace(view, twins_completed=completed, twins_pending=pending)

    def look_at_once(self) -> PlannerView | None:
        """The same, where neither the journal nor a disk has to be asked, as at most turns; else None."""
        room = self._free_space.known()
        if COMPARING or room is None:
            return None
        view = self._view(self._running.seen(), room)
        return None if self._skipping(view) else view

    def _skipping(self, view: PlannerView) -> list[Queued]:
        """The queued files whose folders want no duplicates."""
        choosy = {folder for folder, each in self._tools.destinations.items() if each.duplicates == "skip"}
        return [queued for queued in view.queued if queued.folder in choosy]

    def _view(self, running: RunningView, room: tuple[int, str]) -> PlannerView:
        """As of now. What the planner passes over, although it is in the windows of rows, makes these larger."""
        tools, now = self._tools, time.time()
        free, trouble = room
        sent, day_ends = self._line.today(now)
        live = tools.journal.live.view(
            tools.destinations,
            batch_files=tools.settings.batch.max_files,
            resting=len(self._contained.current(now)) + running.running.get("Convert", 0),
            left_out=passed_over(tools.journal.live.pauses, clock()),
        )
        return replace(
            live,
            **self._intake.seen(tools.settings.batch.linger_seconds),
            free_bytes=free,
            converters=capacity.under_way(tools.converter.workers),
            converters_apart=tools.converter.apart,
            staging_trouble=trouble or tools.staging_refusals.trouble(now),
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
