"""The journal's part of what the planner sees."""

from __future__ import annotations

from dataclasses import replace

from uploader.core.pauses import passed_over
from uploader.core.planner_view import PlannerView
from uploader.effects.context import Tools
from uploader.journal.queries import twins
from uploader.journal.rows import clock
from uploader.system.failpoints import COMPARING


async def live_view(tools: Tools, *, resting: int) -> PlannerView:
    """The live rows, from the working set; twins, which it does not know, are asked for where a folder cares.

    `resting`: files that the planner will pass over although they are in the windows.
    """
    journal, destinations = tools.journal, tools.destinations
    if COMPARING:
        await journal.compare(destinations)
    paused = passed_over(journal.live.pauses, clock())
    view = journal.live.view(
        destinations, batch_files=tools.limits.batch_files, resting=resting, left_out=paused
    )
    choosy = {folder for folder, destination in destinations.items() if destination.duplicates == "skip"}
    skipping = [queued for queued in view.queued if queued.folder in choosy]
    if not skipping:
        return view
    completed, pending = await journal.read(lambda db: twins(db, skipping))
    return replace(view, twins_completed=completed, twins_pending=pending)
