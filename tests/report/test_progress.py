"""Progress: what is counted, and that it fits."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from uploader.activity import Running
from uploader.report import progress

pytestmark = pytest.mark.unit


def test_what_ended_before_is_not_counted():
    """A push of one file to where nine went before says "1 pending, 0 completed"."""
    hold = {"scope": "target", "reason": "old", "until": "earlier"}
    before = {"pending": 0, "completed": 9, "rejected": 1, "holds": [hold]}
    now = {"pending": 1, "completed": 10, "rejected": 1, "holds": [hold, {**hold, "until": "later"}]}
    assert progress._since(before, now) == {
        "pending": 1,
        "completed": 1,
        "rejected": 0,
        "holds": [{**hold, "until": "later"}],
    }
    assert progress._since({}, {}) == {"holds": []}


def test_a_picture_fits_into_80_columns_line_by_line():
    """A folded line would leave remains on the terminal when the picture is taken away."""
    screen = Console(file=io.StringIO(), width=80, markup=False)
    status = {"pending": 5, "completed": 9, "rejected": 1, "holds": [{"reason": "The platform " + "x" * 99}]}
    running = [Running("put", "long" * 40 + ".tif", 100, 50), Running("convert", "b.tif")]
    screen.print(progress._picture(status, running, 123456.0))
    assert len(screen.file.getvalue().splitlines()) == 3
