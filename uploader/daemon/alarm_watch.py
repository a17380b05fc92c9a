"""What there is to be told of now: the holds that are alarms, a disk near its reserve, and whether all stages move."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from uploader.config import Settings
from uploader.core import alarms as rules
from uploader.core.alarms import Alarm, Key
from uploader.core.model import Hold
from uploader.daemon.hold_ledger import HoldLedger
from uploader.daemon.live_status import LastTurn, LiveStatus
from uploader.journal.rows import clock
from uploader.journal.status import told_hold
from uploader.report.health import unwell

NO_TURN = 60.0
"""Seconds without a turn that are no alarm yet, whatever is configured: the planning loop turns every few seconds."""


class AlarmWatch:
    """Asked by everybody who tells; `settings` are those of the moment."""

    def __init__(
        self, settings: Callable[[], Settings], holds: HoldLedger, seen: LastTurn, live: LiveStatus
    ) -> None:
        self._settings = settings
        self._holds = holds
        self._seen = seen
        self._live = live
        self._low_since: float | None = None

    @property
    def revision(self) -> int:
        """How often the list of holds has changed."""
        return self._holds.look().revision

    def alarms(self, known: Collection[Key]) -> tuple[Alarm, ...]:
        """All that last. What is `known` stays an alarm as long as its cause lasts."""
        return self._found(self._holds.look().holds, known)

    async def counted(self, known: Collection[Key]) -> tuple[Alarm, ...]:
        """The same with the files and bytes that wait, as far as the journal tells in time."""
        return self._found(await self._live.counted_holds(), known)

    def moving(self) -> bool:
        """Whether all stages move and the planning loop turns."""
        after, now = self._settings().notify.stalled_after, clock()
        told = {"holds": [told_hold(hold) for hold in self._holds.look().holds], "stalled_after": after}
        return not unwell(told, now) and time.monotonic() - self._seen.at < max(after, NO_TURN)

    def _found(self, holds: Sequence[Hold], known: Collection[Key]) -> tuple[Alarm, ...]:
        now, stalled_after = clock(), self._settings().notify.stalled_after
        alarms = rules.of_holds(now, holds, stalled_after, known)
        disk = self._disk(now)
        lasting = disk is not None and (disk.key in known or now - disk.since >= stalled_after)
        return (*alarms, disk) if disk is not None and lasting else alarms

    def _disk(self, now: float) -> Alarm | None:
        """Staging's disk while it is near its reserve. One that does not answer has a hold that says so."""
        settings, free = self._settings(), self._seen.free_bytes
        reserve, place = settings.limits.min_free_bytes, str(settings.staging.path)
        if free is None or not rules.near_reserve(free, reserve, known=self._low_since is not None):
            self._low_since = None
            return None
        self._low_since = self._low_since or now
        return rules.of_disk(place, free, reserve, self._low_since)
