"""Which converted files go together into the next upload session, and when it closes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from uploader.core.configuration import BatchSettings
from uploader.core.model import Layout, OwnTarget, SessionKey, session_key
from uploader.core.planner_view import PlannerView, Waiting

FIRST_SESSION_FILES = 2
"""Files in the first session to a new target: enough to learn whether `complete` makes an item per file."""

WORTH_A_SESSION = 256 << 20
"""Bytes that a free line waits for no others with: sending them takes seconds, and one session more takes three calls
and 30 ms of the processor, a twentieth of what such a file takes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The members of a session to be planned."""

    key: SessionKey
    files: tuple[Waiting, ...]

    @property
    def total_bytes(self) -> int:
        """What `initiate` will ask the quota for."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Batchable:
    """Converted files that could share a session."""

    key: SessionKey
    group: str
    files: tuple[Waiting, ...]


def candidates(view: PlannerView, waiting: Iterable[Waiting], now: float) -> list[Batchable]:
    """The files that may go now, by session key: the highest priority first, of equal ones the longest waiting.

    What the quota refused by itself comes last, and alone.
    """
    groups: dict[tuple[SessionKey, str, int], list[Waiting]] = {}
    places: dict[tuple[str, OwnTarget, bool, str, int], list[Waiting]] = {}
    for file in waiting:
        if file.not_before > now or file.folder not in view.destinations:
            continue
        alone = file.file_id if file.held else 0
        place = (file.folder, file.own_target, file.categorical, file.group, alone)
        together = places.get(place)
        if together is None:  # a key is made once, not for each of thousands of files
            key = session_key(
                view.destinations[file.folder], categorical=file.categorical, own=file.own_target
            )
            together = places[place] = groups.setdefault((key, file.group, alone), [])
        together.append(file)
    found = [Batchable(key, group, tuple(files)) for (key, group, _), files in groups.items()]
    if len(found) < 2:  # noqa: PLR2004 - mostly all go to one place, and there is nothing to be sorted
        return found
    return sorted(found, key=lambda one: (one.files[0].held, -_priority(view, one), _longest(one)))


def _longest(group: Batchable) -> float:
    return min(file.since for file in group.files)


def _priority(view: PlannerView, group: Batchable) -> int:
    own = {(file.folder, file.priority) for file in group.files}
    return max(view.priority(folder) + priority for folder, priority in own)


def most_files(key: SessionKey, layout: Layout, batch: BatchSettings) -> int:
    """How many files a session with this key may hold."""
    if key.single:
        return 1
    if layout is Layout.UNKNOWN:
        return min(FIRST_SESSION_FILES, batch.max_files)
    return batch.max_files


def fill(files: Iterable[Waiting], *, most: int, most_bytes: int) -> tuple[tuple[Waiting, ...], bool]:
    """Take files in order until a session is full; returns them and whether it is full.

    A file larger than `most_bytes` goes alone. Two files never share a session when their names differ by
    letter case or Unicode form only: the platform might keep them as one object.
    """
    taken: list[Waiting] = []
    names: set[str] = set()
    total = 0
    full = False
    for file in files:
        name = _folded(file.file_name)
        if name in names:
            continue
        if taken and total + file.size > most_bytes:
            full = True
            continue
        taken.append(file)
        names.add(name)
        total += file.size
        if len(taken) == most:
            return tuple(taken), True
    return tuple(taken), full or total >= most_bytes


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def closes_at(
    files: Sequence[Waiting],
    batch: BatchSettings,
    now: float,
    *,
    at_once: bool,
    more_to_come: bool,
    line_free: bool,
) -> float:
    """When a batch of these files closes (unix seconds; in the past: now).

    `at_once`: it is full, its room is needed, or it is enough for a line that is free. Others close `linger_seconds`
    after the last arrival when no more can be expected soon, and `max_wait_seconds` after the first arrival in any
    case. While the line could carry more files at once, nobody waits for longer than `linger_seconds`: conversion goes
    on beside the transfer of what there is.
    """
    if at_once:
        return now
    first, last = min(file.since for file in files), max(file.since for file in files)
    latest = first + (
        min(batch.linger_seconds, batch.max_wait_seconds) if line_free else batch.max_wait_seconds
    )
    return latest if more_to_come else min(latest, last + batch.linger_seconds)


def ordered(files: Sequence[Waiting], quota_cap: int | None) -> Sequence[Waiting]:
    """First come first served; the smallest first while the quota is short, so that what fits passes."""
    if quota_cap is None:
        return files
    return sorted(files, key=lambda file: (file.size, file.file_id))


def cap_after_refusal(refused_bytes: int) -> int:
    """The size to try next after the quota refused this many bytes."""
    return max(1, refused_bytes // 2)


def cap_after_success(cap: int | None, opened_bytes: int, max_bytes: int) -> int | None:
    """The size to try next after a session of this many bytes was opened; None once there is no shortage."""
    if cap is None:
        return None
    grown = max(cap, opened_bytes) * 2
    return None if grown >= max_bytes else grown
