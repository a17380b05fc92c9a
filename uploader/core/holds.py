"""The one list of what holds work back: who makes it, in which order, what is one hold, and what changed in it.

Status, page, metrics, health, log and systemd's line are all made from `listed`; nobody else puts holds together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from uploader.core.hold_causes import CAUSES
from uploader.core.hold_text import parted
from uploader.core.live_rows import LiveFile, LiveSession
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.path_text import full_path, shown
from uploader.core.plurals import count_of

Key = tuple[Scope, str, HoldCause]
"""What makes two holds the same one: how far it reaches, for whom, and why."""

WIDEST_FIRST = (
    *(Scope.JOURNAL, Scope.PLATFORM, Scope.ORGANIZATION, Scope.STAGING, Scope.MACHINE, Scope.STAGE),
    *(Scope.FOLDER, Scope.TARGET, Scope.SCENE, Scope.SESSION, Scope.FILE),
)
ORDER = {scope: place for place, scope in enumerate(WIDEST_FIRST)}
"""Those that hold most come first."""

USUAL = {
    Scope.PLATFORM: HoldCause.KEY_REFUSED,
    Scope.ORGANIZATION: HoldCause.QUOTA,
    Scope.TARGET: HoldCause.TARGET_REFUSED,
    Scope.FOLDER: HoldCause.FOLDER_MISSING,
    Scope.MACHINE: HoldCause.CONVERTER_BROKEN,
}
"""By scope: the cause of a hold that an earlier version of the program has kept without one."""

OF_FILES = {
    FileState.QUEUED: HoldCause.FILE_EXCEEDS_MEMORY,
    FileState.CONVERTED: HoldCause.FILE_EXCEEDS_QUOTA,
    FileState.BATCHED: HoldCause.FILE_EXCEEDS_QUOTA,
    FileState.COMPLETED: HoldCause.SOURCE_STAYS,
}
"""By a file's state: why it can have a hold of its own. In other states what stands there is of an earlier step."""

OF_STAGES = {
    "claim": {FileState.SETTLING},
    "convert": {FileState.QUEUED},
    "put": {FileState.BATCHED},
    "call": {FileState.BATCHED, FileState.STORED},
}
"""By stage: the states of the files that wait for it."""

AFTER_CONVERSION = frozenset({FileState.CONVERTED, FileState.BATCHED, FileState.STORED})
BEFORE_CONVERSION = frozenset({FileState.SETTLING, FileState.QUEUED})


@dataclass(frozen=True, slots=True)
class Amount:
    """So many pending files that have the same state and the same session, and their bytes."""

    folder: str
    state: FileState
    target: str
    """Where the items go, as a hold names it; empty where that is not known."""
    files: int
    size: int
    session: str = ""
    upload_id: str = ""
    """The session by its two names: ours, and the one that the platform gave it when it was opened."""
    source: int = 0
    """Their bytes as they lay in the drop folder, whatever they have become since."""


@dataclass(frozen=True, slots=True)
class HoldChanges:
    """What is other than in the list before. A hold that a person has to end now, or no longer, has changed."""

    begun: tuple[Hold, ...] = ()
    ended: tuple[Hold, ...] = ()
    changed: tuple[Hold, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.begun or self.ended or self.changed)


def listed(now: float, holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """The list, made from all that is known to hold work back: one hold for each cause, the widest first.

    While the quota keeps everybody waiting, no file is told to exceed it. A time that has passed is now: the cause is
    being tried.
    """
    found: dict[Key, Hold] = {}
    for hold in holds:
        key = key_of(hold)
        found[key] = _joined(found[key], hold) if key in found else hold
    if (Scope.ORGANIZATION, "", HoldCause.QUOTA) in found:
        found = {key: hold for key, hold in found.items() if hold.cause is not HoldCause.FILE_EXCEEDS_QUOTA}
    ordered = sorted(found.values(), key=lambda hold: (ORDER[hold.scope], hold.since, hold.subject))
    return tuple(
        replace(hold, until=now) if hold.until is not None and hold.until < now else hold for hold in ordered
    )


def counted(holds: Iterable[Hold], amounts: Sequence[Amount]) -> tuple[Hold, ...]:
    """The list with how much each of them holds back, of what is pending."""
    return tuple(_counted(hold, amounts) for hold in holds)


def _joined(first: Hold, other: Hold) -> Hold:
    """Two holds of one cause, in the words of the first. They are tried again when one of them is."""
    times = [hold.until for hold in (first, other) if hold.until is not None]
    return replace(
        first,
        since=min(first.since, other.since),
        until=min(times, default=None),
        files=first.files + other.files,
        size=first.size + other.size,
    )


def _counted(hold: Hold, amounts: Sequence[Amount]) -> Hold:
    files, size = _held_back(hold, amounts)
    more = f" So it is with {count_of(hold.files - 1, 'more file')} there." if hold.files > 1 else ""
    return replace(hold, reason=hold.reason + more, files=hold.files + files, size=hold.size + size)


def key_of(hold: Hold) -> Key:
    """What it is known by."""
    return hold.scope, hold.subject, hold.cause


def compared(before: Iterable[Hold], after: Iterable[Hold]) -> HoldChanges:
    """What has changed from one list to the next."""
    old, new = ({key_of(hold): hold for hold in holds} for holds in (before, after))
    return HoldChanges(
        tuple(hold for key, hold in new.items() if key not in old),
        tuple(hold for key, hold in old.items() if key not in new),
        tuple(
            hold
            for key, hold in new.items()
            if key in old and (hold.until is None) != (old[key].until is None)
        ),
    )


def of_file(file: LiveFile) -> Hold | None:
    """The hold that a file has of its own; None where it has none."""
    row, cause = file.row, OF_FILES.get(file.row.state)
    if not file.hold or cause is None:
        return None
    path = full_path(row.folder, row.path)
    if cause is HoldCause.SOURCE_STAYS:  # what keeps one source where it is keeps its neighbours, too
        path = path.rpartition(b"/")[0]
    reason, way_out = _words(file.hold, cause)
    return Hold(
        Scope.FILE,
        shown(path),
        reason,
        way_out,
        since=file.changed_at if file.retrying_since is None else file.retrying_since,
        until=file.not_before,
        cause=cause,
        files=1,
        size=row.object_size or row.size,
    )


def of_session(session: LiveSession) -> Hold | None:
    """The hold of a session that only a person can go on with; None where it is none."""
    if not session.hold:
        return None
    cause = HoldCause.SESSION_UNCLEAR
    reason, way_out = _words(session.hold, cause)
    return Hold(Scope.SESSION, session.row.name, reason, way_out, session.changed_at, cause=cause)


def _words(text: str, cause: HoldCause) -> tuple[str, str]:
    """Reason and way out, as they stand in the row; the general way out where it has none."""
    reason, way_out = parted(text)
    return reason, way_out or CAUSES[cause].way_out


def _held_back(hold: Hold, amounts: Iterable[Amount]) -> tuple[int, int]:
    """How many pending files wait because of a hold, and their bytes."""
    waits = WAITING[hold.scope]
    waiting = [amount for amount in amounts if waits(hold, amount)]
    return sum(amount.files for amount in waiting), sum(amount.size for amount in waiting)


def _before_initiate(amount: Amount) -> bool:
    return amount.state in AFTER_CONVERSION and not amount.upload_id


def _of_stage(hold: Hold) -> set[FileState]:
    """The states of the files that wait. At the daily limit no session is opened, so converted files wait as well."""
    more = {FileState.CONVERTED} if hold.cause is HoldCause.DAILY_LIMIT else set[FileState]()
    return OF_STAGES.get(hold.subject, set()) | more


def _of_folder(hold: Hold, amount: Amount) -> bool:
    """Files that were copied go on, unless the folder is paused, or no configuration says any more where they go."""
    whole = hold.cause in {HoldCause.FOLDER_UNCONFIGURED, HoldCause.PAUSED}
    return amount.folder == hold.subject and (whole or amount.state is FileState.SETTLING)


WAITING: Mapping[Scope, Callable[[Hold, Amount], bool]] = {
    Scope.JOURNAL: lambda _, __: True,
    Scope.PLATFORM: lambda _, amount: amount.state in AFTER_CONVERSION,
    Scope.ORGANIZATION: lambda _, amount: _before_initiate(amount),
    Scope.STAGING: lambda _, amount: amount.state in BEFORE_CONVERSION,
    Scope.MACHINE: lambda _, amount: amount.state is FileState.QUEUED,
    Scope.FOLDER: _of_folder,
    Scope.TARGET: lambda hold, amount: amount.target == hold.subject and _before_initiate(amount),
    Scope.STAGE: lambda hold, amount: amount.state in _of_stage(hold),
    Scope.SESSION: lambda hold, amount: hold.subject in {amount.session, amount.upload_id} - {""},
    Scope.SCENE: lambda _, __: False,  # these two have counted themselves
    Scope.FILE: lambda _, __: False,
}
"""By scope: whose files wait."""
