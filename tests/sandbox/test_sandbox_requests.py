"""How operations are called: paths, methods, bodies, the shapes of refusals, the rate limit, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit import audit
from uploader.sandbox import Key, Options
from uploader.sandbox.errors import Refusal
from uploader.sandbox.limits import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "path", ["/v1/op/nope.at_all", "/v1/nope", "/v1/op/items/list", "/v1/items.list", "/else"]
)
def test_unknown_paths_are_problems(shared: Wire, path: str) -> None:
    """What is no operation gets a 404 in the platform's format."""
    response = shared.http.post(path, json={})

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= response.json().keys()


def test_get_is_for_reads_only(shared: Wire) -> None:
    """A GET on an operation that changes something is refused."""
    assert shared.http.get("/v1/op/uploads.initiate?project_id=p-1").status_code == 405


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"project_id": "p-1"}', "text/plain", 422),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"", "application/json", 422),
        (b'{"project_id": "' + b"x" * (1 << 20) + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_read(shared: Wire, content: bytes, kind: str, status: int) -> None:
    """Malformed, mistyped and giant bodies are refused, never a 500."""
    response = shared.http.post("/v1/op/uploads.initiate", content=content, headers={"Content-Type": kind})

    assert status == response.status_code


@pytest.mark.parametrize(
    ("shape", "has_list", "has_errors"),
    [("fastapi", True, False), ("problem", False, False), ("errors", False, True)],
)
def test_a_422_has_one_of_three_shapes(
    open_wire: Callable[..., Wire], shape: str, has_list: bool, has_errors: bool
) -> None:
    """The three shapes that are known can each be had."""
    body = open_wire(validation=shape).post("uploads.initiate", project_id="p-1", file_count=0).json()

    assert (has_list, has_errors) == (isinstance(body["detail"], list), "errors" in body)
    assert "file_count" in str(body)


@pytest.mark.parametrize(
    ("operation", "body", "field"),
    [
        ("uploads.initiate", {}, "project_id"),
        ("uploads.initiate", {"project_id": "p-1", "file_count": 0}, "file_count"),
        ("uploads.initiate", {"project_id": "p-1", "total_bytes": -1}, "total_bytes"),
        ("uploads.initiate", {"project_id": "p-1", "total_bytes": 10**30}, "total_bytes"),
        ("uploads.initiate", {"project_id": "p-1", "transfer_method": "ftp"}, "transfer_method"),
        ("uploads.signed_url", {"upload_id": "u", "file_name": ""}, "file_name"),
        ("uploads.signed_url", {"upload_id": "u", "file_name": "a/b.tif"}, "file_name"),
        ("uploads.signed_url", {"upload_id": "u", "file_name": ".."}, "file_name"),
        ("uploads.signed_url", {"upload_id": "u", "file_name": "a\nb"}, "file_name"),
        ("uploads.signed_url", {"upload_id": "u", "file_name": "ä" * 128}, "file_name"),
        (
            "uploads.signed_url",
            {"upload_id": "u", "file_name": "a", "content_type": "a\r\nb"},
            "content_type",
        ),
        ("uploads.progress", {"upload_id": "u", "status": "completed"}, "status"),
        ("uploads.complete", {}, "upload_id"),
        ("uploads.fail", {"upload_id": "u"}, "error_message"),
        ("items.list", {"project_id": "p-1", "limit": 0}, "limit"),
        ("provenance.get", {"entity_type": "upload", "entity_id": "u"}, "entity_type"),
    ],
)
def test_fields_are_validated(shared: Wire, operation: str, body: dict[str, Any], field: str) -> None:
    """A wrong field is named by the last part of its loc, before anything happened."""
    response = shared.post(operation, **body)

    assert response.status_code == 422
    assert field == response.json()["detail"][0]["loc"][-1]


def test_the_same_operation_has_three_addresses(shared: Wire) -> None:
    """Canonical path, path with slashes, and GET with a query answer alike."""
    answers = [
        shared.http.post("/v1/op/items.list", json={"project_id": "p-1"}),
        shared.http.post("/v1/items/list", json={"project_id": "p-1"}),
        shared.http.get("/v1/op/items.list?project_id=p-1&limit=5"),
        shared.http.get("/v1/items/search?project_id=p-1&bbox=0,0,1,1&collections=a,b"),
    ]

    assert [one.status_code for one in answers] == [200] * 4


@pytest.mark.parametrize(("form", "value"), [("seconds", "51"), ("date", "Thu, 01 Jan 1970 00:17:00 GMT")])
def test_the_window_is_fixed(tmp_path: Path, form: Any, value: str) -> None:
    """The third call of a window of two is refused until the window's end, which Retry-After tells in both forms."""
    window = Window(Options(root=tmp_path, retry_after=form))
    window.count("org-1", 962, 2)
    window.count("org-1", 963, 2)
    with pytest.raises(Refusal) as caught:
        window.count("org-1", 969.5, 2)

    assert (429, value) == (caught.value.status, caught.value.headers["Retry-After"])
    window.count("org-2", 969.5, 2)
    window.count("org-1", 1020, 2)


def test_the_rate_limit_is_a_problem(open_wire: Callable[..., Wire]) -> None:
    """The call beyond the limit gets 429 with Retry-After, and counts for every key of the organization."""
    wire = open_wire(rate_limit=2, rate_window=1e9, keys=(Key("gpra_2"),))
    statuses = [wire.post("items.list", project_id="p-1").status_code for _ in range(2)]
    wire.http.headers["Authorization"] = "Bearer gpra_2"
    refused = wire.post("items.list", project_id="p-1")

    assert [*statuses, refused.status_code] == [200, 200, 429]
    assert int(refused.headers["retry-after"]) > 0


def test_initiate_is_not_replayed_by_default(wire: Wire, tmp_path: Path) -> None:
    """The harsh reading: the same key and body open two sessions."""
    headers = {"Idempotency-Key": "k"}
    body = {"project_id": "p-1", "total_bytes": 5}
    ids = {
        wire.http.post("/v1/op/uploads.initiate", json=body, headers=headers).json()["id"] for _ in range(2)
    }

    assert len(ids) == 2
    assert audit(tmp_path / "root").reserved_bytes == 10


def test_initiate_is_replayed_when_asked_for(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """Same key and body: the same session; other body: 409; other path or key: another session."""
    wire = open_wire(replay_initiate=True)

    def send(path: str = "/v1/op/uploads.initiate", key: str = "k", size: int = 5) -> Any:
        return wire.http.post(
            path, json={"project_id": "p-1", "total_bytes": size}, headers={"Idempotency-Key": key}
        )

    first, again, other = send(), send(), send(size=6)

    assert first.content == again.content
    assert other.status_code == 409
    assert (
        len({first.json()["id"], send("/v1/uploads/initiate").json()["id"], send(key="l").json()["id"]}) == 3
    )
    assert audit(tmp_path / "root").reserved_bytes == 15
