"""The door to sqlite-utils, which would load numpy and pandas where they are installed.

Nothing here is an array, and both would cost every command 0.1 s and the daemon eleven megabytes for as long as it
runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _as_if_absent(*names: str) -> Iterator[None]:
    """Let imports of these fail in the block, as `None` in `sys.modules` does; what is loaded already stays."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _as_if_absent("numpy", "pandas"):
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

__all__ = ["Database", "Migrations"]
