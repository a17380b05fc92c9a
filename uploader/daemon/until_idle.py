"""The end of `run --until-idle`: what is left over is told by name."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from uploader.core.model import Hold
from uploader.core.planning_pass import Wait
from uploader.core.plurals import count_of

log = logging.getLogger(__name__)


def left_over(holds: Sequence[Hold], waits: Sequence[Wait]) -> bool:
    """Whether something is held, or waits for what only others do. The end does not wait for it, but tells it.

    Where a plan is idle, all other waits are over or have become holds.
    """
    for wait in waits:
        verb = "needs" if wait.files == 1 else "need"
        log.warning("not waited for: %s, which %s %s", count_of(wait.files, "file"), verb, wait.why)
    return bool(holds or waits)
