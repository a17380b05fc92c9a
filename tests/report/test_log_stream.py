"""A log whose reader stands still."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from uploader.report import log_stream
from uploader.report.log_stream import PatientHandler

pytestmark = pytest.mark.unit

SMALL = 4096
"""Bytes that the pipe holds."""


@pytest.fixture
def pipe() -> Iterator[tuple[logging.Logger, int]]:
    """A logger, and the end at which its lines come out."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, SMALL)
    stream = os.fdopen(into, "w")
    log = logging.Logger("patient")  # noqa: LOG001 - of this test alone
    log.addHandler(PatientHandler(stream))
    yield log, out
    os.close(out)
    log.handlers[0].close()
    stream.close()


def _all(log: logging.Logger, out: int) -> bytes:
    """All that comes out of the pipe from now on."""
    os.set_blocking(out, False)
    said = b""
    with suppress(BlockingIOError):
        while True:
            said += os.read(out, 1 << 20)
            log.handlers[0].flush()
    return said


def test_lines_wait_for_their_reader(pipe: tuple[logging.Logger, int]) -> None:
    """Nobody reads while there is much to say; once somebody does, each line comes, whole and in order."""
    log, out = pipe
    started = time.monotonic()
    for number in range(400):
        log.warning("line %03d %s", number, "x" * 90)
    assert time.monotonic() - started < 30

    said = _all(log, out)
    lines = said.decode().splitlines()
    assert [line[:8] for line in lines[:400]] == [f"line {number:03d}" for number in range(400)]


def test_too_many_are_given_up_and_counted(pipe: tuple[logging.Logger, int], monkeypatch) -> None:
    """Memory has an end too; what is missing is told."""
    monkeypatch.setattr(log_stream, "MOST_WAITING", 10)
    log, out = pipe
    for number in range(100):
        log.warning("%03d %s", number, "x" * 1000)
    said = _all(log, out)
    log.warning("the next")
    said += _all(log, out)
    assert b"lines of the log are missing here" in said


def test_the_end_does_not_wait_for_ever(pipe: tuple[logging.Logger, int], monkeypatch) -> None:
    """A process that ends gives its last lines a moment."""
    monkeypatch.setattr(log_stream, "LAST_PATIENCE", 0.3)
    log, _ = pipe
    for _ in range(100):
        log.warning("x" * 1000)
    started = time.monotonic()
    log.handlers[0].close()
    assert time.monotonic() - started < 30


def test_a_full_disk_is_no_matter(capsys: pytest.CaptureFixture[str]) -> None:
    """The log may go where nothing can be written."""
    with open("/dev/full", "w") as stream:  # noqa: PTH123 - a device
        log = logging.Logger("full")  # noqa: LOG001 - of this test alone
        log.addHandler(PatientHandler(stream))
        log.warning("lost")
        log.handlers[0].close()
    assert "No space left" in capsys.readouterr().err
