"""The folder of thumbnails: bounded, whole after any kill, and never a picture of another file."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest

from uploader import thumbnails
from uploader.convert.pictures.picture import png
from uploader.thumbnails import FOLDER, Thumbnails

pytestmark = pytest.mark.unit

PICTURE = png(np.zeros((2, 2, 3), np.uint8))


def content(number: int) -> str:
    """The content hash of a file."""
    return f"{number:064x}"[::-1]


def everything(file_ids: Collection[int]) -> dict[int, str]:
    """A journal that knows each file."""
    return {file_id: content(file_id) for file_id in file_ids}


def opened(state: Path, **bounds: int) -> Thumbnails:
    """The folder after a start."""
    found = Thumbnails(state, **bounds)
    found.sweep(everything)
    return found


def names(state: Path) -> list[str]:
    """What lies there."""
    return sorted(path.name for path in (state / FOLDER).iterdir())


def test_a_picture_is_read_as_it_was_kept(tmp_path: Path) -> None:
    """By id and content; a later one of the same file takes its place."""
    kept = opened(tmp_path)
    other = png(np.ones((2, 2, 3), np.uint8))
    kept.keep(7, content(7), other)
    kept.keep(7, content(7), PICTURE)

    assert thumbnails.read(tmp_path, 7, content(7)) == PICTURE
    assert thumbnails.read(tmp_path, 8, content(8)) is None
    assert thumbnails.read(tmp_path, 7, content(8)) is None
    assert names(tmp_path) == [f"7-{content(7)[:12]}.png"]
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("bounds", [{"most_files": 3}, {"most_bytes": 3 * len(PICTURE) + 1}])
def test_the_oldest_make_room(tmp_path: Path, bounds: dict[str, int]) -> None:
    """Also of those that an earlier process left, by when they were written."""
    before = opened(tmp_path)
    for number in (5, 1, 9):
        before.keep(number, content(number), PICTURE)
        os.utime(tmp_path / FOLDER / f"{number}-{content(number)[:12]}.png", (number, number))
    kept = opened(tmp_path, **bounds)
    for number in (20, 21):
        kept.keep(number, content(number), PICTURE)

    assert {int(name.partition("-")[0]) for name in names(tmp_path)} == {9, 20, 21}


def test_a_start_with_a_lower_bound_removes_what_is_too_much(tmp_path: Path) -> None:
    """Not only what comes next makes room."""
    for number in range(5):
        opened(tmp_path).keep(number, content(number), PICTURE)

    opened(tmp_path, most_files=2)

    assert len(names(tmp_path)) == 2


def test_a_start_removes_what_no_file_refers_to(tmp_path: Path) -> None:
    """What a kill left half, files that were rejected or forgotten, and ids that mean another file by now."""
    before = opened(tmp_path)
    for number in range(1, 5):
        before.keep(number, content(number), PICTURE)
    folder = tmp_path / FOLDER
    (folder / "9-000000000000.png.begun").write_bytes(PICTURE[:10])
    (folder / "notes.txt").write_text("not ours")

    swept = Thumbnails(tmp_path).sweep(lambda _: {1: content(1), 2: content(99), 4: content(4)})

    assert names(tmp_path) == [f"1-{content(1)[:12]}.png", f"4-{content(4)[:12]}.png", "notes.txt"]
    assert swept == 3


def test_what_is_no_picture_is_not_given(tmp_path: Path) -> None:
    """Where a power cut left half of one, or somebody put a link or a folder in its place."""
    opened(tmp_path)
    folder = tmp_path / FOLDER
    (folder / f"1-{content(1)[:12]}.png").write_bytes(PICTURE[:-4])
    (folder / f"2-{content(2)[:12]}.png").symlink_to("/etc/passwd")
    (folder / f"3-{content(3)[:12]}.png").mkdir()

    assert [thumbnails.read(tmp_path, number, content(number)) for number in (1, 2, 3)] == [None] * 3
