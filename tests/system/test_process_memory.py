"""The memory of a process: kept from others."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit


def test_memory_is_kept_private_and_flat() -> None:
    """Afterwards no core is dumped, and the kernel lets no process of the same user look in."""
    ask = "import ctypes; from uploader.system import process_memory; process_memory.keep_flat(); "
    ask += "process_memory.keep_private(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_what_was_loaded_is_not_looked_through_for_garbage() -> None:
    """Afterwards Python's collector works on what is made from then on, and less often."""
    ask = """
import gc
from uploader.system import process_memory
with process_memory.loading():
    print(gc.isenabled())
    loaded = [[] for _ in range(1000)]
print(gc.isenabled(), gc.get_freeze_count() > 1000, gc.get_threshold()[0] == process_memory.COLLECTED)
"""
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True", "True"]
