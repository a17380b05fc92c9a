"""Receipts as STAC items: where they lie, in longitude and latitude and in their own system."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyproj
import pystac
import pytest
import shapely
import shapely.geometry
from rasterio.crs import CRS

from tests.support.receipts import COLUMNS
from uploader.convert.pictures.outline import footprint
from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts, affine, title
from uploader.core import affine_transforms, footprints
from uploader.report.receipts.stac_items import pieces

pytestmark = pytest.mark.unit

WIDTH, HEIGHT = 400, 300

PLACES = {
    "utm": (32632, (500_000.0, 10.0, 0.0, 5_900_000.0, 0.0, -10.0)),
    "turned": (32632, (500_000.0, 30.0, 9.0, 5_900_000.0, 12.0, -28.0)),
    "degrees": (4326, (9.5, 0.001, 0.0, 48.2, 0.0, -0.001)),
    "lambert": (3035, (4_000_000.0, 1000.0, 0.0, 3_000_000.0, 0.0, -1000.0)),
    "over": (32601, (300_000.0, 400.0, 0.0, 5_950_000.0, 0.0, -400.0)),
    "pole": (3413, (-600_000.0, 3000.0, 0.0, 450_000.0, 0.0, -3000.0)),
}


def receipt(name: str, **more: Any) -> dict[str, Any]:
    """The receipt of a raster in one of these places, as a conversion would have it."""
    code, numbers = PLACES[name]
    wkt = CRS.from_epsg(code).to_wkt()
    band = BandFacts(1, "uint8", (512, 512), "gray", ALL_VALID)
    ring, _ = footprint(Facts("GTiff", WIDTH, HEIGHT, 1, (band,), crs=wkt, transform=numbers))
    facts = {"width": WIDTH, "height": HEIGHT, "crs": title(wkt)}
    return {
        **COLUMNS,
        "id": 1,
        "item_id": name,
        "facts": json.dumps(facts),
        "footprint": footprints.packed(ring),
        "transform": affine_transforms.packed(affine(numbers)),
        **more,
    }


def collected(rows: Iterable[dict[str, Any]]) -> dict[str, pystac.Item]:
    """The items by their ids, each valid by the core's schema."""
    found = json.loads("".join(pieces(rows, "https://api.example.com")))
    assert pystac.ItemCollection.is_item_collection(found)
    for each in found["features"]:
        pystac.Item.from_dict({**each, "stac_extensions": []}).validate()
    return {item.id: item for item in pystac.ItemCollection.from_dict(found)}


def test_geometries_are_where_proj_says() -> None:
    """A generated set against pyproj's own transform of points in, and around, each raster."""
    items = collected(receipt(name) for name in PLACES)

    assert list(items) == list(PLACES)
    for name, (code, (x, across, skew, y, turn, down)) in PLACES.items():
        shape = shapely.geometry.shape(items[name].geometry)
        assert shape.is_valid
        way = pyproj.Transformer.from_crs(code, 4326, always_xy=True)
        columns, rows = np.meshgrid(np.linspace(-0.2, 1.2, 29) * WIDTH, np.linspace(-0.2, 1.2, 29) * HEIGHT)
        lons, lats = way.transform(x + columns * across + rows * skew, y + columns * turn + rows * down)
        inside = (columns > 0) & (columns < WIDTH) & (rows > 0) & (rows < HEIGHT)
        near = np.abs(np.abs(columns / WIDTH - 0.5) - 0.5) < 0.01
        near |= np.abs(np.abs(rows / HEIGHT - 0.5) - 0.5) < 0.01
        found = shapely.intersects_xy(shape, lons, lats)
        assert (found == inside)[~near].all(), name


def test_a_box_is_that_of_its_geometry() -> None:
    """One over the antimeridian has its west end east of its east end; one around a pole goes all around."""
    items = collected(receipt(name) for name in PLACES)

    for name in ("utm", "turned", "degrees", "lambert"):
        assert items[name].bbox == pytest.approx(shapely.geometry.shape(items[name].geometry).bounds)
    west, _, east, _ = items["over"].bbox or []
    assert -180.0 <= east < -175.0 < 175.0 < west <= 180.0
    assert items["over"].geometry is not None
    assert items["over"].geometry["type"] == "MultiPolygon"
    west, south, east, north = items["pole"].bbox or []
    assert (west, east, north) == (-180.0, 180.0, 90.0)
    assert 80.0 < south < 85.0


def test_each_file_tells_its_place_in_its_own_system() -> None:
    """Code, shape, transform and box, as the projection extension names them."""
    fields = collected([receipt("turned")])["turned"].assets["data"].extra_fields

    assert fields["proj:code"] == "EPSG:32632"
    assert fields["proj:shape"] == [HEIGHT, WIDTH]
    assert fields["proj:transform"] == [30.0, 9.0, 500_000.0, 12.0, -28.0, 5_900_000.0]
    assert fields["proj:bbox"] == [500_000.0, 5_891_600.0, 514_700.0, 5_904_800.0]


def test_files_of_one_item_lie_together() -> None:
    """In one place they are one polygon; an item without a place has neither geometry nor box."""
    items = collected(
        [
            receipt("utm", asset_key="B04"),
            receipt("utm", asset_key="B08", id=2),
            receipt("degrees", item_id="both", id=3),
            receipt("utm", item_id="both", id=4),
            receipt("utm", item_id="none", footprint=None, transform=None, id=5),
            receipt("utm", item_id="damaged", footprint=b"\xff", transform=b"x", id=6),
        ]
    )

    assert [items[name].geometry and items[name].geometry["type"] for name in ("utm", "both")] == [
        "Polygon",
        "MultiPolygon",
    ]
    for name in ("none", "damaged"):
        assert (items[name].geometry, items[name].bbox) == (None, None)
        assert "proj:transform" not in items[name].assets["data"].extra_fields


def test_a_receipt_of_an_earlier_version_has_no_place() -> None:
    """Its row lacks the columns."""
    row = {name: value for name, value in receipt("utm").items() if name not in {"footprint", "transform"}}

    assert collected([row])["utm"].geometry is None
