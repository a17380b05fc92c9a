"""What is kept of one file that settles, and what a look at it changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from uploader.core.model import Sighting
from uploader.core.settle_rules import Checked, LookVerdict, Next, Phase, SettleRule, state_of

ARRIVING = 30.0
"""Seconds after which a raster with a control file is looked at again, where no event tells of its end before."""


UNDER_CLAIM = frozenset({Phase.CLAIMING, Phase.ENDED})
CLAIMABLE = frozenset({Phase.READY, Phase.CLAIMING})
DONE = UNDER_CLAIM | CLAIMABLE


class LookChange(StrEnum):
    """What a look shows beside the last one."""

    NONE = "none"
    WRITTEN = "written"
    """The group differs, or its transfer began again."""
    ANNOUNCED = "announced"
    """The ready marker came, or the control file went."""


@dataclass(slots=True)
class SettleEntry:
    """A file with a place: not its last look, but a number that stands for it. Times are monotonic seconds."""

    file_id: int
    path: bytes
    since: float
    """When it got its place."""
    state: int
    marked: bool
    control: bytes
    quiet_since: float
    seen_at: float
    phase: Phase = Phase.SETTLING
    claimed: int | None = None
    """The state in which its copying found it."""

    def note(self, sighting: Sighting, now: float) -> LookChange:
        """Take note of a look."""
        state = state_of(sighting)
        change = LookChange.NONE
        if self.state != state or (sighting.control and not self.control):
            change = LookChange.WRITTEN
        elif (sighting.marked and not self.marked) or (self.control and not sighting.control):
            # Both speak for what lies there now: the two looks begin with them.
            change = LookChange.ANNOUNCED
        self.state, self.marked, self.control, self.seen_at = state, sighting.marked, sighting.control, now
        if change is not LookChange.NONE:
            self.quiet_since = now
        return change

    def quiet(self, rule: SettleRule) -> bool:
        """Whether the looks so far show enough quiet: then it is worth asking for a writer and the extent."""
        quiet_at = self.quiet_at(rule)
        return quiet_at is not None and self.seen_at >= quiet_at

    def quiet_at(self, rule: SettleRule) -> float | None:
        """When the next look can show enough quiet; None while the ready marker is missing."""
        return None if rule.marker and not self.marked else self.quiet_since + rule.quiet

    def verdict(self, rule: SettleRule, now: float, checked: Checked | None) -> LookVerdict:
        """What follows from a look that showed no change. `checked`: None where it was not asked.

        A ready marker speaks for the writer, so it overrules a control file and a file held open.
        """
        if self.control and not rule.marker:  # nobody knows how long: no batch waits for it
            return LookVerdict(Next.WAIT, now + ARRIVING, Phase.DEFERRED)
        if not self.quiet(rule):
            quiet_at = self.quiet_at(rule)
            return LookVerdict(Next.WAIT, None if quiet_at is None else max(quiet_at, now), self.phase)
        if checked is None:  # it was changing when the look began: it is looked at once more, and checked
            return LookVerdict(Next.WAIT, now, self.phase)
        if checked.held and not rule.marker:
            return LookVerdict(Next.WAIT, now + rule.open_again, Phase.WRITTEN)
        if checked.extent.whole is False:
            return LookVerdict(Next.SHORT, needs=checked.extent.needs)
        return LookVerdict(Next.READY, phase=Phase.READY)

    @property
    def touched(self) -> bool:
        """Whether it was written to since the look at which its copying began."""
        return self.claimed not in {None, self.state}


def entry_of(file_id: int, sighting: Sighting, now: float) -> SettleEntry:
    """A file that is looked at for the first time."""
    return SettleEntry(
        file_id, sighting.path, now, state_of(sighting), sighting.marked, sighting.control, now, now
    )
