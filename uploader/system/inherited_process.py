"""What a process takes over from whoever started it: put in order before anything depends on it."""

from __future__ import annotations

import os
import resource
import signal
import sys
from io import TextIOWrapper
from typing import TextIO

from uploader.core.errors import ConfigurationError

_LEAST, _ENOUGH = 64, 65536
"""Open files without which nothing works, and more than are ever held."""

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


def raise_descriptors() -> None:
    """Allow itself as many open files as the system lets it. Raises ConfigurationError where these are too few.

    Watched folders, the journal, transfers and converters each hold some; a service that runs out of them in the middle
    of its work can only end.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft != resource.RLIM_INFINITY and soft < _LEAST:
        raise ConfigurationError(
            f"Only {soft} files may be open at once, and the daemon needs {_LEAST}.",
            "Raise the limit of open files (`ulimit -n`, or LimitNOFILE= of the unit).",
        )


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
    sys.stdout = _telling_all(sys.stdout or _stream(1))
    sys.stderr = _telling_all(sys.stderr or _stream(2))


def _telling_all(stream: TextIO) -> TextIO:
    """A stream that escapes what its encoding has no sign for: under an old locale a name is shown all the same."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _stream(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", closefd=False)
