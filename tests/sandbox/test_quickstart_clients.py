"""The quickstart with the platform's own clients, unchanged: the SDK fluent, sync and async, and the command line."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.official import command

geopera = pytest.importorskip("geopera")

from geopera.api.operations import (  # noqa: E402  after the check that it is there
    catalog_search,
    orders_archive_estimate,
    orders_archive_place,
    orders_get,
)
from geopera.models import (  # noqa: E402  as above
    ArchiveEstimateInput,
    CatalogSearchInput,
    OrderGetInput,
    OrdersArchivePlaceBodyType0,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit

SEARCH = {"host_name": "harbour-archive", "bbox": [151.1, -33.9, 151.2, -33.8], "limit": 1}


@pytest.fixture
def quick(open_wire: Callable[..., Wire]) -> Wire:
    """A sandbox that delivers fast."""
    return open_wire(delivery_after=0.1)


def token(wire: Wire) -> str:
    """An access token for the main key."""
    form = {"grant_type": "client_credentials", "client_id": "geopera", "client_secret": wire.box.api_key}
    return wire.token(**form).json()["access_token"]


def cart(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The captures of a search, ready to order."""
    return [
        {"id": one["id"], "host": "harbour-archive", "geometry": one["geometry"]} for one in found["features"]
    ]


def test_the_fluent_client(quick: Wire) -> None:
    """Search, estimate, place, get by namespace; then a key, minted and used."""
    client = geopera.Geopera(token=token(quick), base_url=quick.box.base_url)
    captures = cart(client.catalog.search(SEARCH).to_dict())
    priced = client.orders.archive.estimate({"captures": captures})
    order = client.orders.archive.place({"projectId": "p-1", "captures": captures})
    time.sleep(0.15)
    delivered = client.orders.get({"order_id": order["id"]})
    minted = client.api_keys.create({"name": "robot", "permissions": ["items:read"]})
    reader = geopera.Geopera(token=minted.key, base_url=quick.box.base_url)
    item = reader.items.get({"item_id": delivered["itemIds"][0]}).item

    assert (order["totalCredits"], order["totalAud"]) == (priced.total_credits, priced.total_aud)
    assert (order["status"], delivered["status"]) == ("processing", "delivered")
    assert item["order_id"] == order["id"]
    assert reader.api_keys.create({"name": "x"}).status == 403


def test_the_generated_client(quick: Wire) -> None:
    """The same with the generated modules and their typed responses; the answer to place is the published 202."""
    client = geopera.AuthenticatedClient(base_url=quick.box.base_url, token=quick.box.api_key)
    found = catalog_search.sync(client=client, body=CatalogSearchInput.from_dict(SEARCH))
    captures = cart(found.to_dict())
    wanted = ArchiveEstimateInput.from_dict({"captures": captures})
    priced = orders_archive_estimate.sync_detailed(client=client, body=wanted)
    body = OrdersArchivePlaceBodyType0.from_dict({"projectId": "p-1", "captures": captures})
    placed = orders_archive_place.sync_detailed(client=client, body=body)
    order = orders_get.sync(client=client, body=OrderGetInput(order_id=placed.parsed["id"]))

    assert (int(priced.status_code), int(placed.status_code)) == (200, 202)
    assert order["totalCredits"] == priced.parsed.total_credits > 0


@pytest.mark.anyio
async def test_the_asynchronous_client(quick: Wire) -> None:
    """The same without waiting."""
    async with geopera.AuthenticatedClient(base_url=quick.box.base_url, token=quick.box.api_key) as client:
        found = await catalog_search.asyncio(client=client, body=CatalogSearchInput.from_dict(SEARCH))
        captures = cart(found.to_dict())
        wanted = ArchiveEstimateInput.from_dict({"captures": captures})
        priced = await orders_archive_estimate.asyncio(client=client, body=wanted)
        body = OrdersArchivePlaceBodyType0.from_dict({"projectId": "p-1", "captures": captures})
        order = await orders_archive_place.asyncio(client=client, body=body)

    assert order["totalCredits"] == priced.total_credits > 0


def test_the_command_line(quick: Wire) -> None:
    """Search by flags, the rest by JSON, the order by its id."""
    box = ["--bbox", "151.1", "--bbox", "-33.9", "--bbox", "151.2", "--bbox", "-33.8"]
    captures = cart(
        command(quick, "catalog", "search", "--host-name", "harbour-archive", *box, "--limit", "1")
    )
    text = json.dumps({"projectId": "p-1", "captures": captures})
    priced = command(quick, "orders", "archive", "estimate", "--json", text)
    order = command(quick, "orders", "archive", "place", "--json", text)
    time.sleep(0.15)
    delivered = command(quick, "orders", "get", "--order-id", order["id"])

    assert order["totalCredits"] == priced["total_credits"] > 0
    assert (delivered["status"], len(delivered["itemIds"])) == ("delivered", 1)
