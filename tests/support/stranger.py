"""Another user of this machine: whether one can run the program, and by which interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_IMPORTS = 'exec "$0" -B -c "import anyio, rasterio, uploader, tests.support"'


def interpreter(user: int) -> str:
    """An interpreter of this version that this user may run, with the libraries in use here, or the test is skipped."""
    candidates = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    for path in candidates:
        probe = ["setpriv", f"--reuid={user}", "--clear-groups", "sh", "-c", _IMPORTS, path]
        found = subprocess.run(probe, check=False, capture_output=True, env=environment())
        if Path(path).exists() and found.returncode == 0:
            return path
    pytest.skip("no interpreter and libraries here may be used by others")


def environment() -> dict[str, str]:
    """What a process needs to find the modules that are in use here."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *(p for p in sys.path if p)])}
