"""What stands in for the daemon's surroundings: a store, nobody who watches, no threads, no waiting."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from uploader.activity import Activity, Running
from uploader.effects.context import Tools

if TYPE_CHECKING:
    from tests.sim.world import World

NOTHING = nullcontext()
UNSEEN = nullcontext(Running("", ""))
NEVER = threading.Event()


class ModelStore:
    """The object store; what is sent is what the converter made."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def put(self, url: Any, file: int, *, size: int, on_bytes: Callable[[int], None], **_: Any) -> None:
        content = self.world.disk.results[file]
        on_bytes(size)  # the next URL is signed while this one is sent
        await self.world.platform.put(url, content)


class Unwatched(Activity):
    """Nobody watches."""

    def track(self, kind: str, subject: str, total: int = 0) -> AbstractContextManager[Any]:  # type: ignore[override]
        return UNSEEN

    def sign(self, kind: str) -> None:
        return None

    def watched(self, kind: str, stop: threading.Event) -> threading.Event:
        return stop

    def sender(self, running: object) -> Callable[[int], None]:
        return _ignore


def _ignore(size: int) -> None:
    return None


class ModelTools(Tools):
    """The effects' tools, without threads and without time."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        return NOTHING

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[Callable[[Callable[[], Any]], None]]:
        yield lambda work: drive(work())

    async def in_thread(self, work: Callable[..., Any], *args: object) -> Any:
        return work(*args)


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("something waited on the real clock")
