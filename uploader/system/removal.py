"""Remove a folder into which somebody who comes too late may still write."""

from __future__ import annotations

import shutil
from pathlib import Path

TRIES = 5
"""Each removes what was there when it began; who writes by a path finds none after the first."""


def remove_tree(folder: Path) -> bool:
    """Remove it with all that is in it; a link in its place is removed itself. False where something is left.

    It takes another name first, so that nobody who knows the old one writes into it any more: only who has a file or
    the folder open does.
    """
    gone = folder.with_name(f".gone{folder.name}")
    try:
        if folder.is_symlink():
            folder.unlink()
            return True
        folder.rename(gone)
    except FileNotFoundError:
        pass
    except OSError:
        gone = folder
    for _ in range(TRIES):
        shutil.rmtree(gone, ignore_errors=True)
        if not gone.exists():
            return True
    return False
