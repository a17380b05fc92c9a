"""Which files a batch waits for: those that can be expected within its linger time, and no others.

A file that still grows, lies in a folder that is held or paused, or waits behind a copy or a conversion that does not
end may come in an hour or never. Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from uploader.core import disk_space
from uploader.core.configuration import Folder
from uploader.core.model import Scope
from uploader.core.planner_view import Queued
from uploader.core.planning_pass import PlanningPass


def more_to_come(turn: PlanningPass, destination: Folder) -> bool:
    """Whether a file for the same destination can be expected to be converted soon."""
    same = _place(destination)
    folders = [folder for folder, other in turn.view.destinations.items() if _place(other) == same]
    return any(
        folder in turn.view.coming or _copied_soon(turn, folder) or _converted_soon(turn, folder)
        for folder in folders
        if not turn.paused(folder)
    )


def _place(destination: Folder) -> tuple[str, str, str, str]:
    return (
        destination.project_id,
        destination.collection_id,
        destination.item_id,
        destination.asset_key,
    )


def _copied_soon(turn: PlanningPass, folder: str) -> bool:
    """Whether the copy of a settled file has begun a moment ago, or can begin."""
    settled = [f.file_id for f in turn.view.settled if f.folder == folder and _soon(turn, f.file_id)]
    running = _running(turn, settled)
    room_left = len(running) < min(len(settled), disk_space.CLAIMS)
    return _any_young(turn, running) or (room_left and _converter_soon(turn))


def _converted_soon(turn: PlanningPass, folder: str) -> bool:
    """Whether the conversion of a queued file has begun a moment ago, or can begin soon."""
    queued = [file for file in turn.view.queued if file.folder == folder]
    running = _running(turn, (file.file_id for file in queued))
    if _any_young(turn, running):
        return True
    return any(_startable(turn, file) for file in queued) and _converter_soon(turn)


def _startable(turn: PlanningPass, file: Queued) -> bool:
    """Whether nothing but a converter is missing."""
    if _running(turn, [file.file_id]) or file.file_id in turn.view.twins_pending:
        return False
    return (
        _soon(turn, file.file_id)
        and file.retrying_since is None
        and file.not_before <= turn.now + turn.settings.batch.linger_seconds
    )


def _converter_soon(turn: PlanningPass) -> bool:
    """Whether a converter is free, or has begun a moment ago and may be free soon. A machine in need has none."""
    if turn.held(Scope.MACHINE):
        return False
    running = _running(turn, (file.file_id for file in turn.view.queued))
    return len(running) < turn.view.converters or _any_young(turn, running)


def _running(turn: PlanningPass, file_ids: Iterable[int]) -> list[int]:
    busy = (("file", file_id) for file_id in file_ids if turn.busy("file", file_id))
    return [subject[1] for subject in busy if subject not in turn.resting]


def _soon(turn: PlanningPass, file_id: int) -> bool:
    """Whether no mistake in the program keeps the file back for longer than the linger time."""
    latest = turn.now + turn.settings.batch.linger_seconds
    return not any(m.subject == ("file", file_id) and m.until > latest for m in turn.view.mistakes)


def _any_young(turn: PlanningPass, file_ids: Iterable[int]) -> bool:
    """Whether an action of these files has begun within the linger time."""
    oldest = turn.now - turn.settings.batch.linger_seconds
    return any(turn.view.since.get(("file", file_id), turn.now) >= oldest for file_id in file_ids)
