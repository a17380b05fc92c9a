"""A conversion that is to be alone in its worker is, and waits for nobody who came after it."""

from __future__ import annotations

import anyio
import pytest

from uploader.convert.engine.cluster.room import Room

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Conversions:
    """Some that end when they are told to."""

    def __init__(self) -> None:
        self.room, self.inside, self._ends = Room(), list[str](), dict[str, anyio.Event]()

    async def run(self, name: str, *, alone: bool = False) -> None:
        """One of them."""
        self._ends[name] = anyio.Event()
        async with self.room.taken(alone=alone):
            self.inside.append(name)
            await self._ends[name].wait()
            self.inside.remove(name)

    async def end(self, name: str) -> None:
        """Let it end."""
        self._ends[name].set()
        await anyio.wait_all_tasks_blocked()


async def test_one_is_alone_and_those_behind_it_wait() -> None:
    """First those that were there end, then it runs, then the others do."""
    made = Conversions()
    async with anyio.create_task_group() as group:
        for name, alone in (("a", False), ("b", False), ("alone", True), ("c", False), ("d", False)):
            group.start_soon(lambda name=name, alone=alone: made.run(name, alone=alone))
            await anyio.wait_all_tasks_blocked()
        assert made.inside == ["a", "b"]
        await made.end("a")
        assert made.inside == ["b"]
        await made.end("b")
        assert made.inside == ["alone"]
        await made.end("alone")
        assert made.inside == ["c", "d"]
        await made.end("c")
        await made.end("d")


async def test_one_that_is_given_up_keeps_nobody_out() -> None:
    """Whether it waits for its place or has it."""
    made = Conversions()
    async with anyio.create_task_group() as group:
        group.start_soon(made.run, "a")
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0):
            await made.run("given up", alone=True)
        group.start_soon(made.run, "b")
        await anyio.wait_all_tasks_blocked()
        assert made.inside == ["a", "b"]
        await made.end("a")
        await made.end("b")
