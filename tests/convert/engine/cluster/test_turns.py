"""How much is under way on the cluster at once."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from uploader.convert.engine.cluster.turns import Turns, ahead

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def hold(turns: Turns, size: int, begun: list[int], end: anyio.Event) -> None:
    """Have a turn until the end."""

    async def measured() -> int:
        await anyio.lowlevel.checkpoint()
        return size

    async with turns.turn(measured):
        begun.append(size)
        await end.wait()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([1, 1, 1, 1], [1, 1, 1]), ([10, 10, 10, 1], [10, 10, 10]), ([25, 10, 1], [25]), ([100, 1], [100])],
)
async def test_what_has_room_begins_in_order(sizes: list[int], expected: list[int]) -> None:
    """Three conversions and thirty bytes at once; one alone is let in however large, and nobody passes another."""
    turns, begun, end = Turns(lambda: 3, bytes_each=10), [], anyio.Event()
    async with anyio.create_task_group() as group:
        for size in sizes:
            group.start_soon(hold, turns, size, begun, end)
        await anyio.wait_all_tasks_blocked()
        assert begun == expected
        end.set()
    assert sorted(begun) == sorted(sizes)
    assert (turns.running, turns.bytes) == (0, 0)


async def test_who_is_measured_last_keeps_his_place() -> None:
    """He came first, and a disk that answers in another order changes nothing about that."""
    turns, begun, end, known = Turns(lambda: 1), [], anyio.Event(), anyio.Event()

    async def slow() -> None:
        async def measured() -> int:
            await known.wait()
            return 7

        async with turns.turn(measured):
            begun.append(7)

    async with anyio.create_task_group() as group:
        group.start_soon(slow)
        group.start_soon(hold, turns, 1, begun, end)
        await anyio.wait_all_tasks_blocked()
        assert begun == []
        known.set()
        await anyio.wait_all_tasks_blocked()
        assert begun == [7, 1]
        end.set()


async def test_who_gives_up_leaves_his_place() -> None:
    """Whether he waited or had his turn."""
    turns, begun, end = Turns(lambda: 1), [], anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(hold, turns, 1, begun, end)
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0.01):
            await hold(turns, 2, begun, end)
        group.start_soon(hold, turns, 3, begun, end)
        await anyio.wait_all_tasks_blocked()
        assert begun == [1]
        end.set()
    assert begun == [1, 3]
    assert turns.running == 0


async def test_more_workers_let_in_more() -> None:
    """Without anybody having come to an end."""
    most, begun, end = [1], [], anyio.Event()
    turns = Turns(lambda: most[0])
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(hold, turns, 1, begun, end)
        await anyio.wait_all_tasks_blocked()
        most[0] = 2
        turns.changed()
        await anyio.wait_all_tasks_blocked()
        assert len(begun) == 2
        end.set()


def test_a_busy_worker_has_another_conversion_ahead() -> None:
    """As many more as are needed, and none where nobody works."""
    assert [ahead(slots) for slots in (0, 1, 8, 64)] == [0, 1, 1, 8]
