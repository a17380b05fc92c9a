"""The only place that speaks to systemd: the sd_notify protocol over a datagram socket.

Without `$NOTIFY_SOCKET` every function does nothing. None of them ever raises or blocks: a service manager
that does not listen is no reason to stop uploading. Protocol: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING

from uploader.system import threads as system_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WATCHDOG_SHARE = 0.5
"""How much of the watchdog's patience may pass between two beats, as sd_watchdog_enabled(3) advises."""

MORE_TIME, MOST_TIME = 60.0, 3600.0
"""Seconds from now on that are asked for at a time, and for how long that is done."""

_heard: ContextVar[bool] = ContextVar("heard", default=True)


def ready(text: str = "") -> None:
    """The journal is open and the first plan is made: the service counts as started."""
    _send("READY=1", *_status(text))


@contextmanager
def more_time(every: float = MORE_TIME / 4) -> Iterator[None]:
    """Ask for more time to start, again and again while the block runs: it may take minutes, and is no hang.

    An hour at most: what takes longer hangs.
    """
    over = threading.Event()

    def ask() -> None:
        for _ in range(int(MOST_TIME / every)):
            if over.wait(every):
                return
            _send(f"EXTEND_TIMEOUT_USEC={int(MORE_TIME * 1_000_000)}")

    asking = threading.Thread(target=copy_context().run, args=(ask,), name="more time", daemon=True)
    if supervised():
        system_threads.start(asking)
    try:
        yield
    finally:
        over.set()


def reloading() -> None:
    """The configuration is being read again; `ready` ends it."""
    _send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def keep_silent() -> None:
    """Tell the service manager nothing from here on, in this context and its tasks: the service is another program."""
    _heard.set(False)


def status(text: str) -> None:
    """One line for `systemctl status`."""
    _send(*_status(text))


def beat() -> None:
    """The planning loop has gone round once more. Only that loop says so: a helper would hide a hang."""
    _send("WATCHDOG=1")


def stopping(text: str = "") -> None:
    """The drain has begun."""
    _send("STOPPING=1", *_status(text))


def supervised(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a service manager listens, which starts the program again when it asks for that."""
    return _heard.get() and bool(environment.get("NOTIFY_SOCKET"))


def watchdog_interval(environment: Mapping[str, str] = os.environ) -> float | None:
    """Seconds between two beats, or None where nobody waits for them."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    if not text.isdecimal() or int(text) == 0:
        return None
    return int(text) / 1_000_000 * WATCHDOG_SHARE


def _status(text: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def _send(*lines: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "") if _heard.get() else ""
    if not lines or not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(0)
            sock.sendto("\n".join(lines).encode("utf-8", "replace"), address)
    except OSError:
        pass
