"""The machine's clock may be set back: then what was scheduled by it moves along. Its time zone may change, too."""

from __future__ import annotations

import logging
import time

from anyio.abc import TaskGroup

from uploader.effects.context import Tools

log = logging.getLogger(__name__)

SLACK = 2.0
"""Seconds that the wall clock may be set back without anybody waiting noticeably longer."""


class WallClock:
    """Compares the wall clock with one that nobody sets."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._ahead = time.time() - time.monotonic()

    def look(self, background: TaskGroup) -> None:
        """Where it was set back since the last look, nothing waits for it to catch up."""
        time.tzset()  # else the C library keeps the zone of its first question, as long as the process lives
        ahead = time.time() - time.monotonic()
        back, self._ahead = self._ahead - ahead, ahead
        if back > SLACK:
            log.warning("the clock was set back by %.0f s: what was scheduled moves with it", back)
            self._tools.set_back(back)
            background.start_soon(self._tools.journal.holds.set_back, back)
