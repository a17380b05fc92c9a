"""Uploads painted: the pictures of six kinds of rasters are right, and what cannot be painted is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.gallery import KINDS, MULTI, RGB, decoded, sampled, viridis

if TYPE_CHECKING:
    from tests.support.gallery import Gallery


pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", KINDS)
def test_a_tile_looks_like_its_source(gallery: Gallery, name: str) -> None:
    """What the default profile paints is what the source's values say, pixel by pixel."""
    tile = gallery.tile_at(name)
    response = gallery.wire.post("items.tile.render", item_id=gallery.items[name]["id"], **tile, format="png")
    values, inside = sampled(KINDS[name], tile)
    picture = decoded(response.content).reshape(4, -1)
    away = np.abs(picture[:3].astype(float) - KINDS[name].paint(values)).max(axis=0)[inside]

    assert response.headers["content-type"] == "image/png"
    assert inside.sum() > 5000
    assert (picture[3][inside] == 255).all()
    assert np.percentile(away, 98) <= (0 if KINDS[name].palette else 6)


def test_a_thumbnail_is_a_small_jpeg(gallery: Gallery) -> None:
    """cog.thumbnail by the asset's URL, also by GET as the STAC item links it, in the raster's proportions."""
    wire = gallery.wire
    feature = wire.ok("items.get_stac", item_id=gallery.items["rgb"]["id"])
    linked = wire.http.get(feature["assets"]["thumbnail"]["href"])
    asked = wire.post("cog.thumbnail", url=gallery.asset("rgb")["href"], width=100, height=100)
    small = RGB[:, 2::4, 2::4]

    assert linked.headers["content-type"] == asked.headers["content-type"] == "image/jpeg"
    assert (decoded(linked.content).shape, decoded(asked.content).shape) == ((3, 192, 256), (3, 75, 100))
    assert np.abs(decoded(asked.content).astype(int) - small).mean() < 6


def test_tiles_by_expression_bands_and_format(gallery: Gallery) -> None:
    """Direct parameters override the profile; webp is the default format."""
    item_id, tile = gallery.items["multispectral"]["id"], gallery.tile_at("multispectral")
    plain = gallery.wire.post("items.tile.render", item_id=item_id, **tile)
    ndvi = {"expression": "(b4-b3)/(b4+b3)", "rescale": "-1,1", "colormap": "viridis"}
    index = gallery.wire.post("items.tile.render", item_id=item_id, **tile, **ndvi, format="png")
    grey = {"bands": "nir", "rescale": "0,4000"}
    url = gallery.asset("multispectral")["href"]
    band = gallery.wire.post("cog.tile.render", url=url, **tile, **grey, format="png")
    values, inside = sampled(KINDS["multispectral"], tile)
    _, _, red, nir = values.astype(float)
    wanted = viridis(-1, 1)(((nir - red) / (nir + red))[None])
    got = decoded(index.content).reshape(4, -1)[:3].astype(float)

    assert plain.headers["content-type"] == "image/webp"
    assert np.percentile(np.abs(got - wanted).max(axis=0)[inside], 98) <= 6
    assert np.abs(decoded(band.content)[0].ravel() - nir / 4000 * 255)[inside].max() <= 3


def test_terrain_tells_heights(gallery: Gallery) -> None:
    """The three bytes of a pixel are the source's height in decimetres above -10000 m."""
    tile = gallery.tile_at("heights")
    response = gallery.wire.post("cog.tile.terrain", url=gallery.asset("heights")["href"], **tile)
    red, green, blue = decoded(response.content)[:3].reshape(3, -1).astype(float)
    values, inside = sampled(KINDS["heights"], tile)
    heights = -10_000 + 0.1 * (red * 65536 + green * 256 + blue)

    assert np.abs(heights - values[0])[inside].max() < 3


def test_statistics_of_an_expression(gallery: Gallery) -> None:
    """Over the item, and inside a geometry, as numpy reckons them."""
    expression = "b4-b3"
    found = gallery.wire.ok(
        "items.tile.statistics", item_id=gallery.items["multispectral"]["id"], expression=expression
    )
    difference = MULTI[3].astype(float) - MULTI[2]
    west, south, east, north = gallery.items["multispectral"]["bbox"]
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area = gallery.wire.ok(
        "cog.statistics",
        url=gallery.asset("multispectral")["href"],
        geometry={"type": "Polygon", "coordinates": [ring]},
        bands="red",
        percentiles=[5, 95],
    )["statistics"]["b3"]

    assert pytest.approx(np.percentile(difference, (2, 98)), abs=20) == found["rescale"]
    assert pytest.approx(difference.mean(), abs=5) == found["statistics"][expression]["mean"]
    assert pytest.approx(np.percentile(MULTI[2], 95), rel=0.02) == area["percentile_95"]


def test_tilejson_leads_to_tiles(gallery: Gallery) -> None:
    """Its URL template, filled in, gives a tile to who may read the item, and a problem to who may not."""
    item = gallery.items["degrees"]
    found = gallery.wire.ok("items.tile.tilejson", item_id=item["id"])
    url = found["tiles"][0].format(**gallery.tile_at("degrees"))

    assert (found["tilejson"], found["bounds"]) == ("3.0.0", item["bbox"])
    assert 12 <= found["maxzoom"] <= 14
    assert gallery.wire.http.get(url).headers["content-type"] == "image/webp"
    assert gallery.wire.bare.get(url).status_code == 401


@pytest.mark.parametrize(
    ("operation", "change", "status"),
    [
        ("items.tile.render", {"x": 0, "y": 0}, 404),
        ("items.tile.render", {"x": 1 << 14}, 422),
        ("items.tile.render", {"z": 31}, 422),
        ("items.tile.render", {"bands": "9"}, 422),
        ("items.tile.render", {"bands": "1,2"}, 422),
        ("items.tile.render", {"rescale": "5,1"}, 422),
        ("items.tile.render", {"colormap": "nothing", "bands": "1"}, 422),
        ("items.tile.render", {"expression": "__import__('os').system('id')"}, 422),
        ("items.tile.render", {"format": "gif"}, 422),
        ("items.tile.render", {"profile": "nobody"}, 404),
        ("items.tile.render", {"asset_key": "none"}, 404),
        ("items.tile.render", {"item_id": "it_none"}, 404),
        ("cog.tile.render", {"url": "http://169.254.169.254/latest", "format": "png"}, 422),
        ("cog.tile.render", {"url": "file:///etc/passwd", "format": "png"}, 422),
        ("cog.tile.render", {"url": "http://[", "format": "png"}, 422),
        ("cog.tile.terrain", {}, 422),
    ],
)
def test_what_cannot_be_painted_is_refused(
    gallery: Gallery, operation: str, change: dict[str, Any], status: int
) -> None:
    """Each wrong wish has a problem as its answer, and nothing is fetched from elsewhere."""
    place = {"item_id": gallery.items["rgb"]["id"], "url": gallery.asset("rgb")["href"]}
    response = gallery.wire.post(operation, **{**place, **gallery.tile_at("rgb"), **change})

    assert (status, "detail" in response.json()) == (response.status_code, True)


def test_half_a_character_is_no_json(gallery: Gallery) -> None:
    """An escape that no text can hold is refused before anything is asked of the database."""
    headers = {"Content-Type": "application/json"}
    body = b'{"item_id": "\\ud800"}'

    assert gallery.wire.http.post("/v1/op/items.get", content=body, headers=headers).status_code == 400
