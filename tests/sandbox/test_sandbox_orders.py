"""orders.*: the price that is shown is the price that is paid, once, and what was ordered arrives."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rasterio.io import MemoryFile

from tests.support.audit import audit, problems
from tests.support.wire import Wire
from uploader.sandbox import Key, Options, Sandbox, api
from uploader.sandbox.operations import payment
from uploader.sandbox.pricing import quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.unit

PAID = "harbour-archive"
SCENE = "HA50_20240108_SYD01"
OTHER = "HA50_20240222_SYD01"
PARCEL = {
    "type": "Polygon",
    "coordinates": [[[151.1, -33.9], [151.2, -33.9], [151.2, -33.8], [151.1, -33.8], [151.1, -33.9]]],
}
CART = [{"id": SCENE, "host": PAID, "geometry": PARCEL}]
PRICE = 4108
"""Credits for 102.7 km² at 40 each; begun credits count."""


def place(wire: Wire, key: str = "", **body: Any) -> httpx.Response:
    """Place an order; the cart above unless told otherwise."""
    headers = {"Idempotency-Key": key} if key else {}
    given = {"projectId": "p-1", "captures": CART, **body}
    return wire.http.post("/v1/op/orders.archive.place", json=given, headers=headers)


def balance(wire: Wire) -> dict[str, int]:
    """The credits of the organization."""
    return wire.ok("usage.current", organization_id="org-1")["credits"]


def test_the_price_placed_is_the_price_estimated(wire: Wire) -> None:
    """Total, dollars and groups are the same; the credits leave the balance and are held."""
    priced = wire.ok("orders.archive.estimate", captures=CART)
    order = place(wire)

    assert (order.status_code, priced["errors"], priced["total_credits"]) == (202, [], PRICE)
    assert priced["total_aud"] == PRICE / 100
    assert order.json()["groups"] == priced["groups"]
    assert (order.json()["totalCredits"], order.json()["totalAud"]) == (PRICE, PRICE / 100)
    assert balance(wire) == {"balance": 100_000 - PRICE, "reserved": PRICE}


def test_the_answer_has_the_members_of_the_quickstart(open_wire: Callable[..., Wire]) -> None:
    """In camel case, with the words that are printed there; status and state follow their switches."""
    kind = place(open_wire(place_status="200", order_status="awaiting_data"))

    assert kind.status_code == 200
    assert kind.json()["status"] == "awaiting_data"
    assert {name: kind.json()[name] for name in ("orderType", "billingMode", "currency")} == {
        "orderType": "archive",
        "billingMode": "credit",
        "currency": "AUD",
    }


def test_what_cannot_be_ordered_is_named(wire: Wire) -> None:
    """An estimate lists it under errors and prices the rest; placing refuses the whole cart."""
    far = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    cart = [
        CART[0],
        {"id": "x", "host": PAID},
        {"id": SCENE, "host": "nobody"},
        {"id": SCENE, "host": PAID, "geometry": far},
        {"id": SCENE, "host": PAID, "geometry": {"type": "Point", "coordinates": [151.1, -33.9]}},
        {"id": SCENE, "host": PAID, "geometry": "here"},
    ]
    priced = wire.ok("orders.archive.estimate", captures=cart)
    refused = place(wire, captures=cart)
    codes = ["unknown_capture", "unknown_host", "no_overlap", "bad_geometry", "bad_geometry"]

    assert [(one["index"], one["code"]) for one in priced["errors"]] == list(enumerate(codes, 1))
    assert priced["total_credits"] == PRICE
    assert [one["loc"] for one in refused.json()["detail"]] == [["body", "captures", n] for n in range(1, 6)]
    assert (refused.status_code, balance(wire)["balance"]) == (422, 100_000)


@pytest.mark.parametrize("number", ["NaN", "1e999", "1e308", "-Infinity", '"1"', "1" * 400])
def test_numbers_that_are_none_are_refused(shared: Wire, number: str) -> None:
    """Whatever stands for a coordinate, also for a height that no price needs, the answer is JSON."""
    for ring in (f"[{number}, -33.9]", f"[151.1, -33.9, {number}]"):
        text = json.dumps({"captures": CART}).replace("[151.1, -33.9]", ring, 1)
        answer = shared.http.post(
            "/v1/op/orders.archive.estimate", content=text, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 200, answer.text


def test_groups_are_hosts_areas_and_days() -> None:
    """Captures over one area are a group; with split_by_date each day is one; the sum stays."""
    cart = [CART[0], {**CART[0], "id": OTHER}, {"id": OTHER, "host": PAID}]
    together, apart = quote(cart), quote(cart, split_by_date=True)

    assert [len(group["captures"]) for group in together.groups] == [2, 1]
    assert [group["date"] for group in apart.groups] == ["2024-01-08", "2024-02-22", "2024-02-22"]
    assert together.credits == apart.credits == sum(group["total_credits"] for group in apart.groups)


def test_a_host_has_a_smallest_area_and_a_free_one_costs_nothing(wire: Wire) -> None:
    """A few square metres cost 25 km²; Sentinel-2 is ordered for no credits."""
    tiny = {
        "type": "Polygon",
        "coordinates": [[[151.1, -33.9], [151.1001, -33.9], [151.1001, -33.8999], [151.1, -33.9]]],
    }
    free = [{"id": "S2A_56HLH_20240101_0_L2A", "host": "earthsearch-aws"}]

    assert quote([{**CART[0], "geometry": tiny}]).credits == 25 * 40
    assert place(wire, captures=free).json()["totalCredits"] == 0


def test_a_repeat_with_the_key_is_the_same_answer(wire: Wire, tmp_path: Path) -> None:
    """Byte for byte, and nothing is charged twice; another body is refused; another key is another order."""
    first, again = place(wire, "k1"), place(wire, "k1")
    other_body = place(wire, "k1", captures=[{**CART[0], "id": OTHER}])
    other_key = place(wire, "k2")

    assert (again.content, again.status_code) == (first.content, first.status_code)
    assert other_body.status_code == 409
    assert other_key.json()["id"] != first.json()["id"]
    assert balance(wire)["balance"] == 100_000 - 2 * PRICE
    assert len(audit(tmp_path / "root").effects("order.placed")) == 2


def test_the_key_is_free_after_a_day(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """24 hours after the first call the key is as new."""
    first = place(wire, "k")
    monkeypatch.setattr(api, "_REPLAY_LIFE", 0.0)
    time.sleep(0.01)

    assert place(wire, "k").json()["id"] != first.json()["id"]


def test_many_repeats_at_once_are_one_order(open_wire: Callable[..., Wire]) -> None:
    """Clients that race with one key all get the one order."""
    wire = open_wire(delivery_after=60.0)
    gate = threading.Barrier(6)

    def race(_: int) -> bytes:
        gate.wait()
        return place(wire, "same").content

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(race, range(6)))

    assert len(answers) == 1
    assert balance(wire) == {"balance": 100_000 - PRICE, "reserved": PRICE}


def test_credits_are_never_spent_twice(open_wire: Callable[..., Wire]) -> None:
    """Eight orders race for the credits of three: three are placed, five are refused, nothing is left."""
    wire = open_wire(credits=3 * PRICE, delivery_after=60.0)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: place(wire, f"k{number}").status_code, range(8)))

    assert sorted(answers) == [202] * 3 + [402] * 5
    assert balance(wire) == {"balance": 0, "reserved": 3 * PRICE}


def test_no_credits_and_no_card_is_402(open_wire: Callable[..., Wire]) -> None:
    """Nothing is written, and the same key goes through once there are credits."""
    wire = open_wire(credits=PRICE - 1)
    refused = place(wire, "k")
    none = wire.ok("orders.list")["totalElements"]
    wire.bare.post(f"{wire.box.base_url}/sandbox/credits", json={"credits": PRICE})

    assert (refused.status_code, none) == (402, 0)
    assert refused.headers["content-type"] == "application/problem+json"
    assert "client_secret" not in refused.json()
    assert place(wire, "k").status_code == 202
    assert balance(wire)["balance"] == 0


def test_a_card_pays_what_is_missing(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """The card buys the credits that are short, and the balance ends at nothing."""
    wire = open_wire(credits=100, card="plain")

    assert place(wire).status_code == 202
    assert balance(wire)["balance"] == 0
    assert [one.bytes_in for one in audit(tmp_path / "root").effects("card.charged")] == [PRICE - 100]


def test_three_d_secure(open_wire: Callable[..., Wire]) -> None:
    """402 with a client_secret until it is confirmed; then the same key goes through, once."""
    wire = open_wire(credits=0, card="3ds")
    confirm = f"{wire.box.base_url}/sandbox/confirm"
    first, second = place(wire, "k"), place(wire, "k")
    secret = first.json()["client_secret"]
    forged = wire.bare.post(confirm, json={"client_secret": secret[:-1] + "x"}).json()
    still = place(wire, "k")
    confirmed = wire.bare.post(confirm, json={"client_secret": secret}).json()
    other_key = place(wire, "other")
    through, repeated = place(wire, "k"), place(wire, "k")

    assert [one.status_code for one in (first, second, still, other_key)] == [402] * 4
    assert second.json()["client_secret"] == secret != other_key.json()["client_secret"]
    assert (forged, confirmed) == ({"confirmed": False}, {"confirmed": True})
    assert (through.status_code, repeated.content) == (202, through.content)
    assert "client_secret" not in place(wire).json()


def test_the_order_its_credits_and_its_provenance_are_one_step(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the step fails at its end, nothing of it is there."""

    def explode(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr("uploader.sandbox.operations.orders.shown", explode)
        failed = place(wire, "k")
    with wire.box.world.database.read() as tx:
        edges = tx.execute("SELECT count(*) FROM edge").fetchone()[0]

    assert (failed.status_code, edges, wire.ok("orders.list")["totalElements"]) == (500, 0, 0)
    assert balance(wire) == {"balance": 100_000, "reserved": 0}
    assert place(wire, "k").status_code == 202


def test_an_order_is_delivered_in_time(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """Its items appear in the project, lead back to the order, open as rasters, and count as storage."""
    slow = open_wire(root=tmp_path / "slow", delivery_after=3600.0)
    early = slow.ok("orders.get", order_id=place(slow).json()["id"])
    wire = open_wire(delivery_after=0.3)
    order = place(wire, captures=[CART[0], {"id": OTHER, "host": PAID}, CART[0]]).json()
    time.sleep(0.35)
    found = wire.ok("items.search", project_id="p-1", bbox=[151.1, -33.9, 151.2, -33.8], format="stac")
    late = wire.http.get("/v1/orders/get", params={"id": order["id"]}).json()
    items = [wire.ok("items.get", item_id=one)["item"] for one in late["itemIds"]]
    (asset,) = wire.ok("items.list_assets", item_id=items[0]["id"])["assets"]
    url = wire.ok("items.asset.download", item_id=items[0]["id"], asset_id=asset["id"])["url"]
    with MemoryFile(wire.bare.get(url).content) as file, file.open() as raster:
        shape, place_of = raster.shape, raster.bounds
    parents = wire.ok("items.lineage", item_id=items[0]["id"])["parents"]
    children = wire.ok("provenance.get", entity_type="order", entity_id=order["id"], direction="down")[
        "nodes"
    ]

    assert (early["status"], early["itemIds"], late["status"]) == ("processing", [], "delivered")
    assert (len(items), found["numberMatched"]) == (3, 3)
    assert {one["order_id"] for one in items} == {order["id"]}
    assert {one["type"] for one in items} == {"satellite_capture"}
    assert parents == [{"entity_type": "order", "entity_id": order["id"]}]
    assert {one["entity_id"] for one in children} == {order["id"], *late["itemIds"]}
    assert (shape, place_of) == ((64, 64), pytest.approx(items[0]["bbox"]))
    assert balance(wire)["reserved"] == 0
    assert wire.box.state()["used_bytes"] == sum(one.size for one in audit(tmp_path / "root").objects) > 0
    assert [one for one in problems(audit(tmp_path / "root")) if "two items" not in one] == []


def test_a_delivery_is_rendered_like_an_upload(open_wire: Callable[..., Wire]) -> None:
    """The pipeline runs over delivered items too: soon there is a default profile, and a tile by it."""
    wire = open_wire(delivery_after=0.0)
    order_id = place(wire).json()["id"]
    (item_id,) = wire.ok("orders.get", order_id=order_id)["itemIds"]
    deadline = time.monotonic() + 60
    while not (found := wire.ok("visualization.profiles.list", item_id=item_id)["profiles"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    tile = wire.post("items.tile.render", item_id=item_id, z=10, x=942, y=614)

    assert found[0]["is_default"]
    assert (tile.status_code, tile.headers["content-type"][:6]) == (200, "image/")


def test_a_delivery_that_fails_is_tried_again(
    open_wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other calls go on, and the items come with the first call after the trouble."""
    wire = open_wire(delivery_after=0.0)
    order_id = place(wire).json()["id"]
    with monkeypatch.context() as broken:
        broken.setattr("uploader.sandbox.delivery.picture", lambda *_: 1 / 0)
        early = wire.ok("orders.get", order_id=order_id)["status"]

    assert (early, wire.ok("orders.get", order_id=order_id)["status"]) == ("processing", "delivered")


def test_a_restart_delivers_what_was_due(tmp_path: Path) -> None:
    """Orders, keys and replayed answers outlive the server."""
    options = Options(root=tmp_path / "root", delivery_after=0.2)
    with Sandbox(options) as box, Wire(box) as wire:
        first = place(wire, "k")
    time.sleep(0.25)
    with Sandbox(options) as box, Wire(box) as wire:
        again = place(wire, "k")
        order = wire.ok("orders.get", order_id=first.json()["id"])
    with Sandbox(options) as box, Wire(box) as wire:
        once_more = wire.ok("orders.get", order_id=first.json()["id"])
        (item_id,) = once_more["itemIds"]
        (asset,) = wire.ok("items.list_assets", item_id=item_id)["assets"]
        url = wire.ok("items.asset.download", item_id=item_id, asset_id=asset["id"])["url"]
        size = len(wire.bare.get(url).content)

    assert again.content == first.content
    assert (order["status"], once_more) == ("delivered", order)
    assert size == asset["file_size_bytes"] > 0


def test_orders_are_listed_in_pages(wire: Wire) -> None:
    """Newest first, filtered by project, state and id; what no order has matches none."""
    made = [place(wire, displayName=f"n{number}").json()["id"] for number in range(3)]
    first = wire.ok("orders.list", size=2)
    second = wire.http.get("/v1/orders/list", params={"size": 2, "page": 1}).json()

    assert [one["id"] for one in (*first["content"], *second["content"])] == made[::-1]
    assert (first["totalElements"], first["totalPages"]) == (3, 2)
    assert wire.ok("orders.list", orderIds=",".join(made[:2]))["totalElements"] == 2
    assert wire.ok("orders.list", displayName="n1")["content"][0]["id"] == made[1]
    assert wire.ok("orders.list", sort="createdAt,asc", workspaceId="p-1")["content"][0]["id"] == made[0]
    assert wire.ok("orders.list", orderIds="," * 100_000)["totalElements"] == 0
    for none in ({"type": "tasking"}, {"workspaceId": "p-2"}, {"tags": "x"}, {"status": "delivered"}):
        assert wire.ok("orders.list", **none)["totalElements"] == 0
    assert wire.post("orders.list", sort="id; DROP TABLE orders").status_code == 422


def test_orders_have_their_owners(open_wire: Callable[..., Wire]) -> None:
    """Another organization sees 404, a viewer may not place, and an unknown project is 404."""
    keys = (
        Key("gpra_other", organization="org-2"),
        Key("gpra_viewer", roles={"p-1": "viewer"}),
        Key("gpra_reader", scopes=("orders:read",)),
    )
    wire = open_wire(keys=keys)
    order_id = place(wire).json()["id"]
    status: dict[str, list[int]] = {}
    for key in keys:
        with Wire(wire.box, key.secret) as other:
            status[key.secret] = [
                place(other).status_code,
                other.post("orders.get", order_id=order_id).status_code,
            ]

    assert status == {"gpra_other": [404, 404], "gpra_viewer": [403, 200], "gpra_reader": [403, 200]}
    assert place(wire, projectId="p-9").status_code == 404


def test_placing_has_its_own_window(open_wire: Callable[..., Wire]) -> None:
    """Orders are counted apart from the other calls."""
    wire = open_wire(order_rate_limit=2, rate_window=3600.0)
    answers = [place(wire).status_code for _ in range(3)]

    assert answers == [202, 202, 429]
    assert wire.post("orders.list").status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"captures": []}, {"captures": None}, {"projectId": None}, {"captures": [1]}]
)
def test_an_order_without_its_parts_is_refused(shared: Wire, wrong: dict[str, Any]) -> None:
    """The published schema leaves the body untyped; what is missing is a 422 all the same."""
    assert place(shared, **wrong).status_code == 422


def test_an_estimate_may_be_read_with_get(shared: Wire) -> None:
    """It is a read: its cart may stand in the query string as JSON."""
    query = urllib.parse.urlencode({"captures": json.dumps(CART)})

    assert shared.http.get(f"/v1/op/orders.archive.estimate?{query}").json()["total_credits"] == PRICE
    assert shared.http.get("/v1/op/orders.archive.place").status_code == 405


def test_the_challenge_of_a_stranger_is_none(shared: Wire) -> None:
    """Text that only looks like a client_secret confirms nothing."""
    assert not payment.confirm(shared.box.world, "pi_x_secret_y")
    assert not payment.confirm(shared.box.world, "")
