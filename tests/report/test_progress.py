"""Progress: what is counted, and that it fits."""

from __future__ import annotations

import io
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from uploader import activity as activity_module
from uploader.activity import Activity, Running
from uploader.report import progress
from uploader.report.status import fraction

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


def pictured(status: dict, running: list[Running], rate: float = 0.0) -> str:
    """What stands beside the bars at the moment 1000."""
    screen = Console(file=io.StringIO(), width=120, markup=False)
    screen.print(progress._picture(status, running, rate, 1000.0))
    return screen.file.getvalue()


def test_a_picture_tells_bytes_rate_and_time_left_of_all_and_each():
    """What is counted is told as it is, and what is estimated by those before it as about."""
    status = {
        "pending": 2,
        "completed": 1,
        "bytes": {"uploaded": 4 << 20, "pending": 6 << 20},
        "eta": datetime.fromtimestamp(1090).astimezone().isoformat(),
    }
    put = Running("put", "a.tif", 4 << 20, 1 << 20, since=990.0)
    known = Running("convert", "b.tif", 100, since=994.0, expected=10.0)
    unknown = Running("convert", "c.tif", 100, since=994.0)
    slow = Running("convert", "d.tif", 100, since=900.0, expected=10.0)
    lines = [
        line.split(maxsplit=1)[1]
        for line in pictured(status, [put, known, unknown, slow], 1 << 20).splitlines()
    ]
    told = [line.lstrip("━╸╺ ") for line in lines]

    assert told[1].strip() == "5 MiB of 10 MiB, 1 MiB/s, 1 min 30 s left"
    assert told[2].strip() == "25 %, 30 s left, 102 KiB/s, a.tif"
    assert told[3].strip() == "about 60 %, 4 s left, b.tif"
    assert told[4].strip() == "c.tif"
    assert told[5].strip().startswith("about 95 %")


def test_bars_of_conversions_move(monkeypatch):
    """Between two pictures, though nothing is counted: a raster of twice the size takes twice as long."""
    moments = iter((100.0, 110.0, 120.0, 130.0))
    monkeypatch.setattr(
        activity_module, "time", SimpleNamespace(monotonic=lambda: next(moments), time=lambda: 1000.0)
    )
    activity = Activity()
    with activity.track("convert", "a", 1000) as first:
        pass
    with activity.track("convert", "b", 2000):
        (running,) = activity.snapshot()
    parts = [fraction(asdict(running), 1000.0 + seconds) for seconds in (0, 5, 15, 60)]

    assert (first.expected, running.expected) == (0.0, 20.0)
    assert parts == [0.0, 0.25, 0.75, 0.95]


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
