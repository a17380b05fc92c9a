"""A journal that cannot be written or read is told as a hold while it lasts, and the planning loop goes on turning."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import disk, mounts
from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


class Watchdog:
    """Hears what a daemon tells systemd, whose patience is two seconds."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        self._socket.settimeout(0.2)
        self.status = ""

    @property
    def environment(self) -> dict[str, str]:
        """What systemd would set."""
        return {"NOTIFY_SOCKET": str(self.address), "WATCHDOG_USEC": "6000000"}

    def longest_pause(self, until: Callable[[], Any], seconds: float) -> float:
        """Listen until something holds; the longest time between two beats, in seconds."""
        last, longest, end = time.monotonic(), 0.0, time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, self.status
            with suppress(TimeoutError):
                told = self._socket.recv(65536).decode()
                self.status = next(
                    (line for line in told.splitlines() if line.startswith("STATUS=")), self.status
                )
                if "WATCHDOG=1" in told:
                    last = time.monotonic()
            longest = max(longest, time.monotonic() - last)
        return longest


@pytest.fixture
def heard(tmp_path: Path) -> Watchdog:
    """A service manager."""
    return Watchdog(tmp_path / "notify")


def listening(w: World) -> str:
    """Give the daemon a page; returns its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        w.settings["dashboard"] = {"listen": f"127.0.0.1:{free.getsockname()[1]}"}
    w.write_config()
    return f"http://{w.settings['dashboard']['listen']}"


def journal_holds(page: str) -> list[dict[str, Any]]:
    """What the page tells of the journal."""
    with suppress(OSError), urllib.request.urlopen(f"{page}/status.json", timeout=10) as answer:
        return [hold for hold in json.load(answer)["holds"] if hold["scope"] == "journal"]
    return []


@contextmanager
def locked(w: World) -> Iterator[None]:
    """Somebody keeps the journal from being written, as a tool for backups may."""
    with closing(sqlite3.connect(w.state / "journal.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full(w: World) -> Iterator[None]:
    """There is no room on the journal's disk."""
    filler = mounts.fill(w.state)
    yield
    filler.unlink()


def _tried(page: str, heard: Watchdog, w: World, trouble: Any) -> None:
    """In trouble, files are dropped: that is told, beats go on, and afterwards all is done."""
    with w.daemon(**heard.environment):
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        with trouble(w):
            make("dem_nodata", w.drop / "a.tif", size=64)
            pause = heard.longest_pause(lambda: journal_holds(page) and "journal" in heard.status, 60)
            assert pause < 6
            (hold,) = w.status()["holds"]
            assert (hold["scope"], hold["cause"]) == ("journal", "journal_slow")
            assert "cannot be written" in hold["reason"]
            assert "goes on by itself" in hold["way_out"]
        w.wait(lambda: w.status()["completed"] == 1, "the file is an item")
        assert w.status()["holds"] == []
        assert journal_holds(page) == []


def test_a_journal_that_is_locked_for_long_is_a_hold(
    make_world: Callable[..., World], heard: Watchdog
) -> None:
    """Told by the command, the page and the service's status, and over by itself."""
    w = make_world()
    _tried(listening(w), heard, w, locked)


@pytest.mark.root
def test_a_journal_without_room_is_a_hold(
    make_world: Callable[..., World], heard: Watchdog, tmp_path: Path
) -> None:
    """Likewise, and the copies that lie elsewhere are no way around it."""
    if reason := mounts.missing():
        pytest.skip(reason)
    with mounts.tmpfs(tmp_path / "home" / "state", size="4m"):
        settings = {"staging": {"dir": str(tmp_path / "copies")}}
        w = make_world(settings=settings, home=tmp_path / "home")
        _tried(listening(w), heard, w, full)


@pytest.mark.root
def test_a_journal_on_a_disk_that_hangs_is_a_hold(
    make_world: Callable[..., World], heard: Watchdog, tmp_path: Path
) -> None:
    """Nothing can be read either: the page tells what it knew, and the watchdog is not kept waiting."""
    if reason := disk.missing():
        pytest.skip(reason)
    with disk.Disk.mounted(tmp_path / "home") as home:
        w = make_world(home=home.folder)
        page = listening(w)
        with w.daemon(**heard.environment):
            w.wait((w.state / "control.sock").exists, "the daemon is up")
            make("dem_nodata", w.drop / "a.tif", size=64)
            w.wait(lambda: w.status()["completed"] == 1, "the first file is an item")
            home.hang()
            try:
                pause = heard.longest_pause(lambda: journal_holds(page), 60)
                assert pause < 6
                (hold,) = journal_holds(page)
                assert "does not answer" in hold["reason"] or "cannot be" in hold["reason"]
            finally:
                home.heal()
            make("dem_nodata", w.drop / "b.tif", size=64, seed=2)
            w.wait(lambda: w.status()["completed"] == 2, "the second file is an item")
            assert w.status()["holds"] == []
