"""stac.search and items.delete: all of the caller's items, and none that was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.wire import Wire
from uploader.sandbox import Key
from uploader.sandbox.operations.cql2 import holds

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.unit


def found(wire: Wire, **body: Any) -> list[str]:
    """The titles of the items that a search finds, in order."""
    return [one["properties"]["title"] for one in wire.ok("stac.search", **body)["features"]]


def test_a_search_over_all_projects(open_wire: Callable[..., Wire], raster: bytes) -> None:
    """Items of both projects, in pages, narrowed by place, time and collection; a member of one sees one."""
    keys = (Key("gpra_one", roles={"p-2": "viewer"}), Key("gpra_other", organization="org-2"))
    wire = open_wire(projects=("p-1", "p-2"), keys=keys)
    collection = wire.ok("collections.create", project_id="p-1", name="c")["id"]
    wire.upload({"a.tif": raster}, target_collection_id=collection)
    wire.upload({"b.tif": raster}, project_id="p-2")
    west, south, east, north = wire.ok("stac.search")["features"][0]["bbox"]
    point = {"type": "Point", "coordinates": [(west + east) / 2, (south + north) / 2]}

    assert found(wire) == ["b.tif", "a.tif"]
    assert found(wire, limit=1, page=1) == ["a.tif"]
    assert found(wire, sortby=[{"field": "properties.created"}]) == ["a.tif", "b.tif"]
    assert found(wire, collections=[collection], bbox=[14, 45, 16, 46]) == ["a.tif"]
    assert found(wire, intersects=point, datetime="2024-06-01T00:00:00Z/..") == ["b.tif", "a.tif"]
    assert found(wire, intersects={"type": "Point", "coordinates": [0, 0]}) == []
    for key, seen in (("gpra_one", ["b.tif"]), ("gpra_other", [])):
        with Wire(wire.box, key) as other:
            assert found(other) == seen


@pytest.mark.parametrize(
    "wrong",
    [
        {"filter": {"op": "="}},
        {"filter": {"op": "=", "args": [1]}},
        {"filter": {"op": "casei", "args": ["a"]}},
        {"filter": {"op": "<", "args": [1, "a"]}},
        {"filter": {"op": "<", "args": [{"timestamp": "yesterday"}, {"date": "2024-06-01"}]}},
        {"filter": {"op": "<", "args": [7, {"date": "2024-06-01"}]}},
        {"filter": {"op": "s_intersects", "args": [{"property": "geometry"}, 7]}},
        {"filter": {"op": "not", "args": [{"op": "not", "args": [7]}]}},
        {"filter": {"op": "=", "args": [1, 1]}, "filter-lang": "cql2-text"},
        {"sortby": [{"field": "x"}]},
        {"limit": 0},
        {"page": -1},
        {"bbox": [1, 2]},
    ],
)
def test_what_is_not_understood_is_refused(shared: Wire, wrong: dict[str, Any]) -> None:
    """A filter that was ignored would find too much."""
    assert shared.post("stac.search", **wrong).status_code == 422


TITLE, GSD = {"property": "title"}, {"property": "gsd"}


@pytest.mark.parametrize(
    ("expression", "holding"),
    [
        ({"op": "=", "args": [TITLE, "a.tif"]}, True),
        ({"op": "<>", "args": [TITLE, "a.tif"]}, False),
        ({"op": "like", "args": [TITLE, "%.t_f"]}, True),
        ({"op": "like", "args": [TITLE, "*.tif"]}, False),
        ({"op": "in", "args": [TITLE, ["b.tif", "a.tif"]]}, True),
        ({"op": "between", "args": [GSD, 5, 10]}, True),
        ({"op": ">=", "args": [GSD, 11]}, False),
        ({"op": "and", "args": [{"op": "<", "args": [GSD, 11]}, {"op": ">", "args": [GSD, 9]}]}, True),
        ({"op": "or", "args": [{"op": ">", "args": [GSD, 11]}, True]}, True),
        ({"op": "not", "args": [{"op": ">", "args": [GSD, 11]}]}, True),
        ({"op": "isNull", "args": [{"property": "nothing"}]}, True),
        ({"op": "not", "args": [{"op": "=", "args": [{"property": "nothing"}, 1]}]}, None),
        ({"op": "or", "args": [{"op": "=", "args": [{"property": "nothing"}, 1]}, True]}, True),
        ({"op": "<=", "args": [{"property": "datetime"}, {"timestamp": "2025-01-01T00:00:00Z"}]}, True),
        ({"op": "<=", "args": [{"property": "datetime"}, {"timestamp": "2024-06-01T02:00:00+10:00"}]}, False),
        ({"op": "=", "args": [{"date": "2024-06-01"}, {"property": "datetime"}]}, True),
        ({"op": ">", "args": [{"property": "nothing"}, {"date": "2024-06-01"}]}, None),
        (
            {
                "op": "s_intersects",
                "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1, 1]}],
            },
            True,
        ),
        (
            {
                "op": "s_intersects",
                "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [9, 1]}],
            },
            False,
        ),
    ],
)
def test_a_filter_holds_or_not(expression: Any, holding: bool | None) -> None:
    """Each operator as CQL2 has it, with the unknown of what is missing."""
    item = {"title": "a.tif", "gsd": 10, "datetime": "2024-06-01T00:00:00Z", "bbox": [0, 0, 2, 2]}

    assert holds(expression, item) is holding


def test_a_search_may_be_filtered(wire: Wire, raster: bytes) -> None:
    """By what an item tells of itself, together with the other conditions."""
    for name in ("a.tif", "b.tif"):
        wire.upload({name: raster})

    assert found(wire, filter={"op": "=", "args": [TITLE, "b.tif"]}) == ["b.tif"]
    assert found(wire, filter={"op": "=", "args": [{"property": "type"}, "clip"]}) == []


def test_a_deleted_item_is_gone(open_wire: Callable[..., Wire], raster: bytes) -> None:
    """From every read; a viewer may not do it, and it cannot be done twice."""
    wire = open_wire(keys=(Key("gpra_viewer", roles={"p-1": "viewer"}),))
    _, (item_id,) = wire.upload({"a.tif": raster})
    with Wire(wire.box, "gpra_viewer") as viewer:
        assert viewer.post("items.delete", item_id=item_id).status_code == 403

    assert wire.ok("items.delete", item_id=item_id) == {"ok": True, "id": item_id}
    assert found(wire) == []
    assert wire.ok("items.list", project_id="p-1")["items"] == []
    assert wire.post("items.get", item_id=item_id).status_code == 404
    assert wire.post("items.delete", item_id=item_id).status_code == 404
