"""Every earlier journal is brought up to date; a kill in the middle leaves the old or the new one."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from tests.journal.keep_earlier import brought_up
from tests.support.configured import a_folder
from uploader.core.errors import JournalError
from uploader.core.lifecycle import FILE_ENDS
from uploader.core.model import FileState, SessionState
from uploader.journal import FILE_NAME, Journal, Reader
from uploader.journal.receipt_rows import Selection, by_time
from uploader.journal.schema import SCHEMA
from uploader.journal.view_queries import read_view

pytestmark = pytest.mark.unit

HERE = Path(__file__).parent
EARLIER = {int(path.stem.partition("_")[2]): path for path in HERE.glob("schema_*.sql")}
"""A journal of each earlier schema, as it was written then."""


def restore(schema: int, state: Path) -> Path:
    """Lay a journal of this schema into a state directory."""
    path = state / FILE_NAME
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(EARLIER[schema].read_text())
        assert conn.execute("PRAGMA user_version").fetchone()[0] == schema
    return path


def tables(path: Path) -> set[str]:
    """Tables, indexes and views of a journal, as the statements that made them."""
    with closing(sqlite3.connect(path)) as conn:
        return {sql for (sql,) in conn.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}


def test_a_journal_of_each_earlier_schema_is_kept() -> None:
    """A new migration comes with that of the schema before it: run `python -m tests.journal.keep_earlier`."""
    assert set(EARLIER) == set(range(1, SCHEMA)), "see the example of a migration in CONTRIBUTING.md"


def test_the_last_one_is_what_the_program_makes_of_the_one_before_it() -> None:
    """But for when that was, and rows of tables that were new."""
    last = max(EARLIER)
    made, kept_lines = brought_up(last).splitlines(), EARLIER[last].read_text().splitlines()

    missing = set(made) - set(kept_lines)
    assert [line for line in missing if not line.startswith('INSERT INTO "_sqlite_migrations"')] == []


@pytest.mark.parametrize("schema", sorted(EARLIER))
def test_it_is_upgraded_and_goes_on(tmp_path: Path, schema: int) -> None:
    """Every row keeps its state, the sums are the same, and the planner sees what there is to do."""
    restore(schema, tmp_path)
    with Reader(tmp_path) as reader:
        before = (reader.files(), reader.status(), reader.items(), reader.story(b"g.tif"))

    async def go() -> None:
        journal = Journal(tmp_path)
        try:
            view = await journal.read(lambda db: read_view(db, {"/srv/drop": a_folder("p-1")}))
            assert [queued.file_id for queued in view.queued] == [2]
            assert {session.state for session in view.sessions} >= {SessionState.OPEN, SessionState.FAILING}
            assert [disposal.file_id for disposal in view.disposals] == [7]
            await journal.sessions.completing(3)
            await journal.sessions.completed(3, ["it-9"], {}, readback=False)
        finally:
            journal.close()

    anyio.run(go)
    with Reader(tmp_path) as reader:
        assert [row for row in reader.items() if row["id"]] == before[2]
        assert reader.story(b"g.tif") == before[3]
        changed = [old["id"] for old, new in zip(before[0], reader.files(), strict=True) if old != new]
        assert changed == [6]
        status = reader.status()
    assert status["completed"] == before[1]["completed"] + 1
    assert status["possibly_leaked_bytes"] == before[1]["possibly_leaked_bytes"] == 12
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        assert conn.execute("PRAGMA user_version").fetchone()[0] == SCHEMA
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_kept_journal_has_every_state() -> None:
    """Otherwise it would prove little."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.executescript(EARLIER[1].read_text())
        files = {row[0] for row in conn.execute("SELECT state FROM files")}
        sessions = {row[0] for row in conn.execute("SELECT state FROM sessions")}
    assert files == {str(state) for state in FileState} - {
        str(FileState.UNPACKED)
    }  # which came with schema 8
    assert sessions == {str(state) for state in SessionState}
    assert files > {str(state) for state in FILE_ENDS - {FileState.UNPACKED}}


def test_a_receipt_becomes_its_file_s_row_again(tmp_path: Path) -> None:
    """What schema 6 had said in the receipt alone is told as before, and the receipt of a forgotten file stays."""
    own, made = bytes(range(32)), b"o" * 32
    path = restore(6, tmp_path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(
            "UPDATE receipts SET content = NULL, source_sha256 = ?, object_sha256 = ?, facts = ?, converted_at = 7, "
            "stored_at = 8",
            (own, made, '{"width":5}'),
        )
        conn.execute("UPDATE files SET content = ? WHERE id = 8", (own.hex(),))
        conn.execute(
            "UPDATE files SET facts = '{}', object_md5 = NULL, completed_at = NULL WHERE id IN (7, 8)"
        )
        conn.execute(
            "INSERT INTO receipts SELECT 99, folder, path, state, project_id, collection_id, target_item_id, "
            "asset_key, upload_id, item_id, file_name, content, source_sha256, source_size, group_size, object_sha256, "
            "object_md5, object_crc32c, object_size, categorical, method, comparison, warnings, declared, facts, "
            "seen_at, converted_at, stored_at, completed_at, readback, disposal, archived_as, footprint, transform "
            "FROM receipts WHERE id = 8"
        )
        before = conn.execute("SELECT id, completed_at, object_md5 FROM receipts ORDER BY id").fetchall()

    Journal(tmp_path).close()

    with Reader(tmp_path) as reader:
        after = {row["id"]: row for row in by_time(reader.db, Selection())}
        assert reader.db.conn.execute("SELECT id FROM receipts").fetchall() == [(99,)]
    assert [(row["id"], row["completed_at"], row["object_md5"]) for _, row in sorted(after.items())] == before
    for row in (after[8], after[99]):
        assert (row["content"], row["source_sha256"], row["object_sha256"]) == (own.hex(), own, made)
        assert (row["facts"], row["converted_at"], row["stored_at"]) == ('{"width":5}', 7, 8)


DYING = """
import os, signal, sys
from pathlib import Path
from uploader.journal import Journal, schema

when, state = sys.argv[1], Path(sys.argv[2])
last = schema.migrations._migrations[-1]
made = last.fn

def die(db):
    if when == "within":
        made(db)
    os.kill(os.getpid(), signal.SIGKILL)

if when == "after":
    execute = schema.migrations.apply
    schema.migrations.apply = lambda db: (execute(db), os.kill(os.getpid(), signal.SIGKILL))
else:
    last.fn = die
Journal(state)
"""


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_kill_in_a_migration_leaves_the_old_or_the_new_one(tmp_path: Path, when: str) -> None:
    """Its statements and the record of them are one transaction; the next start goes on from there."""
    path = restore(SCHEMA - 1, tmp_path)
    before = tables(path)
    died = subprocess.run(
        [sys.executable, "-c", DYING, when, str(tmp_path)], env=dict(os.environ), cwd=Path.cwd(), check=False
    )
    assert died.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert (tables(path) != before) == (when == "after")

    Journal(tmp_path).close()

    with Reader(tmp_path) as reader:
        assert len(reader.files()) == 12


def test_a_newer_one_is_left_alone(tmp_path: Path) -> None:
    """It was written by a program that knows more, and is as it was."""
    path = restore(1, tmp_path)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(f"PRAGMA user_version={SCHEMA + 1}")
    before = path.read_bytes()

    with pytest.raises(JournalError, match="newer version"):
        Journal(tmp_path)

    assert path.read_bytes() == before
