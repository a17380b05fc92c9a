"""The only place that decides how log lines look and where they go: standard error, one line each.

Under systemd each line begins with the priority that journald reads, elsewhere with the time. Whatever is
written, tracebacks included, has passed through `redact` first.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

from uploader.core.secrets import redact
from uploader.report.log_stream import PatientHandler
from uploader.report.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog(3) priorities by level."""

NOISY = ("httpx", "httpcore", "rasterio", "asyncio", "uvicorn")
"""Libraries that are heard from warnings on: some of them write whole URLs below that."""


class RedactingFormatter(logging.Formatter):
    """`LEVEL message`, with the secrets taken out of the finished text and control characters escaped.

    It works on the finished text, so that arguments, exceptions and stacks are covered alike.
    """

    def __init__(self, *, journald: bool) -> None:
        super().__init__("%(levelname)s %(message)s" if journald else "%(asctime)s %(levelname)s %(message)s")
        self.default_msec_format = "%s.%03d"
        self._journald = journald

    def format(self, record: logging.LogRecord) -> str:
        """Render the record as one line, and the lines of its traceback."""
        text = redact(super().format(record))
        if not self._journald:
            return text
        prefix = f"<{PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in text.splitlines())

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """Keep one message on one line, whatever a file is called."""
        return printable(super().formatMessage(record))


def under_journald(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `stream` is the one that systemd connected to its journal (systemd.exec(5), $JOURNAL_STREAM)."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def _has_descriptor(stream: TextIO) -> bool:
    try:
        stream.fileno()
    except (OSError, ValueError):
        return False
    return True


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send the program's log to `stream`, standard error by default. May be called again."""
    stream = stream or sys.stderr
    handler = PatientHandler(stream) if _has_descriptor(stream) else logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(journald=under_journald(stream)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
