"""What is told without being asked: which alarms there are, and when one goes out, is repeated, and is over.

An alarm is a hold that is older than it should be, a disk near its reserve, or rejected files. The first two last:
each goes out once, then by `repeat_every`, then its all-clear. Rejected files are told once, and have no all-clear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from uploader.core.byte_sizes import format_size
from uploader.core.hold_causes import CAUSES, WHEN_STALLED
from uploader.core.model import Hold, HoldCause, Scope

FILES_REJECTED = "files_rejected"
DISK_LOW = "disk_low"

CLEAR_AFTER = 60.0
"""Seconds that a cause has to be gone before it is over, or `stalled_after` where that is less: what comes back
meanwhile is the same alarm, and after a start nothing is over before it was looked at again."""

GATHERED = 60.0
"""Seconds in which rejected files are gathered after some were told."""

NEAR, FAR = 2.0, 2.5
"""So many times the reserve is near to it; an alarm that there is ends only above the second."""


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What is true of every alarm of a cause that holds nothing."""

    scopes: tuple[Scope, ...]
    happened: str
    """What has happened, in words for an operator."""
    way_out: str
    when: str
    """When it goes out, in words."""


OWN: Mapping[str, OwnFacts] = {
    DISK_LOW: OwnFacts(
        (Scope.STAGING,),
        "The disk of staging has less than twice `[limits] min_free_bytes`.",
        "Make room there.",
        "after `stalled_after`",
    ),
    FILES_REJECTED: OwnFacts(
        (Scope.FILE, Scope.FOLDER),
        "Files were rejected.",
        "`uploader status` lists them. Mend the cause, then `uploader retry` with their paths, or drop them anew.",
        "the first at once, more of them gathered by folder, a minute later",
    ),
}
"""Alarms that are no holds: nothing waits for their cause. Those that are holds stand in `hold_causes`."""

Key = tuple[str, str, str]
"""What makes two alarms the same one: cause, scope and subject."""


class Event(StrEnum):
    """What a notice says of its alarm."""

    ALARM = "alarm"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should know of. `since` in unix seconds, `size` the bytes of the files concerned."""

    cause: str
    scope: str
    subject: str
    reason: str
    way_out: str
    since: float
    files: int = 0
    size: int = 0

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.cause, self.scope, self.subject


@dataclass(frozen=True, slots=True)
class SentAlarm:
    """An alarm that went out, and when it did last; `gone_since`: since when its cause is gone (unix seconds)."""

    alarm: Alarm
    at: float
    gone_since: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What goes out."""

    event: Event
    alarm: Alarm
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file that was rejected: its drop folder, its full path as text, why, how many bytes, and when."""

    folder: str
    path: str
    reason: str
    size: int
    at: float


def of_holds(
    now: float, holds: Iterable[Hold], stalled_after: float, known: Collection[Key]
) -> tuple[Alarm, ...]:
    """The holds that are alarms by now; one whose alarm is `known` stays one as long as it lasts."""
    found = (_of_hold(hold) for hold in holds)
    return tuple(
        alarm
        for alarm in found
        if alarm.key in known or now - alarm.since >= _patience(alarm.cause, stalled_after)
    )


def near_reserve(free: int, reserve: int, *, known: bool) -> bool:
    """Whether so many free bytes are near to those that stay free; `known`: this was told and is not over."""
    return free < reserve * (FAR if known else NEAR)


def of_disk(place: str, free: int, reserve: int, since: float) -> Alarm:
    """A disk that is near its reserve since then."""
    return Alarm(
        DISK_LOW,
        Scope.STAGING,
        place,
        f"The disk of {place} has {format_size(free)} free; conversions wait when they would leave less than "
        f"{format_size(reserve)}.",
        OWN[DISK_LOW].way_out,
        since,
    )


def of_rejections(rejections: Sequence[Rejection]) -> tuple[Alarm, ...]:
    """One alarm for each folder: its subject is the file, or where there are more of them the folder."""
    by_folder: dict[str, list[Rejection]] = {}
    for rejection in rejections:
        by_folder.setdefault(rejection.folder, []).append(rejection)
    return tuple(_rejected(folder, found) for folder, found in by_folder.items())


def watched(now: float, told: Mapping[Key, SentAlarm], alarms: Iterable[Alarm]) -> dict[Key, SentAlarm]:
    """What was told, with since when each cause is gone. One that is back before it was over is as it was."""
    there = {alarm.key for alarm in alarms}
    return {
        key: one if (one.gone_since is None) == (key in there) else _turned(now, one)
        for key, one in told.items()
    }


def due(
    now: float,
    told: Mapping[Key, SentAlarm],
    alarms: Iterable[Alarm],
    *,
    repeat_every: float,
    clear_after: float,
) -> tuple[Notice, ...]:
    """What goes out now: what is over first, then what is new, or was told so long ago that it is told again."""
    notices = [
        Notice(Event.CLEAR, one.alarm)
        for one in told.values()
        if one.gone_since is not None and now - one.gone_since >= clear_after
    ]
    for alarm in alarms:
        before = told.get(alarm.key)
        if before is None:
            notices.append(Notice(Event.ALARM, alarm))
        elif now - before.at >= repeat_every:
            notices.append(Notice(Event.ALARM, alarm, repeated=True))
    return tuple(notices)


def delivered(now: float, told: Mapping[Key, SentAlarm], notice: Notice) -> dict[Key, SentAlarm]:
    """What was told, once this went out."""
    rest = {key: one for key, one in told.items() if key != notice.alarm.key}
    return rest if notice.event is Event.CLEAR else {**rest, notice.alarm.key: SentAlarm(notice.alarm, now)}


def _of_hold(hold: Hold) -> Alarm:
    return Alarm(
        hold.cause.value,
        hold.scope.value,
        hold.subject,
        hold.reason,
        hold.way_out,
        hold.since,
        hold.files,
        hold.size,
    )


def _patience(cause: str, stalled_after: float) -> float:
    seconds = CAUSES[HoldCause(cause)].alarm_after
    return stalled_after if seconds is WHEN_STALLED else seconds


def _rejected(folder: str, found: Sequence[Rejection]) -> Alarm:
    first, more = found[0], len(found) - 1
    return Alarm(
        FILES_REJECTED,
        Scope.FOLDER if more else Scope.FILE,
        folder if more else first.path,
        f"{len(found)} files were rejected; the first is {first.path}: {first.reason}"
        if more
        else first.reason,
        OWN[FILES_REJECTED].way_out,
        first.at,
        len(found),
        sum(rejection.size for rejection in found),
    )


def _turned(now: float, one: SentAlarm) -> SentAlarm:
    return replace(one, gone_since=now if one.gone_since is None else None)
