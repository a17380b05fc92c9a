"""Tests of what archives that are unpacked at once may write: together no more than there is room for."""

from __future__ import annotations

import anyio
import pytest

from uploader.core.errors import NoSpace
from uploader.effects.unpacking_room import UnpackingRoom

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def a_hundred() -> int:
    """The room that staging has."""
    return 100


async def test_what_one_was_promised_no_other_gets() -> None:
    """What fits beside it goes on at once; what does not waits for its end."""
    room, began = UnpackingRoom(), list[int]()
    first, second = anyio.Event(), anyio.Event()

    async def unpack(archive_id: int, need: int, end: anyio.Event) -> None:
        async with room.promised(archive_id, need, a_hundred) as most:
            began.append(archive_id)
            assert most == {1: 100, 2: 40, 3: 70}[archive_id]
            await end.wait()

    async with anyio.create_task_group() as group:
        group.start_soon(unpack, 1, 60, first)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(unpack, 2, 30, second)
        group.start_soon(unpack, 3, 70, second)
        await anyio.wait_all_tasks_blocked()
        assert began == [1, 2]
        first.set()
        await anyio.wait_all_tasks_blocked()
        assert began == [1, 2, 3]
        second.set()


async def test_what_does_not_fit_alone_is_told() -> None:
    """In words; nobody waits for it, and what it asked for is free again."""
    room = UnpackingRoom()
    with pytest.raises(NoSpace, match=r"holds 101 bytes that are wanted, and staging has room for 100\."):
        async with room.promised(1, 101, a_hundred):
            pass
    async with room.promised(1, 100, a_hundred) as most:
        assert most == 100
