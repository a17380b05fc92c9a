"""Whether a drop folder is there, and ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.config import Folder
from uploader.folders.folder_holds import Cause
from uploader.folders.intake import FolderBounds, Territory
from uploader.folders.ownership import Owner, mark
from uploader.folders.presence import absent
from uploader.system.locks import FolderLock

pytestmark = pytest.mark.unit

MINE = Owner("0" * 16, "/mine")


def test_a_folder_that_comes_with_another_journals_mark_is_not_ours(tmp_path: Path) -> None:
    """As one that is mounted after the start; with our mark, or with none, it is."""
    drop = tmp_path / "drop"
    folder = Folder(path=drop, project_id="p-1")
    bounds = FolderBounds(Territory(tmp_path / "state", tmp_path / "staging", [folder]), MINE)
    lock = FolderLock(drop)

    def found() -> Cause | None:
        why = absent(str(drop), lock, bounds)
        return why[0] if why else None

    assert found() is Cause.FOLDER
    drop.mkdir()
    assert found() is None
    mark(drop, Owner("1" * 16, "/another"))
    assert found() is Cause.FOREIGN
    mark(drop, MINE)
    assert found() is None
    lock.release()


def test_a_file_in_the_place_of_a_folder_is_told_apart(tmp_path: Path) -> None:
    """It is no folder that is missing."""
    drop = tmp_path / "drop"
    assert absent(str(drop), FolderLock(drop), None) == (Cause.FOLDER, f"The drop folder {drop} is missing.")
    drop.touch()
    assert absent(str(drop), FolderLock(drop), None) == (
        Cause.FOLDER,
        f"The drop folder {drop} is no folder.",
    )
