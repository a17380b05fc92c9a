"""What a process takes over from whoever started it: put in order before anything depends on it."""

from __future__ import annotations

import os
import signal
import sys
from typing import TextIO

STANDARD = (0, 1, 2)
"""Descriptors that others take for input, output and errors, whatever is behind them."""


def put_in_order() -> None:
    """Make good what cron jobs, containers and supervisors hand down. Call it once, in the main thread.

    Without its standard descriptors, the next file that is opened gets one of their numbers, and what others print goes
    into it. Where SIGCHLD is ignored, the kernel buries children before they can be asked how they ended; where signals
    are blocked, nobody hears that they should end.
    """
    _open_standard()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def ignore_hangup() -> None:
    """A service has no terminal whose end could concern it; by default SIGHUP would end it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def ignores_hangup() -> bool:
    """Whether it was asked for, by us or by who started us (`nohup`)."""
    return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def _open_standard() -> None:
    """Let closed ones lead nowhere."""
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            os.set_inheritable(opened, True)  # noqa: FBT003 - as the standard library has it
    sys.stdout = sys.stdout or _stream(1)
    sys.stderr = sys.stderr or _stream(2)


def _stream(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
