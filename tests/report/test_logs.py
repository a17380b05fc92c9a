"""Log lines: one each, for journald with priorities, and never with a secret."""

from __future__ import annotations

import io
import logging
import os
import tempfile

import pytest

from uploader.report import logs

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
    text = logs.RedactingFormatter(journald=False).format(record)
    assert len(text.splitlines()) == 1
    assert r"a\n2026 ERROR forged\x1b[31m\xff.tif" in text


def test_every_line_for_journald_has_its_priority():
    """Also those of a traceback, which would otherwise be of another importance."""
    formatter = logs.RedactingFormatter(journald=True)
    try:
        raise KeyError("x")  # noqa: TRY301 - a traceback is wanted
    except KeyError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("n", logging.ERROR, __file__, 1, "broken", (), info)
    lines = formatter.format(record).splitlines()
    assert lines[0] == "<3>ERROR broken"
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


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
