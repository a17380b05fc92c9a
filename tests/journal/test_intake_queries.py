"""What intake reads from the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.test_settle_queue import numbered
from uploader.journal import Journal
from uploader.journal.intake_queries import waiting

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.mark.parametrize(
    ("newest_first", "pages"), [(False, [[1, 2], [3, 4], [5]]), (True, [[5, 4], [3, 2], [1]])]
)
async def test_settling_files_are_read_page_by_page(
    newest_first: bool, pages: list[list[int]], tmp_path: Path
) -> None:
    """Upwards or downwards, each once."""
    journal = Journal(tmp_path)
    try:
        await journal.files.discovered([replace(numbered(n), folder="/d") for n in range(1, 6)])
        found, after = list[list[int]](), 0
        while rows := await journal.read(
            lambda db, after=after: waiting(db, "/d", after, 2, newest_first=newest_first)
        ):
            found.append([file_id for file_id, _ in rows])
            after = found[-1][-1]
    finally:
        journal.close()

    assert found == pages
