"""The programs that are measured start as installed ones do: with their bytecode at hand.

Without it, as in a fresh checkout where Python is told to write none, each start compiles six hundred modules.
"""

from __future__ import annotations

import compileall
import os
from pathlib import Path

import uploader


def keep_bytecode() -> None:
    """Compile what has changed, beside its source, and let those that are started from here use and write it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(Path(uploader.__file__).parent, quiet=1)
