"""The only place that decides whether a file in a drop folder is quiet and whole, and when to look at it again.

Times are monotonic seconds that the caller passes in. Quiet is counted between looks, never assumed: a file that was
looked at once is not quiet, however old its timestamps are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from uploader.core.model import Sighting

MARKED_GAP = 1.0
"""Seconds between the two looks at a group whose ready marker is there."""

SHORTEST, LONGEST = 1.0, 30.0
"""Bounds in seconds of the time after which a file that a writer holds open is looked at again."""

Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class SettleRule:
    """How the files of one folder settle: seconds of quiet, or a ready marker."""

    settle_seconds: float = 10.0
    marker: bool = False

    @property
    def quiet(self) -> float:
        """Seconds that lie between the first and the last equal look, at least."""
        return MARKED_GAP if self.marker else self.settle_seconds


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a TIFF's directories reach: `whole` is None where that cannot be told; `needs` is in bytes."""

    whole: bool | None
    needs: int = 0


UNKNOWN = Extent(None)


class Next(StrEnum):
    """What follows from a look."""

    WAIT = "wait"
    READY = "ready"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`until` is when to look again (None: when something happens); `needs` the size in bytes of a short file."""

    kind: Next
    until: float | None = None
    needs: int = 0


@dataclass(slots=True)
class _Candidate:
    """What is kept of a file: not the last look, but a number that stands for it."""

    state: int
    marked: bool
    quiet_since: float
    seen_at: float
    control: bytes = b""
    due: float | None = None


def state_of(sighting: Sighting) -> int:
    """A number that stands for the group as it was seen; ready marker and control file are not part of it.

    Equal numbers of one process mean an untouched group, but for one chance in 2**60.
    """
    return hash((sighting.path, sighting.fingerprint, sighting.sidecars))


def unchanged(one: Sighting, other: Sighting) -> bool:
    """Whether two looks saw the same group, untouched in between; marker and control file are not part of it."""
    return one.fingerprint == other.fingerprint and one.sidecars == other.sidecars


class Settling:
    """Candidates by (folder, path), each with its last look and since when it has been quiet.

    `due` hands each candidate out once; `see`, `verdict` or `postpone` bring it back, `forget` ends it.
    """

    def __init__(self, rules: Mapping[str, SettleRule]) -> None:
        self._rules = rules
        self._candidates: dict[Key, _Candidate] = {}
        self._heap: list[tuple[float, Key]] = []

    def __len__(self) -> int:
        return len(self._candidates)

    def __contains__(self, key: Key) -> bool:
        return key in self._candidates

    def __iter__(self) -> Iterator[Key]:
        return iter(self._candidates)

    def see(self, sighting: Sighting, now: float) -> bool:
        """Take note of a look. Returns whether the group is new, differs from the last look, or arrives again."""
        key = (sighting.folder, sighting.path)
        known = self._candidates.get(key)
        state = state_of(sighting)
        if known is None or known.state != state or (sighting.control and not known.control):
            self._candidates[key] = fresh = _Candidate(state, sighting.marked, now, now, sighting.control)
            self._schedule(key, fresh, self._quiet_at(key, fresh))
            return True
        if (sighting.marked and not known.marked) or (known.control and not sighting.control):
            # The marker, or the end of the control file, speaks for what lies there now: the two looks begin with it.
            known.quiet_since = now
        known.marked, known.control, known.seen_at = sighting.marked, sighting.control, now
        quiet_at = self._quiet_at(key, known)
        if quiet_at is None or quiet_at > now:
            self._schedule(key, known, quiet_at)
        return False

    def forget(self, folder: str, path: bytes) -> None:
        """The file was claimed, or is gone."""
        self._candidates.pop((folder, path), None)

    def arriving(self) -> list[bytes]:
        """The control files beside candidates that wait for their end."""
        return [
            known.control
            for (folder, _), known in self._candidates.items()
            if known.control and not self._rule(folder).marker
        ]

    def same(self, sighting: Sighting) -> bool:
        """Whether the last look at this candidate saw the group as it is in this one."""
        known = self._candidates.get((sighting.folder, sighting.path))
        return known is not None and known.state == state_of(sighting)

    def due(self, now: float, most: int | None = None) -> list[Key]:
        """Candidates to look at again by now, `most` of them, longest due first. Each is handed out once."""
        found: list[Key] = []
        while self._heap and self._heap[0][0] <= now and (most is None or len(found) < most):
            due, key = heapq.heappop(self._heap)
            known = self._candidates.get(key)
            if known is not None and known.due == due:
                known.due = None
                found.append(key)
        return found

    def next_due(self) -> float | None:
        """When the next look is due, or None."""
        while self._heap:
            due, key = self._heap[0]
            known = self._candidates.get(key)
            if known is not None and known.due == due:
                return due
            heapq.heappop(self._heap)
        return None

    def postpone(self, folder: str, path: bytes, until: float) -> None:
        """Look at this candidate again then, whatever was planned; an unknown one is no matter."""
        known = self._candidates.get((folder, path))
        if known is not None:
            self._schedule((folder, path), known, until)

    def quiet_seconds(self, folder: str) -> float:
        """Seconds of quiet that a file of this folder needs."""
        return self._rule(folder).quiet

    def quiet_by(self, folder: str, path: bytes, at: float) -> bool:
        """Whether this candidate will have been quiet for long enough at a time, if nobody writes to it until then."""
        known = self._candidates.get((folder, path))
        quiet_at = None if known is None else self._quiet_at((folder, path), known)
        return quiet_at is not None and quiet_at <= at

    def quiet(self, folder: str, path: bytes) -> bool:
        """Whether the looks so far show enough quiet: then it is worth asking for a writer and the extent."""
        known = self._candidates.get((folder, path))
        if known is None or (self._rule(folder).marker and not known.marked):
            return False
        return known.seen_at >= known.quiet_since + self._rule(folder).quiet

    def verdict(
        self, folder: str, path: bytes, now: float, *, held: bool | None = None, extent: Extent = UNKNOWN
    ) -> Verdict:
        """What follows from the last look, whether a writer holds the file open, and how far its TIFF reaches.

        A verdict to wait also plans the next look. After `ready` and `short` the caller says what comes next: `forget`
        or `postpone`. A ready marker speaks for the writer, so it overrules a control file and a file held open.
        """
        known = self._candidates[folder, path]
        if not self.quiet(folder, path):
            until = self._quiet_at((folder, path), known)
            until = until if until is None else max(until, now)
        elif (held or known.control) and not self._rule(folder).marker:
            until = now + min(max(self._rule(folder).settle_seconds, SHORTEST), LONGEST)
        elif extent.whole is False:
            return Verdict(Next.SHORT, needs=extent.needs)
        else:
            return Verdict(Next.READY)
        self._schedule((folder, path), known, until)
        return Verdict(Next.WAIT, until)

    def _rule(self, folder: str) -> SettleRule:
        return self._rules.get(folder, SettleRule())

    def _quiet_at(self, key: Key, known: _Candidate) -> float | None:
        """When the next look can show enough quiet; None while the ready marker is missing."""
        rule = self._rule(key[0])
        if rule.marker and not known.marked:
            return None
        return known.quiet_since + rule.quiet

    def _schedule(self, key: Key, known: _Candidate, due: float | None) -> None:
        if due == known.due:
            return
        known.due = due
        if due is not None:
            heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._candidates) + 1000:
            self._heap = [(c.due, k) for k, c in self._candidates.items() if c.due is not None]
            heapq.heapify(self._heap)


def vanished(tracked: int, missing: int, *, device_changed: bool) -> Literal["gone", "hold"]:
    """What it means that `missing` of `tracked` files of a folder are no longer there.

    Files that leave together, or with their file system, were most likely unmounted and not removed.
    """
    together = missing > 1 and missing >= tracked
    return "hold" if device_changed or together else "gone"
