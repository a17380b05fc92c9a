"""Log lines: one each, for journald with priorities, and never with a secret."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import struct
import tempfile
import time
from contextlib import suppress

import pytest

from uploader.core.log_subject import About
from uploader.report import journald, log_lines, log_stream, logs
from uploader.report.terminal_text import moment

pytestmark = pytest.mark.unit

SECRETS = ("gpra_abcdefgh", "X-Goog-Signature=abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.c2ln")


@pytest.fixture
def clean_root():
    """Give the root logger back as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = before, level
    logging.captureWarnings(capture=False)


@pytest.fixture
def stream(clean_root):
    """A set-up log that is written to a buffer."""
    buffer = io.StringIO()
    logs.set_up(logging.DEBUG, buffer)
    return buffer


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_passes_in_any_part_of_a_record(stream, secret):
    """Message, arguments, exception and its cause are cleaned alike."""
    log = logging.getLogger("uploader.test")
    hidden = secret.partition("=")[2] or secret
    log.warning("token %s and url=https://store/x?%s", secret, secret)
    try:
        try:
            raise ValueError(f"cause https://h/p?{secret}")  # noqa: TRY301 - a cause is wanted
        except ValueError as error:
            raise RuntimeError(f"Bearer {secret}") from error
    except RuntimeError:
        log.exception("failed with https://h/p?%s", secret)
    assert hidden not in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_a_name_cannot_forge_a_line():
    """A newline or an escape sequence in a file name is shown as what it is."""
    name = "a\n2026 ERROR forged\x1b[31m\udcff.tif"
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "claimed path=%s", (name,), None)
    text = log_lines.TextLines().format(record)
    assert len(text.splitlines()) == 1
    assert r"a\n2026 ERROR forged\x1b[31m\xff.tif" in text


def test_times_are_local_with_their_offset(monkeypatch):
    """Whoever reads a line a year later, or on another continent, knows when that was."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        record = logging.LogRecord("n", logging.INFO, __file__, 1, "x", (), None)
        record.created = 0.125
        assert log_lines.TextLines().format(record) == "1970-01-01 05:30:00.125+05:30 INFO x"
        assert moment("2026-01-31T23:59:58.123+00:00") == ("2026-02-01", "05:29:58+05:30")
        assert json.loads(log_lines.JsonLines().format(record))["time"] == "1970-01-01T05:30:00.125+05:30"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_json_has_what_a_line_is_about(stream):
    """One object a line, also with a traceback and an odd name in it, and no secret in any part."""
    logs.choose("json")
    log = logging.getLogger("uploader.test")
    about = About("/srv/drop", b"a\n\xff b.tif", session=7, item="i-1", code="stale")
    try:
        raise ValueError("https://h/p?X-Goog-Signature=abcdef")  # noqa: TRY301 - a traceback is wanted
    except ValueError:
        log.exception("failed %s token gpra_abcdefgh", about)
    log.info("plain")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("exception").startswith("Traceback")
    assert first.pop("time")
    assert first == {
        "level": "error",
        "logger": "uploader.test",
        "message": r"failed folder=/srv/drop file='a\n\\xff b.tif' session=7 item=i-1 code=stale token gpra_***",
        "folder": "/srv/drop",
        "file": r"a\n\xff b.tif",
        "session": "7",
        "item": "i-1",
        "code": "stale",
    }
    assert second["message"] == "plain"
    assert "abcdef" not in stream.getvalue()


@pytest.fixture
def journal(tmp_path):
    """A socket in journald's place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "socket"))
        sock.settimeout(2)
        yield sock


def _all(journal, handler):
    """All that comes out of a journal that does not block."""
    said = []
    with suppress(BlockingIOError):
        while True:
            said.append(journal.recv(1 << 20).decode())
            handler.flush()
    return said


def test_journald_is_told_fields(journal, tmp_path, clean_root):
    """An entry has its priority and what it is about; a text of several lines goes with its length."""
    handler = journald.JournalHandler(journald.connected(str(tmp_path / "socket")))
    handler.setFormatter(log_lines.TextLines(timed=False))
    log = logging.Logger("of this test")  # noqa: LOG001 - of this test alone
    log.addHandler(handler)
    log.warning("claimed %s", About("/srv/drop", b"a.tif", session=3))
    assert journal.recv(10_000).decode().splitlines() == [
        "MESSAGE=WARNING claimed folder=/srv/drop file='a.tif' session=3",
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=uploader",
        "FOLDER=/srv/drop",
        "FILE=a.tif",
        "SESSION=3",
    ]
    try:
        raise KeyError("x")  # noqa: TRY301 - a traceback is wanted
    except KeyError:
        log.exception("broken gpra_abcdefgh")
    said = journal.recv(100_000)
    (length,) = struct.unpack("<Q", said[8:16])
    text = said[16 : 16 + length].decode()
    assert text.startswith("ERROR broken gpra_***\nTraceback")
    assert said[16 + length :] == b"\nPRIORITY=3\nSYSLOG_IDENTIFIER=uploader\n"
    handler.close()


def test_journald_that_stands_still_stops_nobody(journal, tmp_path, clean_root, monkeypatch):
    """Entries wait, so many at most; what is given up is counted, and all others come, also the longest."""
    monkeypatch.setattr(log_stream, "MOST_WAITING", 20)
    handler = journald.JournalHandler(journald.connected(str(tmp_path / "socket")))
    log = logging.Logger("of this test")  # noqa: LOG001 - of this test alone
    log.addHandler(handler)
    started = time.monotonic()
    for number in range(2000):
        log.warning("line %d %s", number, "x" * 200_000)
    assert time.monotonic() - started < 10
    journal.setblocking(False)
    said = _all(journal, handler)
    log.warning("the last")
    said += _all(journal, handler)
    assert len(said) < 1000
    assert said[0].startswith("MESSAGE=line 0 xxx")
    assert said[-2].startswith("MESSAGE=WARNING ")
    assert "lines of the log are missing here" in said[-2]
    assert said[-1].startswith("MESSAGE=the last")
    handler.close()


def test_journald_is_recognized_by_the_stream_itself(clean_root):
    """The variable is inherited by children whose stream goes elsewhere: only device and inode count."""
    with tempfile.TemporaryFile("w") as file:
        found = os.fstat(file.fileno())
        right = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert logs.under_journald(file, right)
        assert not logs.under_journald(file, {"JOURNAL_STREAM": "1:2"})
        assert not logs.under_journald(file, {})
    assert not logs.under_journald(io.StringIO(), right)


def test_libraries_that_log_urls_are_kept_quiet(stream):
    """Even when everything else is told."""
    logging.getLogger("httpx").info("HTTP Request: PUT https://store/object")
    assert not stream.getvalue()
