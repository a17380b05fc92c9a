"""A raster with which workers of a cluster are lost: its attempts are counted in the journal, over restarts."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.configured import a_folder, settings_with
from tests.support.tools import few
from uploader.activity import Activity
from uploader.core.errors import ConversionFailed, LocalError, WorkerGone
from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.core.staging_refusals import StagingRefusals
from uploader.core.upload_advice import Asker
from uploader.effects.conversion import convert
from uploader.journal import Journal
from uploader.journal.queries import file_row
from uploader.staging import Staging

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

MOST = 4


class Daemon:
    """One process of it: its journal is opened anew, and its converter always fails in this way."""

    def __init__(self, root: Path, error: LocalError) -> None:
        self._root, self._error = root, error

    async def try_once(self, file_id: int) -> Any:
        """Convert, and end; gives the row that is left."""
        journal = Journal(self._root)
        tools = few(
            journal=journal,
            staging=Staging(self._root / "staging"),
            activity=Activity(),
            settings=settings_with(limits={"max_attempts": MOST}),
            destinations={"/drop": a_folder("p-1")},
            converter=self,
            staging_refusals=StagingRefusals(),
            machine_held=False,
            asker=Asker.FOLDER,
            stop=threading.Event(),
            random=random.Random(1),
        )
        await convert(tools, file_id)
        row = await journal.read(lambda db: file_row(db, file_id))
        journal.close()
        return row

    async def convert(self, *_: object) -> None:
        """It fails."""
        raise self._error


async def claimed(root: Path) -> int:
    """A file that waits for its conversion."""
    journal, look = Journal(root), Sighting("/drop", b"a.tif", Fingerprint(1, 2, 3, 4, 5))
    (number,) = await journal.files.discovered([look])
    staging = Staging(root / "staging")
    copy = staging.source(number, b"a.tif")
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"abc")
    content = staging.content(number, look, threading.Event())
    assert content
    await journal.files.claimed(number, look, content, 3)
    journal.close()
    return number


async def test_workers_that_are_lost_count_over_restarts(tmp_path: Path) -> None:
    """After as many as the file may cost it is rejected, though no process lost more than one."""
    number = await claimed(tmp_path)
    gone = Daemon(tmp_path, WorkerGone("A worker was lost while it converted it: gone"))
    rows = [await gone.try_once(number) for _ in range(MOST)]

    assert [row.attempts for row in rows[:-1]] == [1, 2, 3]
    assert {row.state for row in rows[:-1]} == {FileState.QUEUED}
    assert rows[-1].state is FileState.REJECTED


async def test_a_lost_worker_is_no_crash_of_a_child(tmp_path: Path) -> None:
    """A child may still die once after workers were lost, and the second such death rejects."""
    number = await claimed(tmp_path)
    await Daemon(tmp_path, WorkerGone("gone")).try_once(number)
    crash = Daemon(tmp_path, ConversionFailed("It crashed."))

    assert (await crash.try_once(number)).state is FileState.QUEUED
    assert (await crash.try_once(number)).state is FileState.REJECTED
