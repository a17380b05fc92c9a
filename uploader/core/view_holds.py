"""Holds that follow from the view alone, and end by themselves when it changes."""

from __future__ import annotations

from math import inf

from uploader.core import pauses
from uploader.core.batching import candidates
from uploader.core.byte_sizes import format_size
from uploader.core.capacity import MORE_TASKS
from uploader.core.model import Hold, HoldCause, Layout, Scope
from uploader.core.pauses import in_force
from uploader.core.planning_pass import OUTAGE_SHOWN_AFTER, PlanningPass
from uploader.core.plurals import count_of
from uploader.core.unexpected_errors import UnexpectedError

SHOWN = 20
"""Holds of single files, or of single sessions, that are shown for one cause."""


def unconfigured(turn: PlanningPass) -> None:
    """Files of a folder that left the configuration wait for it."""
    folders = {file.folder for file in turn.view.waiting} | {file.folder for file in turn.view.queued}
    for folder in sorted(folders.difference(turn.view.destinations)):
        turn.show(
            Hold(
                Scope.FOLDER,
                folder,
                f"{folder} is no longer in the configuration, but files from it wait to be uploaded.",
                "Put the folder back until they are done, or give them up by `uploader forget`.",
                since=turn.now,
                cause=HoldCause.FOLDER_UNCONFIGURED,
            )
        )


def merging(turn: PlanningPass) -> None:
    """Files for a target whose sessions become one item each wait for a person, whatever else goes on."""
    layouts = turn.view.profile.layouts
    if turn.settings.batch.max_files == 1 or Layout.PER_SESSION not in layouts.values():
        return
    keys = (group.key for group in candidates(turn.view, turn.view.waiting, inf) if not group.key.single)
    for target in sorted({key.target for key in keys if layouts.get(key.target) is Layout.PER_SESSION}):
        turn.show(
            Hold(
                Scope.TARGET,
                target,
                f"The platform made one item of the first two files for {target}: larger sessions would merge rasters.",
                "Set `[batch] max_files = 1` and reload; each file is then an item of its own.",
                since=turn.now,
                cause=HoldCause.LAYOUT_UNKNOWN,
            )
        )


def paused(turn: PlanningPass) -> None:
    """What a person has paused is told for as long as it is, also where nothing waits for it."""
    for pause in in_force(turn.view.pauses, turn.now):
        turn.show(pauses.hold(pause))


def mistaken(turn: PlanningPass) -> None:
    """Whom a mistake in the program concerns is shown until it was made good, also while it waits for its turn.

    Of many, the first are.
    """
    mistakes = turn.view.mistakes
    for mistake in mistakes:
        if mistake.subject in turn.resting:
            turn.wake(mistake.until)
    for mistake in mistakes[:SHOWN]:
        turn.show(_mistake_hold(mistake, len(mistakes) - SHOWN))


def damaged_copies(turn: PlanningPass) -> None:
    """Files whose private copies do not stay whole are shown while they wait and are tried. Of many, the first are."""
    copies = turn.view.damaged_copies
    more = len(copies) - SHOWN
    for copy in copies[:SHOWN]:
        others = f" So it is with {count_of(more, 'more file')}." if more > 0 else ""
        turn.show(
            Hold(
                Scope.FILE,
                copy.path,
                f"Its private copy was damaged {copy.times} times in a row: {copy.reason}",
                "Look after the disk of staging, or name another in `[staging] dir`. It is copied again by itself."
                + others,
                since=copy.since,
                until=copy.until,
                cause=HoldCause.COPY_DAMAGED,
                files=1,
            )
        )


def refused_files(turn: PlanningPass) -> None:
    """Files that are too large for staging are shown while they wait and are tried. Of many, the first are."""
    files = turn.view.refused_files
    more = len(files) - SHOWN
    for file in files[:SHOWN]:
        others = f" So it is with {count_of(more, 'more file')}." if more > 0 else ""
        turn.show(
            Hold(
                Scope.FILE,
                file.path,
                f"It is too large for staging, which takes other files: it has {format_size(file.size)}, and "
                f"{format_size(max(turn.view.free_bytes, 0))} are free. {file.reason}",
                f"{file.way_out} It is tried again by itself.{others}",
                since=file.since,
                until=file.until,
                cause=HoldCause.FILE_EXCEEDS_STAGING,
                files=1,
                size=file.size,
            )
        )


def _mistake_hold(mistake: UnexpectedError, more: int) -> Hold:
    others = f" {more} more files or sessions wait for the like." if more > 0 else ""
    return Hold(
        Scope.SESSION if mistake.subject[0] == "session" else Scope.FILE,
        mistake.name,
        mistake.text,
        "It is tried again by itself, and everything else goes on. Please report it with the traceback in the log."
        + others,
        since=mistake.since,
        until=mistake.until,
        cause=HoldCause.MISTAKE,
    )


def short_of_threads(turn: PlanningPass) -> None:
    """The daemon's own work waits too where the machine has no thread to give."""
    since = turn.view.no_thread_since
    if since is None or turn.now - since < OUTAGE_SHOWN_AFTER or turn.held(Scope.MACHINE):
        return
    turn.show(
        Hold(
            Scope.MACHINE,
            "",
            "The machine has no thread to give to the daemon.",
            MORE_TASKS,
            since=since,
            cause=HoldCause.MACHINE_SHORT,
        )
    )
