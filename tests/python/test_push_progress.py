"""How far a push is, from rows of the journal and what runs."""

from __future__ import annotations

from typing import Any

import pytest

from uploader.activity import Running
from uploader.python.push_progress import progress_of
from uploader.python.results import FileProgress, Progress

pytestmark = pytest.mark.unit


def row(name: str, state: str, size: int, file_name: str | None = None) -> dict[str, Any]:
    """A file as the journal's reader tells it."""
    return {"path": f"/d/{name}", "file_name": file_name, "state": state, "size": size}


def test_ends_count_as_done_and_what_is_gone_not_at_all():
    """Rejected files are done, too; a stored one has sent its bytes."""
    rows = [
        row("a", "completed", 10),
        row("b", "rejected", 20),
        row("c", "stored", 30),
        row("d", "queued", 40),
        row("e", "gone", 50),
    ]
    assert progress_of(rows, ()) == Progress(2, 4, 60, 100)


def test_of_a_file_that_is_being_sent_its_share_counts():
    """In bytes of the source, whatever the size of the object; more than all of it never."""
    rows = [row("a.tif", "batched", 1000, "a-1.tif"), row("b.tif", "batched", 100, "b-2.tif")]
    running = [Running("put", "a-1.tif", total=50, done=10), Running("put", "b-2.tif", total=10, done=30)]
    assert progress_of(rows, running) == Progress(
        0, 2, 300, 1100, (FileProgress("a.tif", "put", 10, 50), FileProgress("b.tif", "put", 30, 10))
    )


def test_what_nobody_waits_for_is_left_out():
    """Of a conversion the total is known, not how far it is; files of others count for nothing."""
    running = [
        Running("convert", "sub/c.tif", total=7),
        Running("dispose", "c.tif"),
        Running("put", "x", total=0),
    ]
    found = progress_of([row("sub/c.tif", "queued", 7)], running)
    assert found.running == (FileProgress("c.tif", "convert", 0, 7), FileProgress("x", "put", 0, 0))
    assert (found.bytes_done, found.bytes_total) == (0, 7)


def test_a_put_whose_end_the_rows_tell_is_not_counted_twice() -> None:
    """What runs is looked at later than the rows, and the other way round for a moment."""
    rows = [row("a.tif", "stored", 10, "a-1.tif")]
    assert progress_of(rows, [Running("put", "a-1.tif", 10, 10)]).bytes_done == 10
