"""What a person should know of the watch over a drop folder itself, as a status tells warnings."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence

from uploader.core.log_subject import About
from uploader.core.path_text import shown
from uploader.core.plurals import count_of
from uploader.core.settle_queue import SettleQueue
from uploader.folders.ignored_names import Oddities
from uploader.folders.missed_events import Missed
from uploader.folders.spec import LookProblem

log = logging.getLogger(__name__)

LIMITED = (
    "the kernel gives no more inotify watches, so the folder is polled; raise fs.inotify.max_user_watches and "
    "fs.inotify.max_user_instances"
)

ENDED = "events have ended ({}), so the folder is polled until they are back"

ARCHIVED_AGAIN = "{} files of the archive are shown in the drop folder, and are left"

NEVER_SETTLING = (
    "{} files are still being written to, or open, after a turn of looks; "
    "they take turns with {} others that wait"
)

EVENTS_MISSED = "events did not tell of {} since the start; a scan found what they missed"

STILL_ARRIVING = (
    "{} rasters wait for the end of their transfer, of which a control file tells, such as {}; where the transfer was "
    "given up, remove that file"
)


class WatchWarnings:
    """Those of one folder: what changed with a scan is logged, and all that lasts is told to whoever asks."""

    def __init__(self, folder: str, missed: Missed, queue: SettleQueue) -> None:
        self._folder = folder
        self._missed = missed
        self._queue = queue
        self._oddities = Oddities()
        self._troubles: set[bytes] = set()
        self._told_missed = 0

    def scanned(self, oddities: Oddities, troubled: Sequence[LookProblem]) -> None:
        """Say once what could not be looked at, what was ignored, and what events missed."""
        oddities.tell(self._folder, before=self._oddities)
        self._oddities = oddities
        for trouble in troubled:
            if trouble.path not in self._troubles:
                log.warning(
                    "%s cannot be read: %s", About(folder=self._folder, file=trouble.path), trouble.reason
                )
        self._troubles = {trouble.path for trouble in troubled}
        missed = self._missed.total(time.monotonic())
        if missed > self._told_missed:
            about = About(folder=self._folder, code="events_missed")
            log.warning("%s %s, found by the scan", about, count_of(missed, "file"))
            self._told_missed = missed

    def all(self, archived: Collection[bytes], *, held: bool) -> list[dict[str, str]]:
        """All that last. `archived` are the paths at which the folder shows files of an archive."""
        told = [
            {"path": self._folder, "code": code, "text": text}
            for code, text in self._own(archived, held=held)
        ]
        return told + self._oddities.warnings(self._folder)

    def _own(self, archived: Collection[bytes], *, held: bool) -> Iterator[tuple[str, str]]:
        line = self._queue.line
        if self._missed.limited:
            yield "inotify_limit", LIMITED
        if self._missed.ended and not held:
            yield "events_ended", ENDED.format(self._missed.ended)
        if archived:
            yield "archived_again", ARCHIVED_AGAIN.format(len(archived))
        if line.unsettled:
            yield "never_settling", NEVER_SETTLING.format(line.unsettled, line.waiting)
        if missed := self._missed.total(time.monotonic()):
            yield "events_missed", EVENTS_MISSED.format(count_of(missed, "file"))
        if arriving := self._queue.arriving():
            yield "still_arriving", STILL_ARRIVING.format(len(arriving), shown(min(arriving)))
