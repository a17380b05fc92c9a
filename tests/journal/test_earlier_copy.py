"""Before a journal is brought up to date, a checked copy of it is laid beside it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.journal.test_migrations import restore
from tests.support import mounts
from uploader.core.errors import JournalError
from uploader.journal import FILE_NAME, Journal
from uploader.journal.earlier_copy import copy_path
from uploader.journal.schema import SCHEMA
from uploader.system.failpoints import UPGRADE

pytestmark = pytest.mark.unit


def told(path: Path) -> tuple[int, list[str]]:
    """The schema of a journal, and all that is in it."""
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return conn.execute("PRAGMA user_version").fetchone()[0], list(conn.iterdump())


def beside(state: Path) -> set[str]:
    """What lies there but for the journal's own files."""
    own = {FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", "journal.mark"}
    return {path.name for path in state.iterdir()} - own


def test_the_copy_is_what_the_journal_was(tmp_path: Path) -> None:
    """Of its schema, with its rows; copies of earlier schemas are no longer of use."""
    before = told(restore(SCHEMA - 1, tmp_path))
    copy_path(tmp_path / FILE_NAME, SCHEMA - 1).touch()

    Journal(tmp_path).close()

    copy = copy_path(tmp_path / FILE_NAME, SCHEMA)
    assert told(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert beside(tmp_path) == {copy.name}


def test_a_journal_that_is_up_to_date_is_not_copied(tmp_path: Path) -> None:
    """Neither a new one, nor one that is opened again."""
    Journal(tmp_path).close()
    Journal(tmp_path).close()

    assert beside(tmp_path) == set()


@pytest.mark.parametrize("name", UPGRADE)
def test_a_kill_at_any_moment_loses_neither(tmp_path: Path, name: str) -> None:
    """The next start ends what was begun, and the copy is still that of the journal as it was."""
    before = told(restore(SCHEMA - 1, tmp_path))
    command = [
        sys.executable,
        "-c",
        "import sys, pathlib, uploader.journal as j; j.Journal(pathlib.Path(sys.argv[1]))",
    ]
    died = subprocess.run(
        [*command, str(tmp_path)],
        env={**os.environ, "UPLOADER_FAILPOINT": name},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert died.returncode == -signal.SIGKILL

    Journal(tmp_path).close()

    copy = copy_path(tmp_path / FILE_NAME, SCHEMA)
    assert told(copy) == before
    assert told(tmp_path / FILE_NAME)[0] == SCHEMA
    assert beside(tmp_path) == {copy.name}


def test_a_copy_of_another_time_is_made_anew(tmp_path: Path) -> None:
    """Whoever went back, worked on and comes again wants the journal of today to be kept."""
    path = restore(SCHEMA - 1, tmp_path)
    copy_path(path, SCHEMA).write_bytes(path.read_bytes())
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("INSERT INTO events (time, event, state, note) VALUES (1, 'looked', '', 'later')")
    before = told(path)

    Journal(tmp_path).close()

    assert told(copy_path(path, SCHEMA)) == before


@pytest.mark.root
def test_without_room_for_the_copy_nothing_is_changed(tmp_path: Path) -> None:
    """It is said in words, and goes on once there is room."""
    if reason := mounts.missing():
        pytest.skip(reason)
    with mounts.tmpfs(tmp_path / "state", size="4m") as state:
        path = restore(SCHEMA - 1, state)
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute("UPDATE events SET note = ?", ("x" * 20_000,))
        before = told(path)
        filler = mounts.fill(state)
        os.truncate(filler, filler.stat().st_size - (200 << 10))

        with pytest.raises(JournalError, match=rf"before-v{SCHEMA}\.sqlite.*full.*Make room") as caught:
            Journal(state)

        assert "Nothing was changed" in str(caught.value)
        assert told(path) == before
        assert beside(state) == {filler.name}
        filler.unlink()
        Journal(state).close()
        assert told(copy_path(path, SCHEMA)) == before
