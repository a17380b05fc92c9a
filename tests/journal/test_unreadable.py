"""A journal whose damage SQLite has no words for, and one that only a writer can read."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.groups import as_nobody, public_folder
from uploader.core.errors import JournalError
from uploader.journal import Reader
from uploader.journal.connection import connected
from uploader.journal.opening import FILE_NAME, connect, examine
from uploader.journal.recovery import salvage

pytestmark = pytest.mark.unit


def test_a_schema_that_is_no_text_is_damage(tmp_path: Path) -> None:
    """SQLite quotes the damaged bytes in its complaint, which then is no text either."""
    connect(tmp_path / FILE_NAME).close()
    data = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(data.replace(b"tablefilesfiles", b"table\xa0ilesfiles", 1))

    for look in (connect, examine):
        with pytest.raises(
            JournalError, match="is damaged: malformed database schema, in words that are no text"
        ):
            look(tmp_path / FILE_NAME)
    with pytest.raises(JournalError, match="damaged"):
        Reader(tmp_path)
    assert "in words that are no text" in salvage.finding(tmp_path)
    (tmp_path / salvage.WORK).mkdir()
    assert salvage.lost_sessions(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("name", [FILE_NAME, f"{FILE_NAME}-wal"])
def test_a_journal_that_another_user_put_back_is_refused_at_once(name: str) -> None:
    """SQLite would open it for reading, and whoever commits would wait for ever."""

    def refused() -> None:
        with pytest.raises(JournalError, match=f"{name} is read-only") as told:
            connect(state / FILE_NAME)
        assert "chown" in told.value.way_out

    with (
        public_folder() as state,
        closing(connect(state / FILE_NAME)),
    ):  # while it is open, it has a write-ahead log
        for file in state.iterdir():
            file.chmod(0o644 if file.name == name else 0o666)
        assert as_nobody(refused)


def test_a_change_that_was_cut_off_before_there_was_a_log_is_taken_back_at_the_start(tmp_path: Path) -> None:
    """The power may fail while a new journal gets its write-ahead log; who only reads says who helps."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    connect(whole / FILE_NAME).close()
    with closing(connected(whole / FILE_NAME)) as conn:
        conn.execute("PRAGMA journal_mode=DELETE")
        conn.execute("PRAGMA cache_size=1")
        conn.execute("BEGIN")
        conn.execute("CREATE TABLE half AS SELECT * FROM sqlite_master, sqlite_master AS other")
        for name in (FILE_NAME, f"{FILE_NAME}-journal"):
            shutil.copyfile(whole / name, cut / name)

    for look in (examine, lambda path: Reader(path.parent)):
        with pytest.raises(JournalError, match="was cut off") as told:
            look(cut / FILE_NAME)
        assert "when it starts" in told.value.way_out
    with closing(connect(cut / FILE_NAME)) as db:
        assert "half" not in db.table_names()
    assert not (cut / f"{FILE_NAME}-journal").exists()
