"""The only place that speaks journald's native protocol: one datagram an entry, with fields that one can filter by.

    journalctl -u uploader FOLDER=/srv/drop        # or FILE=, SESSION=, ITEM=, CODE=

The protocol is described at systemd.io/JOURNAL_NATIVE_PROTOCOL.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from contextlib import suppress

from uploader.report.log_lines import fields
from uploader.report.log_stream import WaitingLines

SOCKET = "/run/systemd/journal/socket"

LONGEST = 32 << 10
"""Bytes of one field: a few of them fit into one datagram."""

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog(3) priorities by level."""


def connected(address: str = SOCKET) -> socket.socket | None:
    """A socket to journald; None where it cannot be reached."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        return None
    sock.settimeout(0)
    return sock


class JournalHandler(WaitingLines):
    """Sends records to journald as far as it takes them without blocking, and the rest when the next one comes."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.fileno())
        self._socket = sock
        self._address = sock.getpeername()

    def encoded(self, record: logging.LogRecord) -> bytes:
        """The record as an entry of the journal."""
        told = {name.upper(): text for name, text in fields(record).items()}
        return entry(self.format(record), record.levelno, told)

    def notice(self, text: str) -> bytes:
        """A word of the log itself, as an entry."""
        return entry(f"WARNING {text}", logging.WARNING, {})

    def put(self, data: bytes) -> bytes:
        """Send one entry, whole or not at all; one that is too long is given up."""
        try:
            self._socket.send(data)
        except BlockingIOError:
            raise
        except OSError as error:
            # If journald is being started anew, its socket is back in a moment.
            if error.errno != errno.EMSGSIZE:
                with suppress(OSError):
                    self._socket.connect(self._address)
                raise BlockingIOError from error
        return b""

    def close(self) -> None:
        """Give those that wait a last chance."""
        super().close()
        self._socket.close()


def entry(message: str, level: int, told: dict[str, str]) -> bytes:
    """An entry of the journal in journald's own form: lines of `NAME=text`, a text of several lines with its length."""
    all_of_it = {
        "MESSAGE": message,
        "PRIORITY": str(PRIORITIES.get(level, 6)),
        "SYSLOG_IDENTIFIER": "uploader",
        **told,
    }
    return b"".join(
        _field(name, text.encode("utf-8", "replace")[:LONGEST]) for name, text in all_of_it.items()
    )


def _field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
