"""An end that is sure: a thread that the kernel does not let go can be neither cancelled nor joined.

So the process ends without it. Two places would wait: the program's own end (`HardExit`), and the interpreter, which
joins every thread when it ends (`leave`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from types import TracebackType
from typing import NoReturn, Self

from uploader.system import threads

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds after all else is done in which whoever reads or copies a file may come to its next chunk."""

LAST_PATIENCE = 2.0
"""Seconds that threads nobody waits for any more may take to end by themselves."""


class HardExit:
    """Ends the process at the set time, unless the block was left before; the journal is safe at any moment.

    The block holds whatever may wait for such a thread: closing the journal and the event loop as well. Its own thread
    is started when the block begins, for at the end there may be none to be had.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._left = False
        self._at: float | None = None

    def __enter__(self) -> Self:
        threads.start(threading.Thread(target=self._wait, name="hard exit", daemon=True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._left = True
            self._changed.notify()

    def after(self, seconds: float) -> None:
        """From now on the block has so many seconds left; of several calls the earliest end counts."""
        with self._changed:
            at = time.monotonic() + seconds
            self._at = at if self._at is None else min(self._at, at)
            self._changed.notify()

    def _wait(self) -> None:
        with self._changed:
            while not self._left:
                left = None if self._at is None else self._at - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            else:
                return
        _end(1)


def leave(code: int) -> NoReturn:
    """End the process as `sys.exit` does, but do not wait long for threads that were left behind."""
    end = time.monotonic() + LAST_PATIENCE
    others = [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]
    for thread in others:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        if sys.stdout is not None:
            sys.stdout.flush()
        _end(code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    log.error(
        "a folder or disk does not answer: ended without waiting for it; the next start takes up the work"
    )
    logging.shutdown()
    os._exit(code)
