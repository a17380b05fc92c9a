"""Tests of why a file is left: each by the first rule that leaves it, and none without one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from uploader.config import Folder
from uploader.folders import FolderSpec
from uploader.lookahead.left_files import left_files

pytestmark = pytest.mark.unit

FILES = {
    "a.tif": "",
    "a.tfw": "",
    "a.tif.aux.xml": "",
    "b.tfw": "alone",
    "c.TIFF": "",
    "note.txt": "no_pattern",
    "order.tar.gz": "archive",
    "old/x_old.tif": "excluded",
    "part.tif.part": "ignored",
    ".hidden.tif": "ignored",
    "way.las": "",
}
"""By path: why it is left; empty: it is not."""


def left(folder: Path, **keys: object) -> dict[str, str]:
    """By path: the code of each file that is left."""
    section = Folder(path=folder, project_id="p-1", **keys)  # type: ignore[arg-type]
    return {one.path.decode(): one.code for one in left_files(FolderSpec(section), threading.Event())}


def fill(folder: Path, names: list[str]) -> None:
    """Lay empty files there."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_each_file_that_is_left_is_told_with_its_reason(tmp_path: Path) -> None:
    """Sidecars travel with their rasters, and are not left."""
    fill(tmp_path, list(FILES))
    (tmp_path / "way.tif").symlink_to("a.tif")
    (tmp_path / ".cache").mkdir()

    assert left(tmp_path, exclude=("*_old.tif",), passthrough=("*.las",)) == {
        **{name: code for name, code in FILES.items() if code},
        "way.tif": "odd",
        ".cache": "ignored",
    }


def test_a_folder_that_is_not_entered_is_told_as_one(tmp_path: Path) -> None:
    """With all below it."""
    fill(tmp_path, ["deep/er/a.tif"])

    assert left(tmp_path, recursive=False) == {"deep": "ignored"}


def test_with_scenes_rules_decide_and_not_patterns(tmp_path: Path) -> None:
    """What fits none is told, what a rule leaves out is told apart."""
    names = ["s_b1.jp2", "s_b1.tfw", "preview.tif", "other.tif", "s_b2.jp2"]
    fill(tmp_path, names)
    rules = [
        {"pattern": "preview.*", "skip": True},
        {"pattern": r"(?P<scene>[a-z]+)_(?P<asset>b\d)\.jp2"},
    ]

    assert left(tmp_path, scenes=[{"rules": rules}], exclude=("*b2*",)) == {
        "preview.tif": "rule",
        "other.tif": "no_rule",
        "s_b2.jp2": "excluded",
    }
