"""catalog.search: what it finds, in which pages, at which prices, and that it leaves nothing behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit import audit
from uploader.sandbox.catalogue import captures
from uploader.sandbox.geometry import area_km2, overlaps, polygon, shape_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit

FREE, PAID = "earthsearch-aws", "harbour-archive"
SYDNEY = [151.10, -33.92, 151.30, -33.78]
WORLD = (-180.0, -90.0, 180.0, 90.0)


def search(wire: Wire, host: str = FREE, **body: Any) -> Any:
    """One search that must succeed."""
    return wire.ok("catalog.search", host_name=host, **body)


def ids(found: Any) -> list[str]:
    """The ids of a feature collection."""
    return [one["id"] for one in found["features"]]


def test_the_quickstarts_search_finds_a_quarter_of_passes(shared: Wire) -> None:
    """Box, collection, interval and limit together, newest first, every feature inside them."""
    found = search(
        shared,
        collections=["sentinel-2-l2a"],
        bbox=SYDNEY,
        datetime="2024-01-01T00:00:00Z/2024-03-31T23:59:59Z",
        limit=10,
    )
    days = [one["properties"]["datetime"] for one in found["features"]]

    assert (found["type"], found["numberReturned"], found["numberMatched"]) == ("FeatureCollection", 10, 19)
    assert days == sorted(days, reverse=True)
    assert all("_56HLH_2024" in name and day < "2024-04" for name, day in zip(ids(found), days, strict=True))


def test_pages_cover_everything_once(shared: Wire) -> None:
    """Following `next` gives every capture, none twice; the last page has no token."""
    seen: list[str] = []
    more: dict[str, Any] = {}
    while True:
        found = search(shared, bbox=SYDNEY, limit=30, **more)
        seen += ids(found)
        if "next" not in found:
            break
        assert found["links"][0]["body"] == {"next": found["next"]}
        more = {"next": found["next"]}

    assert len(seen) == len(set(seen)) == found["numberMatched"] == 74


def test_only_the_commercial_host_has_prices(shared: Wire) -> None:
    """A free host's captures say nothing of money."""
    free, paid = (search(shared, host, limit=3)["features"] for host in (FREE, PAID))

    assert all("geopera:pricing" not in one["properties"] for one in free)
    assert {one["properties"]["geopera:pricing"]["credits_per_km2"] for one in paid} == {40}


def test_ids_and_clouds_narrow_the_search(shared: Wire) -> None:
    """`ids` names captures, `query` bounds their clouds; both must hold."""
    everything = search(shared, limit=500)["features"]
    cloudy = {one["id"] for one in everything if one["properties"]["eo:cloud_cover"] > 60}
    found = ids(search(shared, limit=500, query={"cloudCoverage": {"GT": 60}}))
    one = min(cloudy)

    assert 5 < len(cloudy) < len(everything) / 2
    assert set(found) == cloudy
    assert ids(search(shared, ids=[one], query={"cloudCoverage": {"LTE": 60}})) == []
    assert ids(search(shared, ids=[one, "no-such-capture"])) == [one]


@pytest.mark.parametrize(
    ("shape", "hit"),
    [
        ({"type": "Point", "coordinates": [2.35, 48.86]}, "31UDQ"),
        ({"type": "LineString", "coordinates": [[0.0, 49.0], [9.0, 49.0]]}, "31UDQ"),
        ({"type": "Polygon", "coordinates": [[[-120, 33], [-118, 33], [-118, 35], [-120, 33]]]}, "11SLT"),
        ({"type": "Point", "coordinates": [0.0, 0.0]}, ""),
    ],
)
def test_shapes_intersect(shared: Wire, shape: dict[str, Any], hit: str) -> None:
    """Points, lines that cross without a corner inside, and polygons find the tile they touch."""
    found = {name.split("_")[1] for name in ids(search(shared, intersects=shape, limit=500))}

    assert found == ({hit} if hit else set())


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"host_name": "nobody"}, 404),
        ({"limit": 501}, 422),
        ({"limit": 0}, 422),
        ({"bbox": [1, 2, 3]}, 422),
        ({"datetime": "yesterday"}, 422),
        ({"next": "x"}, 422),
        ({"next": "8J+YgA=="}, 422),
        ({"intersects": {"type": "Circle"}}, 422),
        ({"intersects": {"type": "Polygon", "coordinates": 7}}, 422),
        ({"intersects": {"type": "Point", "coordinates": [1, 2]}, "bbox": SYDNEY}, 422),
        ({"query": {"colour": {"GT": 1}}}, 422),
        ({"query": {"cloudCoverage": {"EQ": 1}}}, 422),
    ],
)
def test_what_cannot_be_searched_is_refused(shared: Wire, wrong: dict[str, Any], status: int) -> None:
    """Each wrong field has its refusal, none is ignored."""
    assert shared.post("catalog.search", **{"host_name": FREE, **wrong}).status_code == status


def test_a_token_goes_with_its_search(shared: Wire) -> None:
    """The token of one search does not page through another."""
    token = search(shared, limit=5)["next"]

    assert shared.post("catalog.search", host_name=PAID, next=token).status_code == 422


def test_get_reads_lists_and_objects(shared: Wire) -> None:
    """In a query string lists have commas and objects are JSON."""
    query = {
        "host_name": FREE,
        "bbox": "151.1,-33.9,151.2,-33.8",
        "collections": "sentinel-2-l2a",
        "query": '{"cloudCoverage": {"LT": 1}}',
    }
    found = shared.http.get("/v1/catalog/search", params=query)

    assert found.status_code == 200
    assert (
        found.json()["numberMatched"]
        == search(shared, bbox=[151.1, -33.9, 151.2, -33.8], query={"cloudCoverage": {"LT": 1}})[
            "numberMatched"
        ]
    )
    assert shared.http.get("/v1/catalog/search", params={**query, "query": "{"}).status_code == 422


def test_reads_leave_no_trace(wire: Wire, tmp_path: Path) -> None:
    """Searching and estimating have no effect, write no edge, take no credits: only the calls are noted."""
    found = search(wire, PAID, limit=2)
    cart = [{"id": name, "host": PAID} for name in ids(found)]
    before = wire.ok("usage.current", organization_id="org-1")["credits"]
    wire.ok("orders.archive.estimate", captures=cart)

    assert wire.ok("usage.current", organization_id="org-1")["credits"] == before
    assert audit(tmp_path / "root").effects() == ()
    with wire.box.world.database.read() as tx:
        assert [tx.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("edge", "orders")] == [
            0,
            0,
        ]


def area(geometry: dict[str, Any], box: tuple[float, float, float, float] = WORLD) -> float:
    """Square kilometres of a GeoJSON geometry inside a box."""
    return area_km2(shape_of(geometry), box)


def test_areas_are_those_of_the_sphere() -> None:
    """The whole world, half of it, a hole, and the part inside a box."""
    whole = 4 * math.pi * 6371.0072**2
    inner = polygon((-10.0, -10.0, 10.0, 10.0))["coordinates"][0]
    holed = {"type": "Polygon", "coordinates": [polygon((-20.0, -20.0, 20.0, 20.0))["coordinates"][0], inner]}
    both = {
        "type": "MultiPolygon",
        "coordinates": [[inner], [polygon((50.0, 0.0, 60.0, 9.0))["coordinates"][0]]],
    }

    assert area(polygon(WORLD)) == pytest.approx(whole)
    assert area(polygon(WORLD), (-180.0, 0.0, 180.0, 90.0)) == pytest.approx(whole / 2)
    assert area(holed) == pytest.approx(
        area(polygon((-20.0, -20.0, 20.0, 20.0))) - area(polygon((-10.0, -10.0, 10.0, 10.0)))
    )
    assert area(both, (-10.0, -10.0, 10.0, 10.0)) == pytest.approx(area(polygon((-10, -10, 10, 10))))


def test_what_crosses_itself_is_ordered_once() -> None:
    """Of a bow both halves count, and of two polygons that lie on each other one."""
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    ring = polygon((0.0, 0.0, 1.0, 1.0))["coordinates"]
    halves = [{"type": "Polygon", "coordinates": [[[x, 0], [1, 1], [x, 2], [x, 0]]]} for x in (0, 2)]

    assert area(bow) == pytest.approx(sum(map(area, halves)))
    assert area({"type": "MultiPolygon", "coordinates": [ring, ring]}) == pytest.approx(
        area({"type": "Polygon", "coordinates": ring})
    )


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "MultiPoint", "coordinates": [[-7, -4], [4, -0.3], [-2, 3]]},
        {"type": "LineString", "coordinates": [[-1, 3], [3, 3], [3, -1]]},
        {
            "type": "Polygon",
            "coordinates": [polygon(one)["coordinates"][0] for one in ((-9, -9, 9, 9), (-1, -1, 3, 3))],
        },
        {"type": "Polygon", "coordinates": []},
    ],
    ids=["points around it", "a line around its corner", "a hole around it", "nothing"],
)
def test_what_only_surrounds_a_box_does_not_overlap_it(shape: dict[str, Any]) -> None:
    """Points have nothing between them, a line has no inside, and a hole is not part of its polygon."""
    assert not overlaps(shape_of(shape), (0.0, 0.0, 2.0, 2.0))


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon", "coordinates": [[[1]]]},
        {"type": "Point", "coordinates": [float("nan"), 0]},
        {"type": "Point", "coordinates": [1e308, 0]},
        {"type": "Point", "coordinates": ["1", "2"]},
        {"type": "Point", "coordinates": [10**400, 2]},
        {"type": "Point", "coordinates": [1, 2, float("inf")]},
        {"type": "Point", "coordinates": [True, False]},
        {"type": "MultiPolygon", "coordinates": {}},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1]]]},
        {"type": "GeometryCollection", "geometries": []},
    ],
)
def test_malformed_shapes_are_refused(shape: dict[str, Any]) -> None:
    """Whatever is wrong with them, it is a ValueError."""
    with pytest.raises(ValueError, match=r"wanted|fit|Earth"):
        shape_of(shape)


def test_the_catalogue_is_the_same_every_time() -> None:
    """Ids are unique per host, boxes lie in the world, clouds in percent."""
    found = captures().values()

    assert len(found) == len({(one.host.name, one.id) for one in found}) > 300
    assert all(0 <= one.cloud_cover <= 100 for one in found)
    assert all(overlaps(shape_of(polygon(one.box)), WORLD) and one.box[0] < one.box[2] for one in found)
