"""Which files a confined process may open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from uploader.convert.isolation import landlock

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not landlock.abi(), reason="this kernel cannot keep a process from files"),
]

_CONFINED = """
import sys
from pathlib import Path
from uploader.convert.isolation import kernel, landlock
kernel.prctl(38, 1)
mine, loop, other = map(Path, sys.argv[1:])
assert landlock.restrict((loop, mine), ())
print(mine.read_text(), end="")
print(other.read_text())
"""


def test_what_cannot_be_opened_does_not_lift_the_rules(tmp_path: Path) -> None:
    """A place that leads nowhere is left out; the others are allowed, and nothing else is."""
    mine, loop, other = (tmp_path / name for name in ("mine", "loop", "other"))
    mine.write_text("mine")
    other.write_text("other")
    loop.symlink_to(loop)

    done = subprocess.run(
        [sys.executable, "-c", _CONFINED, mine, loop, other], capture_output=True, text=True, check=False
    )

    assert done.stdout == "mine"
    assert done.stderr.strip().endswith(f"Permission denied: '{other}'")
