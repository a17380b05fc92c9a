"""A journal whose damage SQLite has no words for."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.core.errors import JournalError
from uploader.journal import Reader
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
