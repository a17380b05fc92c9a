"""The rules by which a file in a drop folder counts as quiet and whole, and what it means that files are missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from uploader.core.claim_order import Order
from uploader.core.model import Sighting

MARKED_GAP = 1.0
"""Seconds between the two looks at a group whose ready marker is there."""

SHORTEST, LONGEST = 1.0, 30.0
"""Bounds in seconds of the time after which a file that a writer holds open is looked at again."""

TURN = 60.0
"""Seconds for which a file keeps its place at least."""

TURN_QUIETS = 3
"""Times the folder's quiet seconds for which it does, where that is longer."""


@dataclass(frozen=True, slots=True)
class SettleRule:
    """How the files of one folder settle: seconds of quiet, or a ready marker."""

    settle_seconds: float
    order: Order
    """Which of the settled files is claimed first."""
    marker: bool = False

    @property
    def quiet(self) -> float:
        """Seconds that lie between the first and the last equal look, at least."""
        return MARKED_GAP if self.marker else self.settle_seconds

    @property
    def open_again(self) -> float:
        """Seconds after which a file that a writer holds open is looked at again."""
        return min(max(self.settle_seconds, SHORTEST), LONGEST)

    @property
    def turn(self) -> float:
        """Seconds for which a file keeps its place among those that are looked at, at least."""
        return max(TURN, TURN_QUIETS * self.quiet)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a TIFF's directories reach: `whole` is None where that cannot be told; `needs` is in bytes."""

    whole: bool | None
    needs: int = 0


UNKNOWN = Extent(None)


def cut_short(size: int, needs: int) -> str:
    """What a person is told of a file whose end is missing. In bytes."""
    return f"The file ends too early: it has {size:,} bytes, its TIFF directory needs {needs:,}."


@dataclass(frozen=True, slots=True)
class Checked:
    """What was asked of a file that looked untouched. `held`: a writer holds it open; None where that is unknown."""

    held: bool | None = None
    extent: Extent = UNKNOWN


class Next(StrEnum):
    """What follows from a look."""

    CHANGED = "changed"
    """The group was written to since the last look: its quiet begins anew."""
    WAIT = "wait"
    READY = "ready"
    SHORT = "short"
    """It is quiet, but its end is missing."""


class Phase(StrEnum):
    """Where a file with a place stands. Each has one phase."""

    SETTLING = "settling"
    """It is expected to be quiet by and by."""
    WRITTEN = "written"
    """Somebody still writes to it: it grows, or is open for writing."""
    DEFERRED = "deferred"
    """It is looked at later, and not expected soon."""
    READY = "ready"
    """It is quiet and whole."""
    CLAIMING = "claiming"
    """It is being copied."""
    ENDED = "ended"
    """It was claimed or rejected, and will leave its place."""


@dataclass(frozen=True, slots=True)
class LookVerdict:
    """`until` is when to look again (None: when something happens); `needs` the size in bytes of a short file."""

    kind: Next
    until: float | None = None
    phase: Phase = Phase.SETTLING
    needs: int = 0


def state_of(sighting: Sighting) -> int:
    """A number that stands for the group as it was seen; ready marker and control file are not part of it.

    Equal numbers of one process mean an untouched group, but for one chance in 2**60.
    """
    return hash((sighting.path, sighting.fingerprint, sighting.sidecars))


def vanished(tracked: int, missing: int, *, device_changed: bool) -> Literal["gone", "hold"]:
    """What it means that `missing` of `tracked` files of a folder are no longer there.

    Files that leave together, or with their file system, were most likely unmounted and not removed.
    """
    together = missing > 1 and missing >= tracked
    return "hold" if device_changed or together else "gone"
