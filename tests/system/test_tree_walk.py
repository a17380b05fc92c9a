"""Going down a tree of folders."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.chains import chain
from uploader.system.tree_walk import KEPT, WalkedFolder, walk

pytestmark = pytest.mark.unit


def enter_all(place: WalkedFolder) -> None:
    """Ask for every subfolder that is no link."""
    if place.error is None:
        with os.scandir(place.fd) as entries:
            place.below += [os.fsencode(e.name) for e in entries if e.is_dir(follow_symlinks=False)]


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def walked(root: Path, start: bytes = b"") -> Iterator[WalkedFolder]:
    """A whole walk."""
    for place in walk(os.fsencode(root), start, threading.Event()):
        yield place
        enter_all(place)


def test_every_folder_is_met_once_with_its_depth(tmp_path: Path) -> None:
    """Also below a start, and never through a link."""
    for name in ("a/b/c", "a/d", "e"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "a/link").symlink_to(tmp_path)

    found = {place.path: place.depth for place in walked(tmp_path)}

    assert found == {b"": 0, b"a": 1, b"a/b": 2, b"a/b/c": 3, b"a/d": 2, b"e": 1}
    assert sorted(place.path for place in walked(tmp_path, b"a")) == [b"a", b"a/b", b"a/b/c", b"a/d"]


def test_a_long_chain_takes_two_openings_a_folder_and_few_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three thousand folders one in another: each is opened on the way down and once more on the way up."""
    (tmp_path / "z").mkdir()
    opened = 0

    def opening(path: bytes | str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        nonlocal opened
        opened += 1
        return really_open(path, flags, mode, dir_fd=dir_fd)

    with chain(tmp_path, 3000):
        really_open = os.open
        monkeypatch.setattr(os, "open", opening)
        before, most, count = descriptors(), 0, 0
        for place in walked(tmp_path):
            assert place.error is None
            count += 1
            most = max(most, descriptors()) if count % 500 == 0 else most
        monkeypatch.undo()

        assert descriptors() == before
    assert count == 3002
    assert most <= before + KEPT + 5
    assert count <= opened <= 2 * count + 10


def test_a_folder_that_is_moved_meanwhile_does_not_lead_elsewhere(tmp_path: Path) -> None:
    """Going back up from a folder that was moved away leads to the folder above it, as the path tells it."""
    for number in range(KEPT + 5):
        (tmp_path / "drop" / "/".join("d" * (number + 1))).mkdir(parents=True)
    (tmp_path / "drop/y").mkdir()
    (tmp_path / "elsewhere/secret").mkdir(parents=True)
    found = []
    for place in walk(os.fsencode(tmp_path / "drop"), b"", threading.Event()):
        found.append(place.path)
        enter_all(place)
        if place.depth == KEPT + 5:
            (tmp_path / "drop/d").rename(tmp_path / "elsewhere/d")

    assert b"y" in found
    assert not [path for path in found if b"secret" in path]


def test_what_cannot_be_opened_is_told_and_passed(tmp_path: Path) -> None:
    """A folder that goes before it is entered is an error of its own."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    places = []
    for place in walk(os.fsencode(tmp_path), b"", threading.Event()):
        places.append(place)
        if place.path == b"":
            place.below += [b"a", b"gone", b"b"]

    assert [(p.path, p.error is not None) for p in places] == [
        (b"", False),
        (b"b", False),
        (b"gone", True),
        (b"a", False),
    ]
    (missing,) = walk(os.fsencode(tmp_path / "none"), b"", threading.Event())
    assert isinstance(missing.error, FileNotFoundError)


def test_a_walk_that_is_given_up_leaves_nothing_open(tmp_path: Path) -> None:
    """By the flag, or by whoever walks."""
    (tmp_path / "a/b").mkdir(parents=True)
    before, stop = descriptors(), threading.Event()
    for place in walk(os.fsencode(tmp_path), b"", stop):
        enter_all(place)
        stop.set()
    with suppress(StopIteration):
        next(iter(walked(tmp_path)))

    assert descriptors() == before
