"""One good call of every operation, on one sandbox: for checks that hold for all of them."""

from __future__ import annotations

from math import asinh, radians, tan, tau
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

if TYPE_CHECKING:
    import httpx

    from tests.support.wire import Wire

SCENE = {"id": "HA50_20240108_SYD01", "host": "harbour-archive"}


def walk(wire: Wire) -> dict[str, httpx.Response]:
    """Upload a raster, order a scene, read and paint everything; gives the last answer of each operation.

    The sandbox should deliver orders at once (`delivery_after=0`).
    """
    answers: dict[str, httpx.Response] = {}

    def call(operation: str, **body: Any) -> Any:
        answers[operation] = answer = wire.post(operation, **body)
        assert answer.status_code in (200, 202), (operation, answer.text)
        return answer.json() if "json" in answer.headers["content-type"] else answer.content

    _upload(wire, call, raster("red", "nir"))
    item_id = call("items.list", project_id="p-1")["items"][0]["id"]
    for operation in ("items.get", "items.get_stac", "items.lineage"):
        call(operation, item_id=item_id)
    asset = call("items.list_assets", item_id=item_id)["assets"][0]
    call("items.asset.download", item_id=item_id, asset_id=asset["id"])
    call("items.search", project_id="p-1", format="stac")
    wire.settled(item_id)
    _pictures(call, item_id, asset["href"])
    _, (high,) = wire.upload({"heights.tif": raster("heights")})
    (heights,) = wire.ok("items.list_assets", item_id=high)["assets"]
    call(
        "cog.tile.terrain", url=heights["href"], **_middle(wire.ok("items.get", item_id=high)["item"]["bbox"])
    )
    call("provenance.get", entity_type="item", entity_id=item_id)
    _order(call)
    call("usage.current", organization_id="org-1")
    made = call("api_keys.create", name="robot", permissions=["items:read"], expires_in_days=30)
    call("api_keys.list")
    call("api_keys.revoke", key_id=made["id"])
    call("stac.search", sortby=[{"field": "properties.datetime"}])
    call("items.delete", item_id=call("items.list", project_id="p-1")["items"][0]["id"])
    return answers


def raster(*names: str) -> bytes:
    """A small raster with a band for each name."""
    shape = {"width": 32, "height": 16, "count": len(names), "dtype": "uint8", "driver": "GTiff"}
    where = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
    with MemoryFile() as memory:
        with memory.open(**shape, **where) as target:
            target.write(np.arange(512 * len(names), dtype="uint8").reshape(-1, 16, 32))
            target.descriptions = names
        return bytes(memory.read())


def _upload(wire: Wire, call: Any, raster: bytes) -> None:
    collection = call("collections.create", project_id="p-1", name="Harbour")["id"]
    call("collections.list", project_id="p-1")
    call("collections.get", project_id="p-1", collection_id=collection)
    body = {"project_id": "p-1", "total_bytes": len(raster), "target_collection_id": collection}
    upload_id = call("uploads.initiate", **body)["id"]
    call("uploads.fail", upload_id=upload_id, error_message="changed my mind")
    upload_id = call("uploads.initiate", **body)["id"]
    wanted = {"upload_id": upload_id, "file_name": "a.tif", "content_type": "image/tiff"}
    url = call("uploads.signed_url", **wanted)["upload_url"]
    assert wire.put(url, raster).status_code == 200
    call("uploads.progress", upload_id=upload_id, bytes_uploaded=len(raster))
    call("uploads.complete", upload_id=upload_id)


def _pictures(call: Any, item_id: str, url: str) -> None:
    box = call("items.get", item_id=item_id)["item"]["bbox"]
    west, south, east, north = box
    place = _middle(box)
    call("items.tile.tilejson", item_id=item_id)
    call("items.tile.statistics", item_id=item_id, expression="b1")
    call("items.tile.render", item_id=item_id, **place)
    call("cog.tile.render", url=url, **place, format="png", bands="1")
    call("cog.thumbnail", url=url)
    corners = [[west, south], [east, south], [east, north], [west, south]]
    call("cog.statistics", url=url, geometry={"type": "Polygon", "coordinates": [corners]})
    profile = call("visualization.profiles.list", item_id=item_id)["profiles"][0]
    call("visualization.profile.get", item_id=item_id, profile_id=profile["id"])
    call("clip.create_from_item", item_id=item_id, bbox=box)
    call("analytics.calculate_index", cog_url=url, index_name="NDVI", sensor="any", bbox=_named(box))


def _middle(box: list[float]) -> dict[str, int]:
    west, south, east, north = box
    x, y = ((west + east) / 2 + 180) / 360, 0.5 - asinh(tan(radians((south + north) / 2))) / tau
    return {"z": 8, "x": int(x * 256), "y": int(y * 256)}


def _named(box: list[float]) -> dict[str, float]:
    return dict(zip(("west", "south", "east", "north"), box, strict=True))


def _order(call: Any) -> None:
    call("catalog.search", host_name=SCENE["host"], ids=[SCENE["id"]])
    call("orders.archive.estimate", captures=[SCENE, {"id": "nothing", "host": "nobody"}])
    order_id = call("orders.archive.place", projectId="p-1", captures=[SCENE])["id"]
    assert call("orders.get", order_id=order_id)["status"] == "delivered"
    call("orders.list")
