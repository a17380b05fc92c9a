"""The end of the process is sure, whatever the kernel does not let go."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import disk
from tests.support.live import live
from uploader.daemon.hard_exit import LAST_PATIENCE, PATIENCE

pytestmark = pytest.mark.e2e

SLACK = 20.0
"""Seconds that a busy machine may take besides."""

FAILS_WHILE_SENDING = """
import anyio
from uploader import cli
from uploader.daemon import containment, loop
from uploader.system import threads
perform, sending = containment.perform, anyio.Event()

async def until_cut(tools, action):
    if type(action).__name__ != "Put":
        return await perform(tools, action)
    print("SENDING", flush=True)
    sending.set()
    await threads.run_sync(tools.cut.wait)

async def failing(*_):
    await sending.wait()
    raise MemoryError("planted")

containment.perform, loop.control.serve = until_cut, failing
cli.main()
"""
"""A daemon whose transfer ends only when it is cut, and of which another task breaks while it runs."""


@pytest.mark.root
@pytest.mark.skipif(bool(disk.missing()), reason=disk.missing() or "-")
def test_a_mount_that_hangs_does_not_hold_the_process(tmp_path: Path) -> None:
    """The thread that asks it was given up long ago; the interpreter does not wait for it either."""
    with disk.Disk.mounted(tmp_path / "drop") as mount:
        folder = {"path": str(tmp_path / "drop"), "project_id": "p-1", "polling": "always"}
        with live(tmp_path, folders=[folder | {"rescan_seconds": 3600.0}]) as d:
            d.drop("a.tif")
            d.idle()
            mount.hang()
            time.sleep(8)  # it is polled, and so hangs, every few seconds
            started = time.monotonic()
            assert d.end(seconds=PATIENCE + LAST_PATIENCE + SLACK) in (0, 1)
            assert time.monotonic() - started < PATIENCE + LAST_PATIENCE + SLACK
            assert b"does not answer" in (d.w.root / "daemon.log").read_bytes()
            mount.heal()
            d.up()
            d.idle()
            assert d.wrong() == []


def test_a_thread_that_never_ends_does_not_hold_a_command() -> None:
    """The exit code is the command's own, and what it printed is not lost."""
    script = "import sys, threading; from uploader import cli; sys.argv[1:] = ['--version']; "
    script += "threading.Thread(target=threading.Event().wait).start(); cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout[:8]) == (0, "uploader")
    assert "does not answer" in done.stderr


def test_what_runs_is_cut_when_another_task_breaks(tmp_path: Path) -> None:
    """The error has cancelled everybody, also who drains; running transfers are told to end all the same."""
    with live(tmp_path, start=False, settings={"transfer": {"drain_seconds": 1.0}}) as d:
        d.drop("a.tif")
        done = subprocess.run(
            [sys.executable, "-c", FAILS_WHILE_SENDING, "run", "-c", str(d.w.config)],
            capture_output=True,
            text=True,
            env=d.w.environment(),
            timeout=PATIENCE + SLACK + 30,
            check=False,
        )
        assert "SENDING" in done.stdout
        assert done.returncode == 1
        assert "planted" in done.stderr
        assert "does not answer" not in done.stderr
        d.w.until_idle()
        assert d.wrong() == []


def test_the_time_is_up_also_while_the_journal_is_closed() -> None:
    """What is waited for after the last task counts as well."""
    script = (
        "import time\nfrom uploader.daemon.hard_exit import HardExit\n"
        "with HardExit() as end:\n    end.after(0.5)\n    end.after(99)\n    time.sleep(60)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert done.returncode == 1
    assert time.monotonic() - started < SLACK


def test_nothing_ends_where_the_block_was_left() -> None:
    """A person who reads the results of a push may take as long as she likes."""
    script = (
        "import time\nfrom uploader.daemon.hard_exit import HardExit\n"
        "with HardExit() as end:\n    end.after(0.2)\ntime.sleep(0.6)\nprint('whole')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"whole\n")
