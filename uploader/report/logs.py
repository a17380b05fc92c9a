"""The only place that decides where the log goes: to journald where systemd listens, else to standard error."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

from uploader.report.journald import JournalHandler, connected
from uploader.report.log_lines import Format, JsonLines, TextLines
from uploader.report.log_stream import PatientHandler

if TYPE_CHECKING:
    from collections.abc import Mapping

NOISY = ("httpx", "httpcore", "rasterio", "asyncio", "uvicorn")
"""Libraries that are heard from warnings on: some of them write whole URLs below that."""


def under_journald(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `stream` is the one that systemd connected to its journal (systemd.exec(5), $JOURNAL_STREAM)."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send the program's log to `stream`, standard error by default, as text. May be called again."""
    root = logging.getLogger()
    root.handlers[:] = [_handler(stream or sys.stderr)]
    root.setLevel(level)
    choose("text")
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def choose(kind: Format) -> None:
    """Write lines of this kind from now on."""
    for handler in logging.getLogger().handlers:
        timed = not isinstance(handler, JournalHandler)  # journald has a time of its own
        handler.setFormatter(TextLines(timed=timed) if kind == "text" else JsonLines())


def _handler(stream: TextIO) -> logging.Handler:
    if under_journald(stream) and (journal := connected()) is not None:
        return JournalHandler(journal)
    return PatientHandler(stream) if _has_descriptor(stream) else logging.StreamHandler(stream)


def _has_descriptor(stream: TextIO) -> bool:
    try:
        stream.fileno()
    except (OSError, ValueError):
        return False
    return True
