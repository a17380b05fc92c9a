"""Sessions: quota, targets, what each state forbids, what complete makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit import audit, problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit


def test_a_reservation_beyond_the_quota_gets_402(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """What does not fit beside the open reservations is refused and reserves nothing."""
    wire = open_wire(quota_bytes=100)
    wire.initiate(60)
    refused = wire.post("uploads.initiate", project_id="p-1", total_bytes=41)

    assert (refused.status_code, refused.headers["content-type"]) == (402, "application/problem+json")
    assert audit(tmp_path / "root").reserved_bytes == 60
    wire.initiate(40)


def test_fail_gives_the_reservation_back(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """After fail the whole quota is free again and the stored bytes are gone."""
    wire = open_wire(quota_bytes=100)
    upload_id = wire.initiate(100)
    wire.store(upload_id, "a.tif", b"abc")
    wire.ok("uploads.fail", upload_id=upload_id, error_message="no", error_step="transfer")
    found = audit(tmp_path / "root")

    assert (found.reserved_bytes, found.used_bytes, found.objects) == (0, 0, ())
    assert (
        found.sessions[0].state,
        found.sessions[0].error_message,
        found.sessions[0].error_step,
    ) == ("failed", "no", "transfer")
    assert [path for path in (tmp_path / "root" / "objects").rglob("*") if path.is_file()] == []
    wire.initiate(100)


def test_complete_counts_the_real_bytes(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """A reservation that was too large or too small ends as the bytes that were stored."""
    wire = open_wire(quota_bytes=1000)
    wire.upload({"a.tif": b"x" * 10}, is_categorical=True)
    upload_id = wire.initiate(1)
    wire.store(upload_id, "b.tif", b"x" * 30)
    wire.ok("uploads.complete", upload_id=upload_id)

    assert (audit(tmp_path / "root").reserved_bytes, audit(tmp_path / "root").used_bytes) == (0, 40)


def test_complete_refuses_bytes_beyond_the_quota(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """More bytes than were reserved must still fit, else nothing is made and the session stays open."""
    wire = open_wire(quota_bytes=20)
    upload_id = wire.initiate(1)
    wire.store(upload_id, "b.tif", b"x" * 30)
    refused = wire.post("uploads.complete", upload_id=upload_id)
    found = audit(tmp_path / "root")

    assert (refused.status_code, found.reserved_bytes, found.items) == (402, 1, ())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"project_id": "p-9"}, 404),
        ({"project_id": "p-1", "target_collection_id": "col_none"}, 404),
        ({"project_id": "p-1", "target_item_id": "it_none"}, 404),
        ({"project_id": "p-2", "target_collection_id": "COLLECTION"}, 422),
        ({"project_id": "p-2", "target_item_id": "ITEM"}, 422),
        ({"project_id": "p-1", "target_collection_id": "COLLECTION"}, 200),
    ],
)
def test_targets_must_exist_in_the_project(
    open_wire: Callable[..., Wire], body: dict[str, Any], status: int
) -> None:
    """An unknown target is a 404, one of another project a 422 on its field."""
    wire = open_wire(projects=("p-1", "p-2"))
    known = {"COLLECTION": wire.ok("collections.create", project_id="p-1", name="c")["id"]}
    known["ITEM"] = wire.upload({"a.tif": b"a"})[1][0]
    body = {name: known.get(value, value) for name, value in body.items()}

    assert status == wire.post("uploads.initiate", **body).status_code


def test_a_session_takes_no_more_names_than_announced(shared: Wire) -> None:
    """The second name of a session for one file is refused; the first one may be asked for again."""
    upload_id = shared.initiate(file_count=1)
    shared.url(upload_id, "a.tif")
    refused = shared.post("uploads.signed_url", upload_id=upload_id, file_name="b.tif")
    shared.url(upload_id, "a.tif")

    assert refused.status_code == 422


def test_complete_names_what_is_missing(shared: Wire) -> None:
    """Files without bytes are named, and files that never had a URL are counted."""
    upload_id = shared.initiate(file_count=3)
    shared.store(upload_id, "here.tif", b"a")
    shared.url(upload_id, "gone.tif")
    refused = shared.post("uploads.complete", upload_id=upload_id)
    text = refused.text

    assert refused.status_code == 422
    assert "gone.tif" in text
    assert "here.tif" not in text
    assert "3 file(s) were announced, 2 had a URL" in text


@pytest.mark.parametrize("end", ["completed", "failed"])
@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("uploads.signed_url", {"file_name": "a.tif"}),
        ("uploads.progress", {"bytes_uploaded": 1}),
        ("uploads.complete", {}),
        ("uploads.fail", {"error_message": "late"}),
    ],
)
def test_ended_sessions_refuse(shared: Wire, end: str, operation: str, more: dict[str, Any]) -> None:
    """Every call on an ended session is a 409, but a repeated complete, which is a no-op without ids."""
    upload_id = shared.initiate()
    shared.store(upload_id, "a.tif", b"a")
    last = {"completed": ("uploads.complete", {}), "failed": ("uploads.fail", {"error_message": "x"})}[end]
    shared.ok(last[0], upload_id=upload_id, **last[1])
    response = shared.post(operation, upload_id=upload_id, **more)

    if (operation, end) == ("uploads.complete", "completed"):
        assert (200, {"id": upload_id, "item_ids": []}) == (response.status_code, response.json())
    else:
        assert response.status_code == 409


def test_repeats_can_be_kinder(open_wire: Callable[..., Wire]) -> None:
    """With the switches a repeated complete tells the ids again and a repeated fail succeeds."""
    wire = open_wire(repeat_item_ids=True, repeat_fail="ok")
    upload_id, item_ids = wire.upload({"a.tif": b"a"})
    failed = wire.initiate()

    assert item_ids == wire.ok("uploads.complete", upload_id=upload_id)["item_ids"]
    assert [wire.post("uploads.fail", upload_id=failed, error_message="x").status_code for _ in range(2)] == [
        200,
        200,
    ]


def test_unknown_sessions_are_404(shared: Wire) -> None:
    """No session, no answer."""
    assert shared.post("uploads.complete", upload_id="u_none").status_code == 404


def test_published_transfer_methods_can_be_enforced(open_wire: Callable[..., Wire]) -> None:
    """With the published enum, the guide's word is a 422 that names the field; `cli` passes."""
    wire = open_wire(transfer_methods="published")
    refused = wire.post("uploads.initiate", project_id="p-1", transfer_method="signed_url")

    assert (refused.status_code, refused.json()["detail"][0]["loc"][-1]) == (422, "transfer_method")
    wire.initiate(transfer_method="cli")


def test_one_item_per_file(wire: Wire, tmp_path: Path) -> None:
    """Each file becomes an item that names it, its session and its hints, with an edge to the session."""
    collection = wire.ok("collections.create", project_id="p-1", name="c")["id"]
    files = {"a.tif": b"a", "b ü.tif": b"bb"}
    upload_id, item_ids = wire.upload(
        files, target_collection_id=collection, asset_key="dem", is_categorical=True
    )
    found = audit(tmp_path / "root")

    assert problems(found) == []
    assert sorted(item_ids) == sorted(one.id for one in found.items)
    assert [
        ("a.tif", "dem", True, upload_id, collection),
        ("b ü.tif", "dem", True, upload_id, collection),
    ] == [
        (one.file_name, one.asset_key, one.is_categorical, one.upload_id, one.collection_id)
        for one in found.items
    ]
    for item_id in item_ids:
        edges = wire.ok("provenance.get", entity_type="item", entity_id=item_id)["edges"]
        assert [("item", item_id, "upload", upload_id)] == [
            (one["src_type"], one["src_id"], one["dst_type"], one["dst_id"]) for one in edges
        ]


def test_one_item_per_session(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """With the switch all files of a session become assets of one item, each under its own key."""
    wire = open_wire(items_per="session")
    _, item_ids = wire.upload({"a.tif": b"a", "b.tif": b"bb", "c.tif": b"c"})
    assets = wire.ok("items.list_assets", item_id=item_ids[0])["assets"]

    assert len(item_ids) == 1
    assert [(one["key"], one["file_name"]) for one in assets] == [
        ("data", "a.tif"),
        ("data-2", "b.tif"),
        ("data-3", "c.tif"),
    ]
    assert problems(audit(tmp_path / "root")) == []


def test_a_target_item_gets_assets(wire: Wire, tmp_path: Path) -> None:
    """No item is made; the asset joins the given one under the wanted key, and never replaces another."""
    _, (target,) = wire.upload({"a.tif": b"a"})
    first, nothing = wire.upload({"b.tif": b"b"}, target_item_id=target, asset_key="mask")
    wire.upload({"c.tif": b"c"}, target_item_id=target, asset_key="mask")
    found = audit(tmp_path / "root")

    assert nothing == []
    assert [one.asset_key for one in found.items] == ["data", "mask", "mask-2"]
    assert {target} == {one.id for one in found.items}
    assert first == found.items[1].upload_id
    assert problems(found) == []


def test_progress_is_noted(wire: Wire, tmp_path: Path) -> None:
    """Status and bytes are kept; a call without them changes nothing."""
    upload_id = wire.initiate()
    wire.ok("uploads.progress", upload_id=upload_id, status="uploading", bytes_uploaded=7)
    wire.ok("uploads.progress", upload_id=upload_id)
    session = audit(tmp_path / "root").sessions[0]

    assert (session.status, session.bytes_uploaded) == ("uploading", 7)


def test_usage_tells_what_is_taken(open_wire: Callable[..., Wire]) -> None:
    """Used, reserved and whole quota of the own organization; another one is hidden."""
    wire = open_wire(quota_bytes=100)
    wire.upload({"a.tif": b"aaa"})
    wire.initiate(5)
    storage = wire.ok("usage.current", organization_id="org-1")["storage"]

    assert storage == {"used_bytes": 3, "reserved_bytes": 5, "quota_bytes": 100}
    assert wire.post("usage.current", organization_id="org-2").status_code == 404
