"""A daemon on a machine that has no more processes and threads to give."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.support import tasks
from tests.support.live import Live, live

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.root,
    pytest.mark.skipif(bool(tasks.missing()), reason=tasks.missing() or "-"),
]


@pytest.mark.parametrize("left", [0, 3])
def test_a_shortage_is_told_and_waited_out(tmp_path: Path, left: int) -> None:
    """Neither the zygote, nor its child, nor its threads can be had: a hold says so, and no file loses an attempt."""
    with tasks.group("e2e") as group, live(tmp_path) as d:
        assert d.process is not None
        d.drop("before.tif")
        d.idle()
        for child in psutil.Process(d.process.pid).children():
            child.kill()  # the zygote that waits for work
        group.add(d.process.pid)
        group.limit(group.tasks + left)
        d.drop_some(3)
        hold = d.held("machine")
        assert "no process" in hold["reason"] or "threads" in hold["reason"]
        assert "TasksMax" in hold["way_out"]
        group.limit(None)
        status = d.idle()
        d.w.wait(lambda: d.status()["holds"] == [], "the hold ends by itself")
        assert status["completed"] == 4
        assert all(row["attempts"] == 0 for row in _rows(d))
        assert d.wrong() == []
        d.end()


def test_a_daemon_starts_fewer_workers_where_there_is_little_room(tmp_path: Path) -> None:
    """It says how many, and by which limit, and works with those."""
    with tasks.group("few") as group:
        group.limit(110)
        with live(tmp_path, start=False, settings={"convert": {"workers": 40}}) as d:
            d.drop_some(3)
            done = d.w.until_idle(preexec_fn=group.enter)
            assert "of 40 workers, because pids.max is 110" in done.stderr
            assert d.wrong() == []


def _rows(d: Live) -> list[dict[str, object]]:
    with closing(sqlite3.connect(d.w.state / "journal.sqlite")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT attempts FROM files")]
