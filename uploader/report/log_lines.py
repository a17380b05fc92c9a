"""The only place that decides how a line of the log reads, as text and as JSON.

Whatever is written, tracebacks included, has passed through `redact` first.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Literal

from uploader.core.log_subject import fields_of
from uploader.core.secrets import redact
from uploader.report.terminal_text import printable

Format = Literal["text", "json"]


class TextLines(logging.Formatter):
    """`TIME LEVEL message`, with the secrets taken out of the finished text and control characters escaped.

    It works on the finished text, so that arguments, exceptions and stacks are covered alike. Without `timed` the
    time is left to whoever keeps the lines.
    """

    def __init__(self, *, timed: bool = True) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s" if timed else "%(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Render the record as one line, and the lines of its traceback."""
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """Keep one message on one line, whatever a file is called."""
        return printable(super().formatMessage(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - likewise
        """Local time with its offset: "2026-01-31 23:59:58.123+01:00"."""
        return _local(record, " ")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what it is about, and a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Render the record; ASCII only, so that odd file names survive any pipe."""
        told = {
            "time": _local(record, "T"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(printable(record.getMessage())),
            **fields(record),
        }
        if record.exc_info:
            told["exception"] = redact(self.formatException(record.exc_info))
        if record.stack_info:
            told["stack"] = redact(self.formatStack(record.stack_info))
        return json.dumps(told)


def fields(record: logging.LogRecord) -> dict[str, str]:
    """What a record is about, by name, fit to be shown."""
    return {name: redact(printable(text)) for name, text in fields_of(record.args).items()}


def _local(record: logging.LogRecord, between: str) -> str:
    moment = datetime.fromtimestamp(record.created).astimezone()
    return moment.isoformat(between, timespec="milliseconds")
