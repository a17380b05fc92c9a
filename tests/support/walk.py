"""One good call of every operation that has a typed answer, on one sandbox: for checks that hold for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.support.wire import Wire

SCENE = {"id": "HA50_20240108_SYD01", "host": "harbour-archive"}


def walk(wire: Wire, raster: bytes) -> dict[str, httpx.Response]:
    """Upload a raster, order a scene and read everything back; gives the last answer of each operation.

    The sandbox should deliver orders at once (`delivery_after=0`).
    """
    answers: dict[str, httpx.Response] = {}

    def call(operation: str, **body: Any) -> Any:
        answers[operation] = answer = wire.post(operation, **body)
        assert answer.status_code in (200, 202), (operation, answer.text)
        return answer.json()

    _upload(wire, call, raster)
    item_id = call("items.list", project_id="p-1")["items"][0]["id"]
    for operation in ("items.get", "items.get_stac", "items.lineage"):
        call(operation, item_id=item_id)
    asset = call("items.list_assets", item_id=item_id)["assets"][0]
    call("items.asset.download", item_id=item_id, asset_id=asset["id"])
    call("items.search", project_id="p-1", format="stac")
    call("provenance.get", entity_type="item", entity_id=item_id)
    _order(call)
    call("usage.current", organization_id="org-1")
    made = call("api_keys.create", name="robot", permissions=["items:read"], expires_in_days=30)
    call("api_keys.list")
    call("api_keys.revoke", key_id=made["id"])
    call("stac.search", sortby=[{"field": "properties.datetime"}])
    call("items.delete", item_id=call("items.list", project_id="p-1")["items"][0]["id"])
    return answers


def _upload(wire: Wire, call: Any, raster: bytes) -> None:
    collection = call("collections.create", project_id="p-1", name="Harbour")["id"]
    call("collections.list", project_id="p-1")
    call("collections.get", project_id="p-1", collection_id=collection)
    body = {"project_id": "p-1", "total_bytes": len(raster), "target_collection_id": collection}
    upload_id = call("uploads.initiate", **body)["id"]
    call("uploads.fail", upload_id=upload_id, error_message="changed my mind")
    upload_id = call("uploads.initiate", **body)["id"]
    wanted = {"upload_id": upload_id, "file_name": "a.tif", "content_type": "image/tiff"}
    url = call("uploads.signed_url", **wanted)["upload_url"]
    assert wire.put(url, raster).status_code == 200
    call("uploads.progress", upload_id=upload_id, bytes_uploaded=len(raster))
    call("uploads.complete", upload_id=upload_id)


def _order(call: Any) -> None:
    call("catalog.search", host_name=SCENE["host"], ids=[SCENE["id"]])
    call("orders.archive.estimate", captures=[SCENE, {"id": "nothing", "host": "nobody"}])
    order_id = call("orders.archive.place", projectId="p-1", captures=[SCENE])["id"]
    assert call("orders.get", order_id=order_id)["status"] == "delivered"
    call("orders.list")
