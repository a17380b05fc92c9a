"""URLs that are signed while another file is sent: each is used once, no call is made twice, and none waits long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from uploader.core.errors import NoAnswer
from uploader.core.model import FileState
from uploader.core.platform_traits import Traits
from uploader.effects import signing
from uploader.effects.signing import SigningAhead

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Member:
    """What is asked of a file."""

    def __init__(self, number: int) -> None:
        self.id, self.file_name, self.state, self.tries = number, f"{number}.tif", FileState.BATCHED, 0


class Url(str):  # noqa: SLOT000 - it has an attribute of its own
    """A signed URL, which says how long it lives."""

    life: int | None = None


class Surroundings:
    """A session of three files, and a platform that counts its calls, and answers when it is let to."""

    def __init__(self) -> None:
        self.members = [Member(1), Member(2), Member(3)]
        self.calls: list[str] = []
        self.answering = anyio.Event()
        self.answering.set()
        self.failing = False
        self.signing, self.upload_id = SigningAhead(), "u"
        self.tools: Any = SimpleNamespace(
            platform=self, stop=anyio.Event(), session=self.session, reached=self.reached, traits=Traits()
        )

    async def session(self, _: int) -> Any:
        return self

    async def reached(self) -> None:
        return None

    async def signed_url(self, _: str, name: str, __: str) -> Any:
        self.calls.append(name)
        await self.answering.wait()
        if self.failing:
            raise NoAnswer("cut")
        return Url(f"url of {name}, call {len(self.calls)}")

    async def url(self, number: int) -> Any:
        return await self.signing.url(self.tools, "u", 7, self.members[number - 1])  # type: ignore[arg-type]

    async def ahead(self) -> None:
        await self.signing.sign_next(self.tools, 7)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    """All of it, at a clock that stands."""
    made = Surroundings()
    monkeypatch.setattr(Surroundings, "now", 1000.0, raising=False)
    monkeypatch.setattr(signing, "clock", lambda: made.now)
    return made


async def test_a_url_that_was_signed_ahead_is_used_without_a_call(around: Surroundings) -> None:
    """Of the first file that is not being sent; once."""
    with around.signing.sending(1):
        await around.ahead()
        await around.ahead()
    assert around.calls == ["2.tif", "3.tif"]

    assert await around.url(2) == "url of 2.tif, call 1"
    assert around.calls == ["2.tif", "3.tif"]
    assert await around.url(2) == "url of 2.tif, call 3", "a refused URL is not used again"


async def test_a_url_that_grew_old_is_signed_again(around: Surroundings) -> None:
    """It was kept for a transfer that took longer than it seemed to."""
    with around.signing.sending(1):
        await around.ahead()
    around.now += 61

    assert await around.url(2) == "url of 2.tif, call 2"


async def test_a_call_under_way_is_waited_for(around: Surroundings) -> None:
    """A transfer that begins meanwhile does not sign for the same file."""
    around.answering = anyio.Event()
    found: list[Any] = []

    async def use() -> None:
        found.append(await around.url(2))

    async with anyio.create_task_group() as group:
        with around.signing.sending(1):
            group.start_soon(around.ahead)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(use)
            await anyio.wait_all_tasks_blocked()
        around.answering.set()

    assert found == ["url of 2.tif, call 1"]


async def test_a_call_ahead_that_failed_fails_the_file_that_it_was_for(around: Surroundings) -> None:
    """Once, without a second call: the platform may have asked to wait. After that it is called again."""
    around.failing = True
    with around.signing.sending(1):
        await around.ahead()
    around.failing = False

    with pytest.raises(NoAnswer):
        await around.url(2)
    assert around.calls == ["2.tif"]
    assert await around.url(2) == "url of 2.tif, call 2"


def test_the_next_one_is_signed_once_when_a_transfer_is_nearly_over(around: Surroundings) -> None:
    """A hundred bytes in a hundred seconds: at ninety-five."""
    started: list[float] = []
    sent = around.signing.when_nearly_sent(100, lambda: started.append(around.now))
    for _ in range(10):
        around.now += 10
        sent(10)

    assert started == [1100.0]


async def test_a_url_is_not_used_beyond_half_of_its_life(around: Surroundings, monkeypatch: Any) -> None:
    """It would be refused in the middle of the line; the URL itself says how long it lives."""
    monkeypatch.setattr(Url, "life", 20)
    with around.signing.sending(1):
        await around.ahead()
    around.now += 11

    assert await around.url(2) == "url of 2.tif, call 2"


async def test_where_urls_live_for_seconds_none_is_signed_ahead(around: Surroundings) -> None:
    """A live check has found that out, so no call is made for nothing."""
    around.tools.traits = Traits(url_life=8.0)
    with around.signing.sending(1):
        await around.ahead()

    assert around.calls == []
