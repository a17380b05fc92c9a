"""What a child may do instead of working; loaded in place of the conversion, within the real confinement."""

from __future__ import annotations

import os
import signal
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


def crash(*_: Any, **__: Any) -> NoReturn:
    """What GDAL may do on a raster from outside."""
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError("it lives on")


def hang(*_: Any, **__: Any) -> NoReturn:
    """Sleep as long as it may."""
    signal.alarm(1)
    while True:
        time.sleep(60)


class Lying:
    """A quicklook that makes no sense."""

    def to_json(self) -> dict[str, Any]:
        """Numbers that are none, and a picture of another kind."""
        return {"footprint": [[1e300, "x"]], "origin": "moon", "thumbnail": "R0lGODlh"}


def lie(*_: Any, **__: Any) -> Lying:
    """Tell what the parent must not believe."""
    return Lying()
