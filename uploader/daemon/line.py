"""The line: how fast bytes may leave now, how many files are sent at once, and how many bytes have left today.

Of today the journal knows what earlier processes have stored; since the start every byte counts, and what is sent
twice counts twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from uploader.core import parallel_transfers
from uploader.core.bandwidth_schedule import Timetable, limit_at
from uploader.net.rate_limit import Bandwidth
from uploader.system.days import midnight, next_midnight

log = logging.getLogger(__name__)


class Line:
    """The one door for the bytes of all transfers. Times in unix seconds, sizes in bytes."""

    def __init__(
        self,
        bandwidth: Bandwidth,
        stored: int,
        now: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stored`: bytes of the files that an earlier process has stored since midnight."""
        self._bandwidth = bandwidth
        self._clock = clock
        self._before = bandwidth.total - stored
        self._begin = midnight(now)
        self._search = parallel_transfers.Search()

    @property
    def parallel_transfers(self) -> int:
        """How many files are to be sent at once, as far as that was found out."""
        return self._search.files

    def sending(self, files: int) -> None:
        """So many files are being sent from now on: what they carry tells how many should be."""
        before = self._search.kept
        self._search = parallel_transfers.seen(self._search, self._clock(), self._bandwidth.total, files)
        if self._search.kept != before:
            log.info("transfer: %d files at once carry most so far", self._search.kept)

    def keep_to(self, timetable: Timetable) -> None:
        """Let bytes through as fast as the timetable says for this minute of the machine's local time."""
        local = time.localtime()
        self._bandwidth.rate = limit_at(timetable, local.tm_wday, local.tm_hour * 60 + local.tm_min)

    def today(self, now: float) -> tuple[int, float]:
        """How much was sent today, and when the day ends. Where the clock was set to another day, that one begins."""
        if midnight(now) != self._begin:
            self._begin, self._before = midnight(now), self._bandwidth.total
        return self._bandwidth.total - self._before, next_midnight(now)
