"""Uploads cut and reckoned with: what becomes of a raster is an item with its lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rasterio.io import MemoryFile

from tests.support.gallery import KINDS, MULTI, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.gallery import Gallery


pytestmark = pytest.mark.unit


@pytest.fixture
def visited(gallery: Gallery) -> Iterator[Gallery]:
    """The gallery, left with the items that it had."""
    yield gallery
    known = {item["id"] for item in gallery.items.values()}
    for item in gallery.wire.ok("items.list", project_id="p-1")["items"]:
        if item["id"] not in known:
            gallery.wire.ok("items.delete", item_id=item["id"])


def test_a_clip_is_an_item_with_its_pixels(visited: Gallery) -> None:
    """The part inside the box, value by value, with its parent in the lineage and its bytes on the quota."""
    wire, item = visited.wire, visited.items["multispectral"]
    west, south, east, north = item["bbox"]
    box = [
        west + (east - west) / 3,
        south + (north - south) / 3,
        east - (east - west) / 3,
        north - (north - south) / 3,
    ]
    before = wire.box.state()["used_bytes"]
    made = wire.settled(wire.ok("clip.create_from_item", item_id=item["id"], bbox=box)["item_id"])
    (asset,) = wire.ok("items.list_assets", item_id=made["id"])["assets"]
    content = wire.bare.get(
        wire.ok("items.asset.download", item_id=made["id"], asset_id=asset["id"])["url"]
    ).content
    with MemoryFile(content) as memory, memory.open() as raster:
        column, row = (
            round(n)
            for n in ~KINDS["multispectral"].profile["transform"] @ (raster.bounds.left, raster.bounds.top)
        )
        part = MULTI[:, row : row + raster.height, column : column + raster.width]
        assert (raster.read() == part).all()
        assert raster.descriptions == KINDS["multispectral"].names
    graph = wire.ok("provenance.get", entity_type="item", entity_id=made["id"])

    assert (made["type"], made["upload_id"], made["properties"]["geopera:pipeline"]) == ("clip", None, "done")
    assert [(one["relation"], one["dst_id"]) for one in graph["edges"]] == [
        ("wasDerivedFrom", item["id"]),
        ("wasGeneratedBy", visited.uploads["multispectral"]),
    ]
    assert wire.box.state()["used_bytes"] == before + len(content)
    assert wire.post("clip.create_from_item", item_id=item["id"], bbox=[0, 0, 1, 1]).status_code == 422


def test_an_index_is_numbers_a_picture_or_an_item(visited: Gallery) -> None:
    """NDVI by the bands' names; as `cog` it is a new item that knows its parent."""
    wire, item = visited.wire, visited.items["multispectral"]
    west, south, east, north = item["bbox"]
    wish = {"cog_url": visited.asset("multispectral")["href"], "index_name": "NDVI", "sensor": "any"}
    wish["bbox"] = {"west": west, "south": south, "east": east, "north": north}
    numbers = wire.ok("analytics.calculate_index", **wish)["statistics"]
    picture = wire.post("analytics.calculate_index", **wish, output_format="png")
    made = wire.settled(wire.ok("analytics.calculate_index", **wish, output_format="cog")["item_id"])
    red, nir = MULTI[2].astype(float), MULTI[3].astype(float)

    assert pytest.approx(((nir - red) / (nir + red)).mean(), abs=0.01) == numbers["mean"]
    assert decoded(picture.content).shape[0] == 4
    assert made["type"] == "derived_raster"
    assert wire.ok("items.lineage", item_id=made["id"])["parents"] == [
        {"entity_type": "item", "entity_id": item["id"]}
    ]
    assert wire.post("analytics.calculate_index", **{**wish, "index_name": "magic"}).status_code == 422
