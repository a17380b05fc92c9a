"""Removing what somebody may still write to."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from uploader.system.removal import remove_tree

pytestmark = pytest.mark.unit


def test_who_writes_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    """He knows the path only, which is gone at once."""
    folder, stop = tmp_path / "folder", threading.Event()
    folder.mkdir()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                (folder / f"{number}").touch()
            except FileNotFoundError:
                return

    writer = threading.Thread(target=write)
    writer.start()
    assert remove_tree(folder)
    stop.set()
    writer.join()
    assert list(tmp_path.iterdir()) == []


def test_what_a_link_points_to_stays(tmp_path: Path) -> None:
    """And what is not there is removed already."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    assert remove_tree(tmp_path / "link")
    assert remove_tree(tmp_path / "never")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
