"""What the tests of the commands share."""

from __future__ import annotations

import logging

import pytest

from uploader.cli.common import OUTCOMES


@pytest.fixture(autouse=True)
def logs_as_they_were():
    """Undo what a command that runs within this process does to the log: others want to hear it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    for room in OUTCOMES:
        logging.getLogger(room).setLevel(logging.NOTSET)
