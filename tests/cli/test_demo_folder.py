"""The folder of a demo: whose is removed when, and whose is not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from uploader.cli.demo_folder import PREFIX, DemoFolder, passing, taken

ANOTHER = """
import os, time
from uploader.cli.demo_folder import passing
with passing() as root:
    (root / "drop").mkdir()
    (root / "drop" / "a.tif").write_bytes(b"x")
    print(root, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All temporary folders lie in the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_what_a_killed_demo_has_left_goes_with_the_next_one(tmp_path: Path) -> None:
    """Not before its process is gone; the next one's own goes with it."""
    with subprocess.Popen([sys.executable, "-c", ANOTHER], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        left = Path(other.stdout.readline().strip())
        with passing() as root:
            assert (left / "drop/a.tif").exists()
        other.kill()
    assert left.exists()

    with passing() as root:
        assert list(tmp_path.iterdir()) == [root]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_demos_or_is_to_be_kept_stays(tmp_path: Path) -> None:
    """Whatever it is called, and wherever a link leads."""
    precious = tmp_path / "precious"
    precious.mkdir()
    DemoFolder(precious).lock.touch()
    (tmp_path / f"{PREFIX}link").symlink_to(precious)
    (tmp_path / f"{PREFIX}plain").mkdir()
    left = tmp_path / f"{PREFIX}kept"
    left.mkdir()
    DemoFolder(left).lock.touch()
    DemoFolder(left).samples.touch()
    taken(left)
    before = sorted(tmp_path.rglob("*"))

    with passing():
        pass

    assert sorted(tmp_path.rglob("*")) == before
