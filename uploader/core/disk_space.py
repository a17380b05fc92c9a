"""Rules for what needs disk: converting, and claiming a little ahead of it. Sizes in bytes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from uploader.core import actions as act
from uploader.core.byte_sizes import format_size
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.path_text import full_path, shown
from uploader.core.planner_view import PlannerView, Queued, Settled
from uploader.core.planning_pass import PlanningPass, Wait
from uploader.core.plurals import count_of
from uploader.core.view_holds import SHOWN
from uploader.core.waits import ROOM

CLAIM_AHEAD = 8
"""Files that are claimed beyond those that the converters can take at once."""

CLAIMS = 2
"""Files of a folder that are copied at once: a folder that hangs holds up no other."""

STAGING_RETRY = 30.0
"""Seconds between two looks at a staging folder that had no room."""


def estimate(size: int) -> int:
    """Bytes a conversion may write for a source of `size` bytes: the COG, its overviews, temporary files.

    Uncompressed sources shrink; compressed ones may grow when they are compressed another way. A conversion that
    needs more meets NoSpace, which is a hold and not the file's failure.
    """
    return size * 2 + (1 << 20)


def reserved(view: PlannerView, action: act.Action) -> int:
    """Bytes that an action which is started now may still write."""
    match action:
        case act.Claim(file_id):
            return next((_with_copy(file.size) for file in view.settled if file.file_id == file_id), 0)
        case act.Convert(file_id):
            return next((estimate(file.size) for file in view.queued if file.file_id == file_id), 0)
        case _:
            return 0


def copied_from(view: PlannerView, action: act.Action) -> str:
    """The folder that a claim which is started now copies from; empty for all other actions."""
    if not isinstance(action, act.Claim):
        return ""
    return next((file.folder for file in view.settled if file.file_id == action.file_id), "")


def _with_copy(size: int) -> int:
    """What a file needs that is not claimed yet: room for its private copy, too."""
    return size + estimate(size)


def convert(turn: PlanningPass) -> None:
    """Queued files go to the converters in order, as far as the disk has room; smaller ones pass those that wait."""
    slots = _converters(turn)
    free = turn.view.free_bytes - turn.settings.limits.min_free_bytes - turn.view.reserved_bytes
    blocked: list[Queued] = []
    for file in sorted(turn.view.queued, key=lambda file: -turn.view.priority(file.folder)):
        if not _convertible(turn, file):
            continue
        if estimate(file.size) > free:
            blocked.append(file)
            continue
        if slots <= 0:
            continue
        takes = turn.view.converters if file.alone and not turn.view.converters_apart else 1
        if slots < takes:
            turn.expecting = True
            continue
        slots -= takes
        free -= estimate(file.size)
        turn.do(act.Convert(file.file_id, alone=file.alone))
    _tell_blocked(turn, FileState.QUEUED, blocked, _most_room(turn))


def _converters(turn: PlanningPass) -> int:
    """How many conversions may start; while the machine is short of something, one alone tries whether it still is."""
    free = turn.view.converters - turn.running("Convert")
    if not turn.held(Scope.MACHINE):
        return free
    return 1 if turn.ripe(Scope.MACHINE) and not turn.running("Convert") else 0


def _convertible(turn: PlanningPass, file: Queued) -> bool:
    if turn.busy("file", file.file_id) or not _may_begin(turn, file.folder):
        return False
    if file.file_id in turn.view.twins_completed:
        turn.do(act.SkipTwin(file.file_id))
        return False
    if file.file_id in turn.view.twins_pending or _twin_at_work(turn, file):
        return False
    return turn.due(file.not_before, file.retrying_since)


def _may_begin(turn: PlanningPass, folder: str) -> bool:
    return folder in turn.view.destinations and not turn.paused(folder)


def _twin_at_work(turn: PlanningPass, file: Queued) -> bool:
    """Whether a file of the same content, of which the folder wants one only, is being converted already."""
    if turn.view.destinations[file.folder].duplicates != "skip":
        return False
    twins = (other for other in turn.view.queued if other.content == file.content)
    return any(turn.busy("file", other.file_id) for other in twins)


class _Folders:
    """The folders that files may be claimed from: of equal priority, whoever has least in work is next."""

    def __init__(self, turn: PlanningPass) -> None:
        self._turn = turn
        self._copying = Counter(turn.view.copying)
        self._in_work = Counter(file.folder for file in turn.view.queued)
        self._files: dict[str, deque[Settled]] = {}
        for file in turn.view.settled:
            if not turn.busy("file", file.file_id) and not turn.paused(file.folder):
                self._files.setdefault(file.folder, deque()).append(file)

    def next(self) -> Settled | None:
        """The next file, which is not asked for again; None where no folder has one."""
        ready = [folder for folder in self._files if self._copying[folder] < CLAIMS]
        if not ready:
            return None
        folder = min(ready, key=self._rank)
        file = self._files[folder].popleft()
        if not self._files[folder]:
            del self._files[folder]
        return file

    def claimed(self, file: Settled) -> None:
        """It is copied from now on."""
        self._copying[file.folder] += 1

    def _rank(self, folder: str) -> tuple[int, int, int]:
        in_work = self._in_work[folder] + self._copying[folder]
        return -self._turn.view.priority(folder), in_work, self._files[folder][0].file_id


def claim(turn: PlanningPass) -> None:
    """Settled files are copied into staging, with room for what their conversion writes."""
    view, settings = turn.view, turn.settings
    if not view.settled:
        return
    resting = sum(
        1 for mistake in view.mistakes if mistake.step == "Convert" and mistake.subject in turn.resting
    )
    slots = view.converters + CLAIM_AHEAD - (view.queued_total - resting) - turn.running("Claim")
    free = min(
        view.free_bytes - settings.limits.min_free_bytes, settings.staging.max_bytes - view.staged_bytes
    )
    free -= view.reserved_bytes
    folders = _Folders(turn)
    while slots > 0 and (file := folders.next()) is not None:
        need = _with_copy(file.size)
        if need > free:
            continue
        slots -= 1
        free -= need
        folders.claimed(file)
        turn.do(act.Claim(file.file_id))
    waiting = (file for file in view.settled if _waits_for_room(turn, file) and _with_copy(file.size) > free)
    most = settings.staging.max_bytes
    blocked, large = [], []
    for file in waiting:
        if _with_copy(file.size) > most:
            large.append(file)
        elif slots > 0 or file.file_id in view.no_room_for:
            blocked.append(file)
    _tell_large(turn, large)
    _tell_blocked(turn, FileState.SETTLING, blocked, min(_most_room(turn), most))
    if (blocked or large) and _stands_still(turn):
        turn.expecting = False


def _stands_still(turn: PlanningPass) -> bool:
    """Whether nothing goes on that could make room."""
    return not (turn.view.busy or turn.plan.actions)


def _most_room(turn: PlanningPass) -> int:
    """What will be free at most once nothing runs, and all that is staged has been uploaded and discarded."""
    view = turn.view
    free = view.free_bytes - turn.settings.limits.min_free_bytes
    return free + view.staged_bytes + view.reserved_bytes


def _tell_blocked(
    turn: PlanningPass, state: FileState, blocked: Sequence[Queued | Settled], most_room: int
) -> None:
    """Tell of files that find no room: as a hold where no room is to be expected, else as a wait.

    What was told of a file as a hold stays one until there is room for it: what comes and goes beside it mends nothing.
    """
    still, before = _stands_still(turn), turn.view.no_room_for
    held = [f for f in blocked if still or _with_copy(f.size) > most_room or f.file_id in before]
    if held:
        turn.plan.no_room_for |= {file.file_id for file in held}
        _no_room(turn, min(file.size for file in held))
    if len(held) < len(blocked):
        turn.tell(Wait(state, ROOM, len(blocked) - len(held)))


def _tell_large(turn: PlanningPass, large: Sequence[Settled]) -> None:
    """Tell of files that all of staging could not hold, each by itself. Of many, the first are told."""
    most, more = turn.settings.staging.max_bytes, len(large) - SHOWN
    for file in large[:SHOWN]:
        others = f" So it is with {count_of(more, 'more file')}." if more > 0 else ""
        turn.show(
            Hold(
                Scope.FILE,
                shown(full_path(file.folder, file.path)),
                f"It is too large for staging: copy and conversion may take {format_size(_with_copy(file.size))}, and "
                f"staging.max_bytes is {format_size(most)}.",
                f"Raise staging.max_bytes and reload, or take the file away.{others}",
                since=turn.now,
                cause=HoldCause.FILE_EXCEEDS_STAGING,
                files=1,
                size=file.size,
            )
        )


def short(turn: PlanningPass) -> bool:
    """Whether a file waits for room that uploading makes: it would fit if all that is staged were gone.

    A running conversion has its room, and a file that is larger than all of it waits for a person.
    """
    view, settings = turn.view, turn.settings
    disk = view.free_bytes - settings.limits.min_free_bytes - view.reserved_bytes
    claimable = min(disk, settings.staging.max_bytes - view.staged_bytes - view.reserved_bytes)
    needs = [(estimate(f.size), disk) for f in view.queued if _waits_for_room(turn, f)]
    needs += [(_with_copy(f.size), claimable) for f in view.settled if _waits_for_room(turn, f)]
    fits_later = any(free < need <= free + view.staged_bytes for need, free in needs)
    return fits_later and not view.staging_trouble  # what hangs or is gone has no room to make


def _waits_for_room(turn: PlanningPass, file: Queued | Settled) -> bool:
    return not turn.busy("file", file.file_id) and not turn.paused(file.folder)


def trouble(turn: PlanningPass) -> None:
    """A staging folder that hangs, is gone or refuses everything is told, whatever waits for it."""
    if turn.view.staging_trouble:
        turn.show(
            Hold(
                Scope.STAGING,
                "",
                turn.view.staging_trouble,
                "Where it is full, make room or raise the quota; else mount its disk again, or look after it. If the "
                "folder was removed, restart: it is made anew.",
                since=turn.now,
                until=turn.now + STAGING_RETRY,
                cause=HoldCause.STAGING_UNUSABLE,
            )
        )


def _no_room(turn: PlanningPass, smallest: int) -> None:
    view, settings = turn.view, turn.settings
    if any(hold.scope is Scope.STAGING for hold in turn.plan.holds):
        return
    turn.show(
        Hold(
            Scope.STAGING,
            "",
            f"There is no room for the next conversion, which may write {format_size(_with_copy(smallest))}: "
            f"{format_size(max(view.free_bytes, 0))} are free, of which "
            f"{format_size(settings.limits.min_free_bytes)} stay free, and staging holds "
            f"{format_size(view.staged_bytes)} of {format_size(settings.staging.max_bytes)}.",
            "Free disk space, or change staging.max_bytes or limits.min_free_bytes; it goes on by itself.",
            since=turn.now,
            until=turn.now + STAGING_RETRY,
            cause=HoldCause.STAGING_FULL,
        )
    )
