"""The fixed window of calls that an organization's clients share."""

from __future__ import annotations

import math
import threading
from email.utils import formatdate
from typing import TYPE_CHECKING

from uploader.sandbox.errors import Refusal

if TYPE_CHECKING:
    from uploader.sandbox.options import Options


class Window:
    """Counts calls per organization in windows that begin at whole multiples of their length. Thread-safe."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._number = -1
        self._calls: dict[str, int] = {}

    def count(self, who: str, now: float, limit: int) -> None:
        """Count one call of an organization, or of what else is counted; a limit of 0 is none.

        Raises:
            Refusal: 429 with Retry-After, the window is full.

        """
        if not limit:
            return
        number = int(now // self._options.rate_window)
        with self._lock:
            if number != self._number:
                self._number, self._calls = number, {}
            self._calls[who] = self._calls.get(who, 0) + 1
            full = self._calls[who] > limit
        if full:
            end = (number + 1) * self._options.rate_window
            raise Refusal(
                429,
                f"rate limit of {limit} calls in {self._options.rate_window:g} s exceeded",
                headers={"Retry-After": retry_after(end - now, self._options.retry_after, now)},
            )


def retry_after(seconds: float, form: str, now: float) -> str:
    """The value of a Retry-After header in either form, rounded up to whole seconds."""
    if form == "date":
        return formatdate(math.ceil(now + seconds), usegmt=True)
    return str(math.ceil(seconds))
