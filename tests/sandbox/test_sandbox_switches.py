"""Every switch of the sandbox, one row each: what a client sees without it, and what with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from tests.support.walk import SCENE
from tests.support.wire import Wire
from uploader.sandbox import Key, Options, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Row:
    """A probe, what it finds by default and what with `value`; `more` are options of both."""

    value: Any
    probe: Callable[[Wire], Any]
    without: Any
    having: Any
    more: dict[str, Any] = field(default_factory=dict)


def status(operation: str, **body: Any) -> Callable[[Wire], int]:
    """A probe for how one call is answered."""
    return lambda wire: wire.post(operation, **body).status_code


def twice(operation: str, **body: Any) -> Callable[[Wire], list[int]]:
    """A probe for how a call and its repeat are answered."""
    return lambda wire: [wire.post(operation, **body).status_code for _ in range(2)]


def initiated_twice(wire: Wire) -> int:
    """How many sessions the same key and body open."""
    send = {"json": {"project_id": "p-1"}, "headers": {"Idempotency-Key": "k"}}
    return len({wire.http.post("/v1/op/uploads.initiate", **send).json()["id"] for _ in range(2)})


def completed_twice(wire: Wire) -> int:
    """How many items the repeat of a completion names."""
    return len(wire.ok("uploads.complete", upload_id=wire.upload({"a.tif": b"a"})[0])["item_ids"])


def failed_twice(wire: Wire) -> int:
    """How the repeat of a fail is answered."""
    return twice("uploads.fail", upload_id=wire.initiate(), error_message="x")(wire)[1]


def items_of_two_files(wire: Wire) -> int:
    """How many items two files of one session become."""
    return len(wire.upload({"a.tif": b"a", "b.tif": b"b"})[1])


def new_item(wire: Wire) -> int:
    """How an item is answered for right after its completion."""
    return wire.post("items.get", item_id=wire.upload({"a.tif": b"a"})[1][0]).status_code


def raster(left: float) -> bytes:
    """A tiny raster that begins at this longitude."""
    with MemoryFile() as file:
        place = {"crs": "EPSG:4326", "transform": from_origin(left, 1.0, 0.1, 0.1)}
        with file.open(driver="GTiff", width=4, height=4, count=1, dtype="uint8", **place) as made:
            made.write(np.arange(16, dtype="uint8").reshape(1, 4, 4))
        return bytes(file.read())


def of_two_sessions(wire: Wire, second: str = "b") -> str:
    """An item with an asset `a`, and another one that joined it."""
    item_id = wire.upload({"a.tif": raster(0.0)}, asset_key="a")[1][0]
    wire.upload({"b.tif": raster(5.0)}, asset_key=second, target_item_id=item_id)
    return item_id


def keys(wire: Wire) -> list[str]:
    """The assets of an item after one key was used twice."""
    found = wire.ok("items.list_assets", item_id=of_two_sessions(wire, second="a"))["assets"]
    return [asset["key"] for asset in found]


def same_key(wire: Wire) -> int:
    """How a session is answered for that would use a key twice."""
    item_id = wire.upload({"a.tif": b"a"}, asset_key="a")[1][0]
    return wire.post("uploads.initiate", project_id="p-1", target_item_id=item_id, asset_key="a").status_code


def east(wire: Wire) -> float:
    """Where an item of two assets ends."""
    return round(wire.ok("items.get", item_id=of_two_sessions(wire))["item"]["bbox"][2], 1)


def shown_first(wire: Wire) -> str:
    """The asset that an item of two shows."""
    item_id = of_two_sessions(wire)
    wire.settled(item_id)
    (profile,) = wire.ok("visualization.profiles.list", item_id=item_id)["profiles"]
    return str(profile["asset_key"])


def title_kept(wire: Wire) -> bool:
    """Whether a property stays that an update does not name."""
    item_id = wire.upload({"a.tif": b"a"})[1][0]
    return "title" in wire.ok("items.update", item_id=item_id, properties={"gsd": 1})["properties"]


def updated(wire: Wire) -> int:
    """How an update is answered."""
    return wire.post("items.update", item_id=wire.upload({"a.tif": b"a"})[1][0], name="n").status_code


def item_named(wire: Wire) -> bool:
    """Whether an item tells the name of its file."""
    return wire.ok("items.get", item_id=wire.upload({"a.tif": b"a"})[1][0])["item"]["name"] == "a.tif"


def placed(wire: Wire) -> Any:
    """The answer to an order."""
    body = {"projectId": "p-1", "captures": [SCENE]}
    return wire.http.post(
        "/v1/op/orders.archive.place", json=body, headers={"Idempotency-Key": uuid.uuid4().hex}
    )


def minted(text: str, **more: Any) -> Callable[[Wire], bool]:
    """A probe for whether a signed URL has a text in it."""
    body = {"file_name": "a.tif", "content_type": "image/tiff", **more}
    return lambda wire: text in wire.ok("uploads.signed_url", upload_id=wire.initiate(), **body)["upload_url"]


def token(member: str) -> Callable[[Wire], Any]:
    """A probe for a member of the token endpoint's answer."""
    form = {"grant_type": "client_credentials", "client_id": "geopera"}
    return lambda wire: wire.token(**form, client_secret=wire.box.api_key).json()[member]


def refused_later(wire: Wire) -> bool:
    """Whether Retry-After is a number."""
    return again_after(wire).isdigit()


def again_after(wire: Wire) -> str:
    """Retry-After of the first call that is one too many; a window may end in between."""
    while (answer := wire.post("api_keys.list")).status_code == 200:
        pass
    return str(answer.headers["retry-after"])


def detail(wire: Wire) -> tuple[str, bool]:
    """What kind of thing the detail of a 422 is, and whether there are errors beside it."""
    body = wire.post("items.get").json()
    return type(body["detail"]).__name__, "errors" in body


def by(key: str) -> Callable[[Wire], int]:
    """A probe for how a key is taken."""
    return lambda wire: (
        wire.bare.post(
            f"{wire.box.base_url}/v1/op/items.list", json={"project_id": "p-1"}, headers={"X-API-Key": key}
        ).status_code
    )


def logged_in(username: str, password: str) -> Callable[[Wire], int]:
    """A probe for the password grant."""
    return lambda wire: wire.token(grant_type="password", username=username, password=password).status_code


POOR = {"credits": 0}
LONG = {"rate_window": 1e9}
INITIATE = {"project_id": "p-1", "total_bytes": 2}
ROWS = {
    "public_host": Row("localhost", minted("//localhost:"), without=False, having=True),
    "api_key": Row("gpra_mine", by("gpra_mine"), 401, 200),
    "keys": Row((Key("gpra_2"),), by("gpra_2"), 401, 200),
    "username": Row("me", logged_in("me", "demo"), 400, 200),
    "password": Row("secret", logged_in("demo", "secret"), 400, 200),
    "organization": Row("org-7", status("usage.current", organization_id="org-7"), 404, 200),
    "projects": Row(("p-7", "p-1"), status("items.list", project_id="p-7"), 404, 200),
    "quota_bytes": Row(1, status("uploads.initiate", **INITIATE), 200, 402),
    "credits": Row(0, lambda wire: placed(wire).status_code, 202, 402),
    "url_life": Row(60.0, minted("Expires=60&"), without=False, having=True),
    "token_life": Row(60.0, token("expires_in"), 300, 60),
    "refresh_life": Row(60.0, token("refresh_expires_in"), 1800, 60),
    "rate_limit": Row(1, twice("api_keys.list"), [200, 200], [200, 429], LONG),
    "rate_window": Row(
        1e9, lambda wire: int(again_after(wire)) > 60, without=False, having=True, more={"rate_limit": 1}
    ),
    "order_rate_limit": Row(
        1, lambda wire: [placed(wire).status_code for _ in "ab"], [202, 202], [202, 429], LONG
    ),
    "session_rate_limit": Row(1, twice("uploads.initiate", **INITIATE), [200, 200], [200, 429], LONG),
    "retry_after": Row("date", refused_later, without=True, having=False, more={"rate_limit": 1, **LONG}),
    "replay_initiate": Row(value=True, probe=initiated_twice, without=2, having=1),
    "items_per": Row("session", items_of_two_files, 2, 1),
    "repeat_item_ids": Row(value=True, probe=completed_twice, without=0, having=1),
    "repeat_fail": Row("ok", failed_twice, 409, 200),
    "transfer_methods": Row(
        "published", status("uploads.initiate", project_id="p-1", transfer_method="signed_url"), 200, 422
    ),
    "validation": Row("problem", detail, ("list", False), ("str", False)),
    "validation errors": Row("errors", detail, ("list", False), ("str", True)),
    "items_visible_after": Row(60.0, new_item, 200, 404),
    "place_status": Row("200", lambda wire: placed(wire).status_code, 202, 200),
    "order_status": Row(
        "awaiting_data", lambda wire: placed(wire).json()["status"], "processing", "awaiting_data"
    ),
    "card": Row("plain", lambda wire: placed(wire).status_code, 402, 202, POOR),
    "card 3ds": Row(
        "3ds", lambda wire: "client_secret" in placed(wire).json(), without=False, having=True, more=POOR
    ),
    "names_in_items": Row(value=False, probe=item_named, without=True, having=False),
    "repeated_asset_key": Row("replace", keys, ["a", "a-2"], ["a"]),
    "repeated_asset_key refuse": Row("refuse", same_key, 200, 422),
    "item_box": Row("union", east, 0.4, 5.4),
    "default_view": Row("newest", shown_first, "a", "b"),
    "update_properties": Row("merge", title_kept, without=False, having=True),
    "items_update": Row("unknown", updated, 200, 404),
    "resumable": Row(
        value=True, probe=minted("x-goog-resumable", resumable=True), without=False, having=True
    ),
}
ELSEWHERE = {
    "root": "every test",
    "host": "test_sandbox_start",
    "port": "test_sandbox_start",
    "store_port": "test_sandbox_start",
    "latency": "test_sandbox_faults",
    "seed": "test_sandbox_faults",
    "delivery_after": "test_sandbox_orders",
    "pipeline_delay": "test_sandbox_pipeline",
    "paint_deadline": "test_sandbox_pipeline",
    "store_keys": "test_sandbox_resumable",
}
"""Options that are no choice of behaviour, or take long to see, and where they are tried."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A sandbox with nothing switched; only calls are not counted."""
    with Sandbox(Options(root=tmp_path_factory.mktemp("plain"), rate_limit=0)) as box, Wire(box) as wire:
        yield wire


@pytest.mark.parametrize("name", ROWS)
def test_a_switch_changes_what_it_says(
    name: str, plain: Wire, open_wire: Callable[..., Wire], tmp_path: Path
) -> None:
    """The same probe without the switch and with it."""
    row, option = ROWS[name], name.partition(" ")[0]
    more = {"rate_limit": 0, **row.more}
    before = row.probe(open_wire(root=tmp_path / "plain", **more) if row.more else plain)
    after = row.probe(open_wire(**{**more, option: row.value}))

    assert (before, after) == (row.without, row.having)


def test_no_switch_is_left_out() -> None:
    """Every option has its row, or another place where it is tried."""
    told = {name.partition(" ")[0] for name in ROWS}

    assert told | ELSEWHERE.keys() == {one.name for one in fields(Options)}
    assert not told & ELSEWHERE.keys()
