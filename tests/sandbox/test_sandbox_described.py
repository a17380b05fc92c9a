"""Uploads described: six kinds of rasters are found, lead back to their sessions, and are valid STAC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pystac
import pytest

from tests.support.gallery import COLUMNS, KINDS, ROWS
from uploader.sandbox.operations.styling import ranges
from uploader.sandbox.profiles import suggest

if TYPE_CHECKING:
    from tests.support.gallery import Gallery


pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", KINDS)
def test_an_upload_is_found_and_leads_back(gallery: Gallery, name: str) -> None:
    """By box, time and collection together there is exactly this item, whose lineage is its session."""
    item = gallery.items[name]
    west, south, east, north = item["bbox"]
    x, y = (west + east) / 2, (south + north) / 2
    month = item["datetime"][:7]
    found = gallery.wire.ok(
        "items.search",
        project_id="p-1",
        bbox=[x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4],
        datetime=f"{month}-01T00:00:00Z/{month}-28T00:00:00Z",
        collections=[gallery.collection],
    )["features"]
    parents = gallery.wire.ok("items.lineage", item_id=item["id"])["parents"]

    assert [item["id"]] == [one["id"] for one in found]
    assert parents == [{"entity_type": "upload", "entity_id": gallery.uploads[name]}]


@pytest.mark.parametrize("name", KINDS)
def test_the_pipeline_tells_names_statistics_and_a_profile(gallery: Gallery, name: str) -> None:
    """After it the item says done, each band has numbers near the source's, and one profile is the default."""
    kind, item = KINDS[name], gallery.items[name]
    profiles = gallery.wire.ok("visualization.profiles.list", item_id=item["id"])["profiles"]
    (default,) = [one for one in profiles if one["is_default"]]
    feature = gallery.wire.ok("items.get_stac", item_id=item["id"])
    bands = feature["assets"]["data"]["bands"]
    one = {"item_id": item["id"], "profile_id": default["id"]}

    assert item["properties"]["geopera:pipeline"] == "done"
    assert kind.type == default["type"]
    assert default == gallery.wire.ok("visualization.profile.get", **one)
    assert len(kind.values) == len(bands)
    for band, values in zip(bands, kind.values, strict=True):
        assert pytest.approx(values.mean(), rel=0.01, abs=1) == band["statistics"]["mean"]
        assert pytest.approx(values.max(), rel=0.01, abs=1) == band["statistics"]["maximum"]
    if kind.names:
        assert list(kind.names) == gallery.asset(name)["band_names"]


def required(value: dict[str, Any], **types: type | tuple[type, ...]) -> bool:
    """Whether these members are there and of these types."""
    return all(isinstance(value.get(name.replace("__", ":")), kind) for name, kind in types.items())


@pytest.mark.parametrize("name", KINDS)
def test_items_are_valid_stac(gallery: Gallery, name: str) -> None:
    """The core by the schemas that pystac ships; of the extensions the rules for what is written here."""
    pytest.importorskip("jsonschema")
    feature = gallery.wire.ok("items.get_stac", item_id=gallery.items[name]["id"])
    extensions = feature.pop("stac_extensions")
    pystac.Item.from_dict({**feature, "stac_extensions": []}).validate()
    properties, data = feature["properties"], feature["assets"]["data"]

    assert feature["stac_version"] == "1.1.0"
    assert {one.split("/")[3] + one.split("/")[4] for one in extensions} == {
        "projectionv2.0.0",
        "rasterv2.0.0",
        "filev2.1.0",
        "eov2.0.0",
    }
    assert properties["proj:code"] == str(KINDS[name].profile["crs"])
    assert not {"proj:epsg", "raster:bands", "eo:bands"} & (properties.keys() | data.keys())
    assert properties["proj:shape"] == [ROWS, COLUMNS]
    assert (len(properties["proj:transform"]), len(properties["proj:bbox"])) == (6, 4)
    assert required(data, file__size=int, bands=list)
    for band in data["bands"]:
        assert required(band, name=str, data_type=str, statistics=dict)
        assert {"minimum", "maximum", "mean", "stddev", "valid_percent", "count"} >= band["statistics"].keys()
    if KINDS[name].names:
        assert [band["eo:common_name"] for band in data["bands"]] == list(KINDS[name].names)
    assert feature["assets"]["thumbnail"]["roles"] == ["thumbnail"]


def test_the_default_profile_follows_the_bands() -> None:
    """The decision alone: colours by name before colours by order, classes before scales, bytes as they are."""
    bands = [{"index": n, "common_name": c, "percentiles": [n, n + 5.0]} for n, c in enumerate("abc", 1)]
    named = [
        {**band, "common_name": name} for band, name in zip(bands, ("blue", "green", "red"), strict=True)
    ]

    assert suggest(bands, "int16", palette=True, categorical=True).config["colormap"] == "palette"
    assert suggest(bands, "int16", palette=False, categorical=True).config["colormap"] == "classes"
    assert suggest(bands, "uint8", palette=False, categorical=False).type == "multiband"
    assert suggest(named, "int16", palette=False, categorical=False).config == {
        "bands": [3, 2, 1],
        "rescale": [[3, 8], [2, 7], [1, 6]],
    }
    assert suggest(bands[:1], "uint8", palette=False, categorical=False).config["rescale"] == [[0, 255]]
    assert ranges("0,1,2,3") == ranges("0,1;2,3") == [[0, 1], [2, 3]]
