"""How far a push is, from its journal and from what runs: read only where something was committed since."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio

from uploader.core.errors import JournalError
from uploader.core.lifecycle import FILE_ENDS
from uploader.journal import Reader
from uploader.python.push_job import NO_FILES
from uploader.python.results import FileProgress, Progress
from uploader.system import threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from uploader.activity import Activity, Running

INTERVAL = 0.2
"""Seconds between two looks."""
SHARE = 10
"""A look at a large journal takes its time: one part in so many is spent on looks."""
STEPS = ("claim", "convert", "put")
"""Kinds of work that a person waits for."""

Rows = list[dict[str, Any]]


async def follow(
    state_dir: Path, activity: Activity, named: Callable[[str], bool], tell: Callable[[Progress], None]
) -> None:
    """Until cancelled, tell how far the files are that are named."""
    commits, took = -1, 0.0
    rows: Rows = []
    while True:
        if commits != activity.commits:
            commits, begun = activity.commits, time.monotonic()
            rows = await threads.run_sync(_rows, state_dir, named)
            took = time.monotonic() - begun
        tell(progress_of(rows, activity.snapshot()))
        await anyio.sleep(max(INTERVAL, took * SHARE))


def last(state_dir: Path, named: Callable[[str], bool]) -> Progress:
    """How far a push that has ended came."""
    return progress_of(_rows(state_dir, named), ())


def progress_of(rows: Iterable[dict[str, Any]], running: Sequence[Running]) -> Progress:
    """Count what is done of these rows of the journal, and the share of what is being sent."""
    wanted = [row for row in rows if row["state"] not in NO_FILES]
    names = {row["file_name"]: row for row in wanted if row["file_name"]}
    done = [row for row in wanted if row["state"] in FILE_ENDS]
    stored = sum(row["size"] for row in wanted if row["state"] == "stored")
    # What runs is looked at after the rows: a PUT may still be under way of which its row tells the end.
    sending = {name: row["size"] for name, row in names.items() if row["state"] == "batched"}
    sent = [(sending[one.subject], one) for one in running if one.kind == "put" and one.subject in sending]
    share = sum(int(size * min(one.done / one.total, 1)) for size, one in sent if one.total)
    return Progress(
        files_done=len(done),
        files_total=len(wanted),
        bytes_done=sum(row["size"] for row in done) + stored + share,
        bytes_total=sum(row["size"] for row in wanted),
        running=tuple(_file(one, names) for one in running if one.kind in STEPS),
    )


def _file(one: Running, names: dict[str, dict[str, Any]]) -> FileProgress:
    path = names[one.subject]["path"] if one.subject in names else one.subject
    return FileProgress(path.rpartition("/")[2], one.kind, one.done, one.total)


def _rows(state_dir: Path, named: Callable[[str], bool]) -> Rows:
    try:
        with Reader(state_dir) as reader:
            newest = {row["path"]: row for row in reader.files() if named(row["path"])}
    except JournalError:  # it is not there yet
        return []
    return list(newest.values())
