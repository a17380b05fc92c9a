"""An end that is sure: a thread that the kernel does not let go cannot be cancelled, so the process ends without it."""

from __future__ import annotations

import logging
import os
import threading
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds after all else is done in which whoever reads or copies a file may come to its next chunk."""


class HardEnd:
    """Ends the process at the set time, unless the block was left before; the journal is safe at any moment."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def after(self, seconds: float) -> None:
        """From now on the block has so many seconds left."""
        self._timer = threading.Timer(seconds, _end)
        self._timer.daemon = True
        self._timer.start()


def _end() -> None:
    log.error(
        "a folder or disk does not answer: ended without waiting for it; the next start takes up the work"
    )
    logging.shutdown()
    os._exit(1)
