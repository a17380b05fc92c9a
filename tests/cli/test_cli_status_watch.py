"""`status --watch` in a real terminal: three holds and 500 rejected files, in windows of three sizes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing, suppress
from pathlib import Path

import anyio
import pytest

from uploader.core.model import Hold, HoldCause, Scope
from uploader.journal import FILE_NAME, Journal

pytestmark = pytest.mark.unit

SIZES = [(80, 24), (40, 15), (200, 60)]
COMMAND = [sys.executable, "-m", "uploader", "status", "--watch", "-c"]
PATIENCE = 60.0

HOLDS = [
    Hold(Scope.PLATFORM, "", "The API key is refused.", "Put a new one.", 1.0, cause=HoldCause.KEY_REFUSED),
    Hold(Scope.FOLDER, "/srv/drop", "It is missing.", "Mount it.", 1.0, cause=HoldCause.FOLDER_MISSING),
    Hold(
        *(
            Scope.TARGET,
            "p-1",
            "The platform refuses it (" + "in many words, " * 60 + "as ever).",
            "Mend the id.",
        ),
        since=1.0,
        cause=HoldCause.TARGET_REFUSED,
    ),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a daemon that does not run, with what it has left in its journal."""
    (tmp_path / "drop").mkdir()
    path = tmp_path / "config.toml"
    path.write_text(f'state_dir = "state"\n[[folders]]\npath = "{tmp_path}/drop"\nproject_id = "p-1"\n')

    async def fill() -> None:
        (tmp_path / "state").mkdir()
        journal = Journal(tmp_path / "state")
        for hold in HOLDS:
            await journal.holds.set(hold)
        journal.close()

    anyio.run(fill)
    with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME)) as conn:
        conn.executemany(
            "INSERT INTO files (folder, path, current, state, sighting, size, last_error, discovered_at, changed_at) "
            "VALUES ('/srv/drop', ?, 1, 'rejected', '', 9, 'It is no raster.', 1, 1)",
            [(b"%d.tif" % number,) for number in range(500)],
        )
        conn.commit()
    return path


def judge(lines: list[str], columns: int, rows: int) -> None:
    """What a person has to find in the window."""
    text = " ".join(" ".join(lines).split())
    assert len(lines) <= rows
    assert all(len(line) <= columns for line in lines)
    assert lines[0].startswith("0 pending, 0 completed, 500")
    for what in (
        "held (platform, waits for you): The API key",
        "held (folder /srv/drop, waits for you): It is",
    ):
        assert what in text
    assert "held (target p-1, waits for you): The platform refuses it (in many" in text
    assert "Put a new one." in text
    assert "Mount it." in text


def first_picture(descriptor: int) -> list[str]:
    """The lines of the first whole picture; on the alternate screen each begins in the upper left corner."""
    said, end = b"", time.monotonic() + PATIENCE
    while (
        said.count(b"\x1b[H") < 3
    ):  # one clears the screen, the next begins the picture, the third the one after it
        assert time.monotonic() < end, said[-2000:]
        if select.select([descriptor], [], [], 1.0)[0]:
            said += os.read(descriptor, 1 << 16)
    picture = said.split(b"\x1b[H")[2].decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", picture)
    return [line.rstrip() for line in plain.split("\r\n")]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_in_a_window_no_hold_is_cut(config: Path, columns: int, rows: int) -> None:
    """Through a pseudo-terminal of this size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}} | {"TERM": "xterm"}
    process = subprocess.Popen(
        [*COMMAND, str(config)], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        judge(first_picture(ours), columns, rows)
    finally:
        process.send_signal(signal.SIGINT)
        drain(ours)
        process.wait(PATIENCE)
        os.close(ours)


def drain(descriptor: int) -> None:
    """Take what is still being shown, as a terminal does: who is in the middle of a picture ends after it."""
    end = time.monotonic() + PATIENCE
    with suppress(OSError):  # that nobody has the other side open any more
        while time.monotonic() < end:
            if select.select([descriptor], [], [], 1.0)[0]:
                os.read(descriptor, 1 << 16)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_in_tmux_no_hold_is_cut(config: Path, tmp_path: Path, columns: int, rows: int) -> None:
    """As a person sees it, in a session of this size."""
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", os.devnull]
    shell = " ".join(["env", "-u", "COLUMNS", "-u", "LINES", *COMMAND, str(config)])
    start = [*tmux, "new-session", "-d", "-x", str(columns), "-y", str(rows), shell]
    subprocess.run(start, check=True, timeout=PATIENCE)
    try:
        end = time.monotonic() + PATIENCE
        while "Put a new one." not in (shown := captured(tmux)):
            assert time.monotonic() < end, shown
            time.sleep(0.1)
        judge(shown.splitlines(), columns, rows)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, timeout=PATIENCE)


def captured(tmux: list[str]) -> str:
    """What the window shows."""
    done = subprocess.run(
        [*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return done.stdout
