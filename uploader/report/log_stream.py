"""A log that nobody reads must not stop the work: lines wait, and the oldest of too many are given up and counted.

journald that stands still, a pager that was left alone, or a terminal after Ctrl-S take no more bytes; a plain write
would then block the whole event loop.
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections import deque
from contextlib import suppress
from typing import TextIO

from uploader.core.path_text import shown

MOST_WAITING = 10_000
"""Lines that wait for a reader."""

LOST = "{} lines of the log are missing here: nobody read them in time"

LAST_PATIENCE = 1.0
"""Seconds that the end of the process waits for one."""

_PIECE = select.PIPE_BUF
"""Bytes that a pipe which is ready takes whole."""


class WaitingLines(logging.Handler):
    """Gives lines to a descriptor as far as it takes them without blocking, and the rest when the next line comes."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLOUT)
        self._waiting: deque[bytes] = deque()
        self._lost = 0

    def encoded(self, record: logging.LogRecord) -> bytes:
        """The record as it is given away."""
        raise NotImplementedError

    def notice(self, text: str) -> bytes:
        """A word of the log itself, as it is given away."""
        raise NotImplementedError

    def put(self, data: bytes) -> bytes:
        """Give a line away; returns the rest of it. Raises BlockingIOError where nothing is taken."""
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record after those that wait."""
        try:
            self._add(record)
            self._write(0.0)
        except Exception:  # noqa: BLE001 - as logging asks of each handler
            self.handleError(record)

    def flush(self) -> None:
        """Write what can be written now."""
        with suppress(OSError):
            self._write(0.0)

    def close(self) -> None:
        """Give those that wait a last chance."""
        self.acquire()
        try:
            self._write(LAST_PATIENCE)
        except OSError:
            self._waiting.clear()
        finally:
            self.release()
            super().close()

    def _add(self, record: logging.LogRecord) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._lost += 1
            return
        if self._lost:
            self._waiting.append(self.notice(LOST.format(self._lost)))
            self._lost = 0
        self._waiting.append(self.encoded(record))

    def _write(self, patience: float) -> None:
        end = time.monotonic() + patience
        while self._waiting and self._ready.poll(max(0.0, end - time.monotonic()) * 1000):
            line = self._waiting.popleft()
            try:
                rest = self.put(line)
            except BlockingIOError:  # set so by whoever shares the descriptor
                rest = line
                if time.monotonic() >= end:
                    self._waiting.appendleft(rest)
                    return
            if rest:
                self._waiting.appendleft(rest)


class PatientHandler(WaitingLines):
    """Lines of text into a stream."""

    terminator = "\n"

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream.fileno())
        self._descriptor = stream.fileno()

    def encoded(self, record: logging.LogRecord) -> bytes:
        """The record as a line, and the lines of its traceback."""
        return self._line(self.format(record))

    def notice(self, text: str) -> bytes:
        """A line of the log's own."""
        return self._line(text)

    def put(self, data: bytes) -> bytes:
        """Write as much as a pipe that is ready takes whole."""
        return data[os.write(self._descriptor, data[:_PIECE]) :]

    def _line(self, text: str) -> bytes:
        return shown(f"{text}{self.terminator}").encode()
