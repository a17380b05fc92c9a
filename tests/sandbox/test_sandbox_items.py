"""Items: what a raster tells, what is no raster, what is found, seen and named."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pystac
import pytest

from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.inspector import Inspector
from uploader.sandbox.raster import acquired, polygon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"II*\0" + b"\xff" * 100, b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 4000]
)
def test_what_is_no_raster_becomes_an_item_without_geometry(shared: Wire, content: bytes) -> None:
    """Neither text nor a broken TIFF fails the session or the server."""
    _, (item_id,) = shared.upload({"a.tif": content})
    item = shared.ok("items.get", item_id=item_id)["item"]

    assert (item["geometry"], item["bbox"], item["name"]) == (None, None, "a.tif")
    assert shared.ok("items.get_stac", item_id=item_id)["type"] == "Feature"


def test_a_reader_that_hangs_or_dies_is_replaced(
    tmp_path: Path, raster: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that blocks the child costs its timeout, a killed child a restart; the next file is read."""
    (tmp_path / "r.tif").write_bytes(raster)
    os.mkfifo(tmp_path / "fifo")
    inspector = Inspector(timeout=0.3)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("uploader.sandbox.inspector.driver_of", lambda _: "GTiff")
            hung = inspector.look(tmp_path / "fifo")
        inspector.expect(tmp_path / "r.tif")
        assert inspector._child is not None
        inspector._child.kill()
        inspector._child.wait()
        inspector._timeout = 20
        read = inspector.look(tmp_path / "r.tif")
    finally:
        inspector.close()

    assert "gave up" in hung["error"]
    assert read["shape"] == [16, 32]


def test_a_raster_tells_its_place_and_bands(shared: Wire, raster: bytes) -> None:
    """The STAC feature has projection, band names, nodata and the embedded statistics, and pystac reads it."""
    _, (item_id,) = shared.upload({"scene.tif": raster})
    item = shared.settled(item_id)
    response = shared.post("items.get_stac", item_id=item_id, base_url="https://x.example/")
    feature = pystac.Item.from_dict(response.json())
    asset = feature.assets["data"]
    bands = asset.extra_fields["bands"]

    assert response.headers["content-type"] == "application/geo+json"
    assert (item["type"], item["datetime"]) == ("user_raster", "2024-06-01T10:20:30+00:00")
    assert pytest.approx(feature.bbox, abs=0.011) == [14.99, 45.15, 15.01, 45.16]
    assert (feature.properties["proj:code"], feature.properties["proj:shape"]) == ("EPSG:32633", [16, 32])
    assert feature.properties["proj:transform"] == [10, 0, 500_000, 0, -10, 5_000_000]
    assert [band["name"] for band in bands] == ["red", "b2"]
    assert {"minimum": 0, "maximum": 254, "mean": 127.5}.items() <= bands[0]["statistics"].items()
    assert (bands[0]["data_type"], bands[0]["nodata"], bands[1]["statistics"]["count"]) == ("uint8", 255, 510)
    assert asset.title == "scene.tif"
    assert feature.get_self_href().startswith("https://x.example/v1/")


def test_a_box_over_the_antimeridian_has_two_parts() -> None:
    """West beyond east means across; GeoJSON wants it cut there."""
    assert polygon([1, 2, 3, 4])["type"] == "Polygon"
    assert len(polygon([179, 0, -179, 1])["coordinates"]) == 2


def test_a_tiff_time_is_read_or_left() -> None:
    """Only the TIFF's own form counts."""
    assert [acquired(text) for text in ("", "yesterday", "2024:01:02 03:04:05")] == [
        None,
        None,
        "2024-01-02T03:04:05+00:00",
    ]


@pytest.fixture(scope="module")
def two_items(tmp_path_factory: pytest.TempPathFactory, raster: bytes) -> Iterator[Wire]:
    """A sandbox with a raster and a vector."""
    options = Options(root=tmp_path_factory.mktemp("two"), projects=("p-2",))
    with Sandbox(options) as box, Wire(box) as wire:
        wire.upload({"r.tif": raster})
        wire.upload({"v.geojson": b"{}"})
        yield wire


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"bbox": [0, 0, 1, 1]}, []),
        ({"collections": []}, []),
        ({"type": "clip"}, []),
        ({"datetime": "2025-01-01T00:00:00Z/2025-12-31T00:00:00Z"}, []),
        ({"bbox": [14, 45, 16, 46]}, ["r.tif"]),
        ({"datetime": "2024-01-01T00:00:00Z/2024-12-31T00:00:00Z"}, ["r.tif"]),
        ({"type": "user_vector"}, ["v.geojson"]),
        ({"limit": 1}, ["v.geojson"]),
        ({"limit": 1, "offset": 1}, ["r.tif"]),
        ({"format": "stac"}, ["v.geojson", "r.tif"]),
    ],
)
def test_search_finds_by_conditions(two_items: Wire, condition: dict[str, Any], names: list[str]) -> None:
    """Box, time, type, collection and page restrict; newest first."""
    found = two_items.ok("items.search", project_id="p-2", **condition)["features"]

    assert names == [one["properties"]["title"] for one in found]


def test_lists_know_collections(wire: Wire) -> None:
    """items.list restricts to a collection or to what lies in none, and counts all pages."""
    collection = wire.ok("collections.create", project_id="p-1", name="c")["id"]
    wire.upload({"in.tif": b"a"}, target_collection_id=collection)
    wire.upload({"out.tif": b"b"})
    inside, outside, both = (
        wire.ok("items.list", project_id="p-1", **more)
        for more in ({"collection_id": collection}, {"uncollected": True}, {"limit": 1})
    )

    assert [one["name"] for one in inside["items"]] == ["in.tif"]
    assert [one["name"] for one in outside["items"]] == ["out.tif"]
    assert (len(both["items"]), both["total"]) == (1, 2)
    shown = wire.ok("collections.get", project_id="p-1", collection_id=collection)["collection"]
    assert (shown["item_count"], shown["name"]) == (1, "c")
    assert [collection] == [one["id"] for one in wire.ok("collections.list", project_id="p-1")["collections"]]
    assert wire.post("collections.get", project_id="p-1", collection_id="col_none").status_code == 404


@pytest.mark.parametrize(("seconds", "seen"), [(3600.0, [404, 0]), (0.3, [200, 1])])
def test_items_can_come_into_sight_late(
    open_wire: Callable[..., Wire], seconds: float, seen: list[int]
) -> None:
    """New items and assets stay out of every reading operation for the configured time."""
    wire = open_wire(items_visible_after=seconds)
    _, (item_id,) = wire.upload({"a.tif": b"a"})
    time.sleep(0.3)

    assert seen == [
        wire.post("items.get", item_id=item_id).status_code,
        wire.ok("items.list", project_id="p-1")["total"],
    ]


def test_names_can_be_hidden(open_wire: Callable[..., Wire]) -> None:
    """With the switch no answer about an item carries the file's name; the session's id is all there is."""
    wire = open_wire(names_in_items=False)
    upload_id, (item_id,) = wire.upload({"secretname.tif": b"a"})
    texts = [
        wire.post(operation, **body).text
        for operation, body in (
            ("items.get", {"item_id": item_id}),
            ("items.list", {"project_id": "p-1"}),
            ("items.list_assets", {"item_id": item_id}),
            ("items.get_stac", {"item_id": item_id}),
            ("items.search", {"project_id": "p-1"}),
        )
    ]

    assert not any("secretname" in text for text in texts)
    assert upload_id in texts[0]


@pytest.mark.parametrize(("direction", "reached"), [("up", 1), ("down", 0), ("both", 1)])
def test_provenance_walks_in_a_direction(shared: Wire, direction: str, reached: int) -> None:
    """The session is an ancestor of its item; lineage tells the same."""
    upload_id, (item_id,) = shared.upload({"a.tif": b"a"})
    graph = shared.ok("provenance.get", entity_type="item", entity_id=item_id, direction=direction)
    lineage = shared.ok("items.lineage", item_id=item_id)

    assert reached == len(graph["edges"]) == len(graph["nodes"]) - 1
    assert ([upload_id], []) == ([one["entity_id"] for one in lineage["parents"]], lineage["children"])
    assert shared.post("provenance.get", entity_type="item", entity_id="it_none").status_code == 404
