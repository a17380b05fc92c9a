"""Reads that may hang, asked by those who must not."""

from __future__ import annotations

import anyio
import pytest

from uploader.system.bounded_read import BoundedRead

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def test_a_late_answer_is_for_whoever_asks_next() -> None:
    """One question is under way at a time, however often it is asked."""
    go, asked = anyio.Event(), 0

    async def slow() -> int:
        nonlocal asked
        asked += 1
        await go.wait()
        return asked

    async with anyio.create_task_group() as group:
        read = BoundedRead(slow, group)
        assert [await read.ask(0.01) for _ in range(3)] == [None, None, None]
        go.set()
        assert await read.ask(1) == 1
        assert await read.ask(1) == 2


async def test_what_the_read_raises_is_raised_where_it_is_asked_for() -> None:
    """And not in the group, which would end with it; the next question is a new one."""
    answers = iter([ValueError("bad"), 7])

    async def fails() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with anyio.create_task_group() as group:
        read = BoundedRead(fails, group)
        with pytest.raises(ValueError, match="bad"):
            await read.ask(1)
        assert await read.ask(1) == 7


async def test_several_may_wait_for_one_answer() -> None:
    """Each of them gets it."""
    got: list[int | None] = []

    async def slow() -> int:
        await anyio.sleep(0.05)
        return 5

    async with anyio.create_task_group() as group:
        read = BoundedRead(slow, group)

        async def ask() -> None:
            got.append(await read.ask(2))

        for _ in range(3):
            group.start_soon(ask)
    assert got == [5, 5, 5]


async def test_what_needs_no_waiting_is_not_read_but_never_passes_a_read_that_is_under_way() -> None:
    """Else its late answer would come after newer ones, as if it were the newest."""
    go, known = anyio.Event(), [1, None, 3]

    async def slow() -> int:
        await go.wait()
        return 2

    async with anyio.create_task_group() as group:
        read = BoundedRead(slow, group, lambda: known.pop(0))
        assert [await read.ask(1), await read.ask(0.01), await read.ask(0.01)] == [1, None, None]
        go.set()
        assert [await read.ask(1), await read.ask(1)] == [2, 3]
