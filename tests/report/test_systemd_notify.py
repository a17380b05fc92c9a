"""sd_notify: what systemd hears, and that nothing is ever raised."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from uploader.report import systemd_notify

pytestmark = pytest.mark.unit


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    """A datagram socket in systemd's place."""
    address = str(tmp_path / "notify") if request.param == "path" else f"\0uploader-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        sock.settimeout(1)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        yield sock


def test_each_word_arrives(manager):
    """State and status travel in one datagram, newlines of a status do not break it."""
    systemd_notify.ready("watching\n2 folders")
    systemd_notify.status("3 pending")
    systemd_notify.beat()
    systemd_notify.stopping("draining")
    heard = [manager.recv(1000).decode() for _ in range(4)]
    assert heard == [
        "READY=1\nSTATUS=watching 2 folders",
        "STATUS=3 pending",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=draining",
    ]


def test_a_guest_in_another_program_is_silent(manager):
    """Whether that service is ready, or alive, is not ours to say; other threads of it still may."""

    def guest() -> None:
        systemd_notify.keep_silent()
        systemd_notify.ready("watching")
        assert not systemd_notify.supervised({"NOTIFY_SOCKET": "/run/systemd/notify"})

    with ThreadPoolExecutor(1) as pool:
        pool.submit(guest).result()
    systemd_notify.status("the service itself")
    assert manager.recv(1000).decode() == "STATUS=the service itself"


def test_more_time_is_asked_for_as_long_as_something_lasts(manager):
    """An earlier journal of a million files is brought up to date longer than a unit may take to start."""
    with systemd_notify.more_time(every=0.01):
        heard = {manager.recv(1000).decode() for _ in range(3)}
    assert heard == {"EXTEND_TIMEOUT_USEC=60000000"}


def test_a_guest_asks_for_no_time(manager):
    """The thread that asks is as silent as who started it."""

    def guest():
        systemd_notify.keep_silent()
        with systemd_notify.more_time(every=0.01):
            time.sleep(0.05)
        return True

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(guest).result()
    manager.settimeout(0.05)
    with pytest.raises(TimeoutError):
        manager.recv(1000)


def test_a_reload_says_when_it_began(manager):
    """Systemd waits for READY=1 after that moment of its clock, in microseconds."""
    before = time.monotonic_ns() // 1000
    systemd_notify.reloading()
    first, second = manager.recv(1000).decode().splitlines()
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens", "relative", "/" + "x" * 300])
def test_a_manager_that_does_not_listen_is_no_error(address, monkeypatch):
    """Outside systemd, or with its socket gone, the daemon goes on."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd_notify.ready("text")
    systemd_notify.beat()


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 60.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_half_of_the_watchdogs_patience(environment, interval):
    """As sd_watchdog_enabled(3) advises, and only for the process that is meant."""
    assert systemd_notify.watchdog_interval(environment) == interval
