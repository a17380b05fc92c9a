"""Writers, file systems and limits."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from uploader.folders import blind, device, held_by_writer, inotify_limits, lease_doubt
from uploader.system import leases, libc

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("leases")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that nobody has open."""
    path = tmp_path / "a.tif"
    path.write_bytes(b"x" * 5000)
    return path


def test_a_writer_is_told_for_as_long_as_it_has_the_file_open(file: Path) -> None:
    """Open for writing is refused a lease, closed is not, and reading does not matter."""
    assert held_by_writer(str(file)) is False
    with file.open("r+b"):
        assert held_by_writer(os.fsencode(file)) is True
    with file.open("rb"):
        assert held_by_writer(str(file)) is False


def test_a_mapped_file_is_held_after_its_descriptor_is_closed(file: Path) -> None:
    """Who writes through memory is a writer too."""
    with file.open("r+b") as opened:
        mapped = mmap.mmap(opened.fileno(), 0)
    assert held_by_writer(str(file)) is True
    mapped.close()
    assert held_by_writer(str(file)) is False


def test_the_lease_is_given_back_so_that_a_writer_never_waits(file: Path) -> None:
    """After the question anybody opens the file at once."""
    held_by_writer(str(file))
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import sys; open(sys.argv[1], 'r+b')", str(file)], check=True)

    assert time.monotonic() - started < 10


def test_what_cannot_be_asked_is_unknown(tmp_path: Path, file: Path) -> None:
    """A missing file, a link and a fifo give no answer, and do not block."""
    (tmp_path / "l").symlink_to(file)
    os.mkfifo(tmp_path / "f")

    assert held_by_writer(str(tmp_path / "none")) is None
    assert held_by_writer(str(tmp_path / "l")) is None
    assert held_by_writer(str(tmp_path / "f")) is None


def test_without_prepared_signals_nothing_is_asked(file: Path) -> None:
    """A broken lease would kill the process, so it is not taken."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    with file.open("r+b"):
        assert held_by_writer(str(file)) is None


def test_file_systems_of_others_are_blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On NFS neither events nor leases tell of writers elsewhere."""
    assert blind(str(tmp_path)) == ""
    monkeypatch.setattr(leases, "BLIND", {})
    with (tmp_path / "x").open("wb") as opened:
        magic = libc.magic(opened.fileno())
        assert held_by_writer(str(tmp_path / "x")) is True
        monkeypatch.setattr(leases, "BLIND", {magic: "NFS"})
        assert held_by_writer(str(tmp_path / "x")) is None


def test_a_missing_folder_has_no_device(tmp_path: Path) -> None:
    """None says that there is no folder; a number which file system it is on."""
    assert device(str(tmp_path)) == tmp_path.stat().st_dev
    assert device(str(tmp_path / "none")) is None


def test_the_doubts_about_leases_are_words(tmp_path: Path) -> None:
    """`check` can print them."""
    assert isinstance(lease_doubt(str(tmp_path)), str)
    assert inotify_limits()["max_user_watches"] > 0
