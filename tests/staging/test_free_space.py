"""How much room staging has."""

from __future__ import annotations

import threading

import pytest

from uploader.staging import FreeSpace
from uploader.staging.free_space import FRESH_FOR, LITTLE

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Disk:
    """A disk that is asked, and a clock."""

    def __init__(self) -> None:
        self.left, self.asked, self.now = 1 << 30, 0, 0.0
        self.answers = threading.Event()
        self.answers.set()

    def free(self) -> int:
        """Say what is left, once it answers."""
        self.asked += 1
        self.answers.wait()
        if self.left < 0:
            raise OSError(5, "i/o")
        return self.left


async def test_an_answer_holds_for_a_moment_without_what_was_written_since() -> None:
    """Little is taken off; after much, or after the moment, the disk is asked again."""
    disk = Disk()
    room = FreeSpace(disk.free, lambda: disk.now)
    assert await room.free() == (1 << 30, "")
    room.written(1000)
    assert await room.free() == room.known() == ((1 << 30) - 1000, "")
    assert disk.asked == 1

    disk.now += FRESH_FOR
    assert room.known() is None
    disk.left -= 400
    assert await room.free() == (disk.left, "")
    room.written(LITTLE + 1)
    assert await room.free() == (disk.left, "")
    assert await room.free() == (disk.left, "")
    assert disk.asked == 3


async def test_a_disk_that_fails_is_told_and_asked_again_at_once() -> None:
    """What it said before does not count any more once it is asked."""
    disk = Disk()
    room = FreeSpace(disk.free, lambda: disk.now)
    await room.free()
    disk.now += FRESH_FOR
    disk.left = -1
    assert await room.free() == (
        0,
        "The staging folder cannot be used: the disk reports an input/output error.",
    )
    disk.left = 7
    assert await room.free() == (7, "")


async def test_a_disk_that_does_not_answer_keeps_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told each time, and not asked again before it has answered."""
    monkeypatch.setattr("uploader.staging.free_space.PATIENCE", 0.05)
    disk = Disk()
    disk.answers.clear()
    room = FreeSpace(disk.free, lambda: disk.now)
    for _ in range(3):
        assert await room.free() == (0, "The staging folder does not answer.")
    assert disk.asked == 1
    disk.answers.set()
