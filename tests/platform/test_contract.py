"""What `platform.api` promises holds for the real calls against the sandbox, and for the simulator's model alike."""

# ruff: noqa: ASYNC240 - looking at small local files holds nobody up here

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from tests.sim.platform import ModelPlatform
from tests.support.rasters import make
from uploader.core.errors import Refused
from uploader.platform.api import ObjectStore, Platform
from uploader.platform.geopera import Timeouts, open_platform

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]

QUOTA = 1 << 20


@dataclass
class Side:
    """A platform, how a raster is sent to it, and where."""

    platform: Platform
    send: Callable[[Any, int], Awaitable[None]]
    project: str

    async def begun(self, files: int = 1, size: int = 1000) -> str:
        """A session for so many files of so many bytes in all."""
        body = {"project_id": self.project, "file_count": files, "total_bytes": size}
        return await self.platform.initiate(
            {**body, "transfer_method": "signed_url"}, random.randbytes(8).hex()
        )

    async def stored(self, upload_id: str, *names: str) -> None:
        """Each of them with a raster of its own."""
        for number, name in enumerate(names):
            await self.send(await self.platform.signed_url(upload_id, name, "image/tiff"), number)

    async def items(self) -> list[str]:
        """The ids of all items."""
        return sorted(str(item["id"]) for item in await self.platform.list_items(self.project))


@asynccontextmanager
async def sandboxed(root: Path) -> AsyncIterator[Side]:
    """The real calls."""
    sandbox = pytest.importorskip("uploader.sandbox", reason="the sandbox extra is not installed")
    rasters = [root / f"{n}.tif" for n in range(2)]
    for number, path in enumerate(rasters):
        make("plain", path, size=64, seed=number)
    with sandbox.Sandbox(sandbox.Options(root=root / "box", quota_bytes=QUOTA)) as box:
        opened = open_platform(
            base_url=box.base_url,
            auth="client_credentials",
            client_id="geopera",
            read_key=lambda: box.api_key,
            requests_per_minute=0,
            timeouts=Timeouts(call=20, complete=30),
        )
        async with opened as (platform, store):
            yield Side(platform, lambda url, number: _put(store, url, rasters[number]), box.project_id)


async def _put(store: ObjectStore, url: Any, path: Path) -> None:
    content = path.read_bytes()
    with path.open("rb") as file:
        await store.put(
            url,
            file.fileno(),
            size=len(content),
            content_type="image/tiff",
            crc32c=google_crc32c.value(content),
            on_bytes=lambda _: None,
            stop=lambda: False,
        )


@asynccontextmanager
async def modelled(_: Path) -> AsyncIterator[Side]:
    """The simulator's model, without faults."""
    model = ModelPlatform(random.Random(1), 0.0, QUOTA)
    yield Side(model, lambda url, number: model.put(url, f"raster {number}"), "p")  # type: ignore[arg-type]


SIDES = pytest.mark.parametrize("side", [sandboxed, modelled])


@SIDES
async def test_each_url_is_good_for_the_same_object(side: Any, tmp_path: Path) -> None:
    """Minted twice and sent twice, in whatever order: one file, one item."""
    async with side(tmp_path) as here:
        upload_id = await here.begun()
        first = await here.platform.signed_url(upload_id, "a.tif", "image/tiff")
        second = await here.platform.signed_url(upload_id, "a.tif", "image/tiff")
        for url in (second, first):
            await here.send(url, 0)
        assert len(await here.platform.complete(upload_id)) == 1
        assert len(await here.items()) == 1


@SIDES
async def test_a_repeated_complete_makes_nothing_new(side: Any, tmp_path: Path) -> None:
    """It may tell no ids, but never others."""
    async with side(tmp_path) as here:
        upload_id = await here.begun(2)
        await here.stored(upload_id, "a.tif", "b.tif")
        made = await here.platform.complete(upload_id)
        for _ in range(2):
            assert set(await here.platform.complete(upload_id)) <= set(made)
        assert await here.items() == sorted(made)
        assert str((await here.platform.get_item(made[0]))["id"]) == made[0]


@SIDES
async def test_complete_is_refused_while_a_file_is_missing(side: Any, tmp_path: Path) -> None:
    """With 422, and nothing is made; once it is there, all are."""
    async with side(tmp_path) as here:
        upload_id = await here.begun(2)
        await here.stored(upload_id, "a.tif")
        with pytest.raises(Refused) as caught:
            await here.platform.complete(upload_id)
        assert caught.value.status == 422
        assert await here.items() == []
        await here.stored(upload_id, "a.tif", "b.tif")
        assert len(await here.platform.complete(upload_id)) == 2


@SIDES
async def test_a_session_that_was_given_up_takes_nothing_and_frees_its_storage(
    side: Any, tmp_path: Path
) -> None:
    """A second session of the whole quota is refused with 402 before, and opened after."""
    async with side(tmp_path) as here:
        upload_id = await here.begun(size=QUOTA)
        with pytest.raises(Refused) as caught:
            await here.begun(size=QUOTA)
        assert caught.value.status == 402
        await here.platform.fail(upload_id, "changed our mind", "transfer")
        with pytest.raises(Refused):
            await here.platform.complete(upload_id)
        await here.begun(size=QUOTA)


@SIDES
async def test_progress_may_be_repeated_and_left_out(side: Any, tmp_path: Path) -> None:
    """Whatever it says."""
    async with side(tmp_path) as here:
        upload_id = await here.begun()
        for sent in (5, 5, 0, 1000):
            await here.platform.progress(upload_id, sent)
        await here.stored(upload_id, "a.tif")
        assert len(await here.platform.complete(upload_id)) == 1


@SIDES
async def test_an_unknown_session_or_item_is_refused_as_such(side: Any, tmp_path: Path) -> None:
    """With 404: a clear answer, from which it follows that nothing was done."""
    async with side(tmp_path) as here:
        asked: list[Callable[[], Awaitable[Any]]] = [
            lambda: here.platform.signed_url("u_none", "a.tif", "image/tiff"),
            lambda: here.platform.complete("u_none"),
            lambda: here.platform.fail("u_none", "x", "transfer"),
            lambda: here.platform.get_item("it_none"),
            lambda: here.platform.list_profiles("it_none"),
        ]
        for call in asked:
            with pytest.raises(Refused) as caught:
                await call()
            assert caught.value.status == 404


@SIDES
async def test_a_deleted_item_is_gone_and_cannot_be_deleted_again(side: Any, tmp_path: Path) -> None:
    """It is neither listed nor had."""
    async with side(tmp_path) as here:
        upload_id = await here.begun()
        await here.stored(upload_id, "a.tif")
        (made,) = await here.platform.complete(upload_id)
        await here.platform.delete_item(made)
        for asked in (here.platform.delete_item, here.platform.get_item):
            with pytest.raises(Refused) as caught:
                await asked(made)
            assert caught.value.status in {404, 410}
        assert await here.items() == []
