"""What a child may do instead of working; loaded in place of the conversion, within the real confinement."""

from __future__ import annotations

import threading
import time
from typing import Any, NoReturn

from uploader.core.errors import ConversionFailed


def wait(job: Any, workshop: Any) -> NoReturn:
    """Wait for a thread that never comes, as GDAL does."""
    while True:
        threading.Event().wait()


def dawdle(job: Any, workshop: Any) -> NoReturn:
    """Work a little, sleep a little, for some seconds."""
    end = time.monotonic() + 12
    while time.monotonic() < end:
        sum(range(100_000))
        time.sleep(0.3)
    raise ConversionFailed("It dawdled to the end.")
