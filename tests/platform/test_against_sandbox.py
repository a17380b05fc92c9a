"""The steps of the upload guide, one after the other, against the sandbox."""

# ruff: noqa: ASYNC240 - looking at small local files holds nobody up here

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.door import put
from uploader.core.errors import CredentialRefused, Refused, StoreRefused
from uploader.platform.geopera import Timeouts, open_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]

sandbox = pytest.importorskip("uploader.sandbox", reason="the sandbox extra is not installed")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Any]:
    """A sandbox of our own."""
    with sandbox.Sandbox(sandbox.Options(root=tmp_path / "box", quota_bytes=1 << 20)) as running:
        yield running


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    """A small GeoTIFF."""
    rasterio = pytest.importorskip("rasterio")
    path = tmp_path / "scene.tif"
    shape = {"width": 16, "height": 16, "count": 1, "dtype": "uint8"}
    place = rasterio.Affine(0.01, 0.0, 151.0, 0.0, -0.01, -33.0)
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:4326", transform=place, **shape) as file:
        file.write(np.arange(256, dtype="uint8").reshape(1, 16, 16))
    return path


def settings(box: Any, auth: str = "client_credentials", key: str = "") -> dict[str, Any]:
    """How to reach the sandbox."""
    return {
        "base_url": box.base_url,
        "auth": auth,
        "client_id": "geopera",
        "read_key": lambda: key or box.api_key,
        "requests_per_minute": 0,
        "timeouts": Timeouts(call=20, complete=30),
    }


@pytest.mark.parametrize("auth", ["client_credentials", "api_key"])
async def test_an_upload_becomes_an_item(box: Any, raster: Path, auth: str) -> None:
    """Initiate, sign, PUT, progress, complete; then the item is listed, read, and has its asset."""
    content = raster.read_bytes()
    body = {"project_id": box.project_id, "file_count": 1, "total_bytes": len(content)}
    async with open_platform(**settings(box, auth)) as (platform, store):
        upload_id = await platform.initiate({**body, "transfer_method": "signed_url"}, "key-1")
        url = await platform.signed_url(upload_id, "scene.tif", "image/tiff")
        assert await put(store, url, raster) == hashlib.md5(content).digest()
        await platform.progress(upload_id, len(content))
        (item_id,) = await platform.complete(upload_id)
        await platform.complete(upload_id)

        assert item_id in [item["id"] for item in await platform.list_items(box.project_id)]
        assert (await platform.get_item(item_id))["id"] == item_id
        assert len(await platform.list_assets(item_id)) == 1


async def test_a_session_is_given_up_once(box: Any) -> None:
    """`fail` returns the storage, so that the whole quota can be reserved again."""
    body = {"project_id": box.project_id, "file_count": 1, "total_bytes": 1 << 20}
    async with open_platform(**settings(box)) as (platform, _):
        upload_id = await platform.initiate(body, "key-1")
        with pytest.raises(Refused) as caught:
            await platform.initiate(body, "key-2")
        assert caught.value.status == 402
        await platform.fail(upload_id, "changed our mind", "transfer")
        await platform.initiate(body, "key-3")


async def test_refusals_of_the_sandbox_are_clear(box: Any, raster: Path) -> None:
    """A wrong project, field, content type and key are each refused as what they are."""
    async with open_platform(**settings(box)) as (platform, store):
        with pytest.raises(Refused) as caught:
            await platform.initiate({"project_id": "nowhere"}, "key-1")
        assert caught.value.status in {403, 404}
        with pytest.raises(Refused) as caught:
            await platform.initiate({"project_id": box.project_id, "transfer_method": "pigeon"}, "key-2")
        assert (caught.value.status, caught.value.problem.fields) == (422, ("transfer_method",))
        body = {"project_id": box.project_id, "file_count": 1, "total_bytes": 10_000}
        url = await platform.signed_url(await platform.initiate(body, "key-3"), "a.tif", "image/tiff")
        with pytest.raises(StoreRefused) as refused:
            await put(store, url, raster, content_type="image/jpeg")
        assert refused.value.code == "SignatureDoesNotMatch"
    async with open_platform(**settings(box, key="gpra_wrong")) as (platform, _):
        with pytest.raises(CredentialRefused):
            await platform.initiate(body, "key-4")
