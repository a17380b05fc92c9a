"""Progress: what is counted, and that it fits."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from uploader.activity import Activity, Running
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


def test_a_picture_tells_when_it_is_done():
    """Whoever watches wants to know whether to go for lunch."""
    screen = Console(file=io.StringIO(), width=120)
    end = datetime.now().astimezone() + timedelta(minutes=1)
    screen.print(progress._picture({"pending": 5, "completed": 9, "eta": end.isoformat()}, [], 0.0))

    assert "9 completed, done at about " in screen.file.getvalue()


@pytest.mark.anyio
async def test_the_journal_is_read_again_only_after_a_commit(monkeypatch, tmp_path: Path):
    """A picture is drawn four times a second, and a journal that says the same need not be opened for it."""
    reads = []
    monkeypatch.setattr(
        progress, "_look", lambda state_dir: reads.append(state_dir) or {"pending": len(reads)}
    )
    activity = Activity()
    looks = progress._Looks(tmp_path, activity)

    found = [await looks.status(), await looks.status()]
    activity.committed()
    found.append(await looks.status())

    assert [status["pending"] for status in found] == [1, 1, 2]
