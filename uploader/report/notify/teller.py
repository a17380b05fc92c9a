"""One way out: what was told on it, and what is tried again. What is to be told is decided in `core.alarms`."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from uploader.core import alarms as rules
from uploader.core.alarms import FILES_REJECTED, Alarm, Event, Key, Notice, SentAlarm
from uploader.core.failure_policy import backoff
from uploader.report.notify.document import Document
from uploader.report.notify.ways import NotDelivered, Way

log = logging.getLogger(__name__)

AGAIN, AGAIN_AT_MOST = 5.0, 600.0
"""Seconds until the next try of what was not delivered, doubling."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When what lasts is told again, and for how long it has to be gone to be over. In seconds."""

    repeat_every: float
    clear_after: float


class Teller:
    """Tells one way of everything, each thing as often as it should."""

    def __init__(
        self,
        name: str,
        document: Callable[[Notice, float], Document],
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.told: Mapping[Key, SentAlarm] = {}
        """What was told that lasts."""
        self.rejected: list[Alarm] = []
        """Rejected files of which is still to be told."""
        self.trouble = ""
        """Why deliveries fail at the moment; empty while they do not."""
        self._document = document
        self._clock = clock
        self._jitter = jitter
        self._tries = 0
        self._not_before = float("-inf")

    def due(self, alarms: Sequence[Alarm], rhythm: Rhythm, now: float) -> list[Notice]:
        """What goes out now, where `alarms` are all that last; nothing while what failed waits for its next try."""
        if self._clock() < self._not_before:
            return []
        told = rules.watched(now, self.told, alarms)
        lasting = rules.due(
            now, told, alarms, repeat_every=rhythm.repeat_every, clear_after=rhythm.clear_after
        )
        return [*lasting, *(Notice(Event.ALARM, alarm) for alarm in self.rejected)]

    async def tell(self, way: Way, alarms: Sequence[Alarm], rhythm: Rhythm, now: float) -> None:
        """Tell what is due. What is refused does not hold up the rest, and all of what failed is tried again later."""
        notices, failed = self.due(alarms, rhythm, now), ""
        self.told = rules.watched(now, self.told, alarms)
        for notice in notices:
            try:
                await way.send(self._document(notice, now))
            except NotDelivered as error:
                failed = str(error)
                if not error.refused:
                    break
            else:
                self._delivered(now, notice)
        if notices:
            self._went(failed)

    def _delivered(self, now: float, notice: Notice) -> None:
        if notice.alarm.cause == FILES_REJECTED:
            self.rejected.remove(notice.alarm)
        else:
            self.told = rules.delivered(now, self.told, notice)

    def _went(self, failed: str) -> None:
        if failed and failed != self.trouble:
            log.warning("notify: %s was not told and is tried again: %s", self.name, failed)
        if self.trouble and not failed:
            log.info("notify: %s is told again", self.name)
        wait = backoff(self._tries, 0.5 + self._jitter() / 2, first=AGAIN, most=AGAIN_AT_MOST)
        self._not_before = self._clock() + wait if failed else float("-inf")
        self.trouble, self._tries = failed, self._tries + 1 if failed else 0
