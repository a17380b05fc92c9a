"""Misbehaviour on order: which calls are struck, and what each kind does on the wire and in the history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import ValidationError

from tests.support.audit import audit, problems
from uploader.sandbox import Fault, When
from uploader.sandbox.faults import Faults
from uploader.sandbox.world import Latency

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({}, "xxxxxx"),
        ({"nth": 2}, ".x...."),
        ({"every": 2}, ".x.x.x"),
        ({"count": 2}, "xx...."),
        ({"every": 2, "count": 1}, ".x...."),
        ({"probability": 0.0}, "......"),
        ({"probability": 1.0}, "xxxxxx"),
    ],
)
def test_rules_strike_as_told(when: dict[str, Any], struck: str) -> None:
    """Each condition chooses the calls it says, counting only those of its operation."""
    faults = Faults(seed=1)
    faults.add(Fault(operation="token", kind="cut_before", when=When(**when)))
    drawn = "".join("x" if faults.draw("token") else "." for _ in struck)

    assert drawn == struck
    assert faults.draw("uploads.fail") is None
    assert faults.listed()[0]["seen"] == len(struck)


def test_probability_is_repeatable() -> None:
    """The same seed strikes the same calls, another seed others, and about as many as asked for."""

    def run(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault(operation="*", kind="cut_before", when=When(probability=0.3)))
        return [faults.draw("token") is not None for _ in range(1000)]

    assert run(1) == run(1) != run(2)
    assert 250 < sum(run(1)) < 350


@pytest.mark.parametrize(
    "rule",
    [
        {"operation": "token", "kind": "explode"},
        {"operation": "token", "kind": "cut_before", "commit": True},
        {"operation": "token", "kind": "cut_before", "after_bytes": 5},
        {"operation": "token", "kind": "status", "when": {"nth": 0}},
        {"operation": "token", "kind": "status", "statuss": 500},
    ],
)
def test_meaningless_rules_are_refused(shared: Wire, rule: dict[str, Any]) -> None:
    """A rule that says nothing, or what cannot be done, is a 422 and an error in Python."""
    response = shared.bare.post(shared.box.base_url + "/sandbox/faults", json=rule)

    assert response.status_code == 422
    with pytest.raises(ValidationError):
        Fault.model_validate(rule)


def test_rules_can_be_listed_and_dropped(wire: Wire) -> None:
    """GET shows the rules with their counters, DELETE ends them."""
    url = wire.box.base_url + "/sandbox/faults"
    wire.fault(operation="items.list", kind="status", status=500)
    wire.post("items.list", project_id="p-1")
    listed = wire.bare.get(url).json()["faults"]
    wire.bare.delete(url)

    assert [(one["operation"], one["struck"]) for one in listed] == [("items.list", 1)]
    assert wire.bare.get(url).json() == {"faults": []}
    wire.ok("items.list", project_id="p-1")


def test_a_cut_before_has_no_effect(wire: Wire, tmp_path: Path) -> None:
    """The connection ends without an answer, and nothing was reserved."""
    wire.fault(operation="uploads.initiate", kind="cut_before", when={"count": 1})
    with pytest.raises(httpx.TransportError):
        wire.initiate()
    found = audit(tmp_path / "root")

    assert (found.sessions, found.calls()[0].sent, found.calls()[0].committed) == ((), False, False)


def test_a_cut_after_has_its_effect(wire: Wire, tmp_path: Path) -> None:
    """The connection ends without an answer, but the session is there and the history tells both."""
    wire.fault(operation="uploads.initiate", kind="cut_after", when={"count": 1})
    with pytest.raises(httpx.TransportError):
        wire.initiate(70)
    found = audit(tmp_path / "root")
    call = found.calls()[0]

    assert (len(found.sessions), found.reserved_bytes) == (1, 70)
    assert (call.status, call.sent, call.committed, call.detail) == (200, False, True, "fault:cut_after")
    assert len(problems(found)) == 2


@pytest.mark.parametrize(
    ("body", "kind", "check"),
    [
        ("native", "application/problem+json", lambda text: '"status": 503' in text),
        ("html", "text/html; charset=utf-8", lambda text: text.startswith("<!DOCTYPE")),
        ("empty", "application/json", lambda text: not text),
        ("broken", "application/problem+json", lambda text: text.startswith("{") and not text.endswith("}")),
        ("giant", "application/problem+json", lambda text: len(text) > 32 << 20),
    ],
)
def test_bodies_of_faked_answers(shared: Wire, body: str, kind: str, check: Callable[[str], bool]) -> None:
    """A faked status comes in the ordered dress, with Retry-After where wanted."""
    shared.fault(operation="items.list", kind="status", body=body, retry_after=7, when={"count": 1})
    response = shared.post("items.list", project_id="p-1")

    assert (response.status_code, response.headers["content-type"]) == (503, kind)
    assert response.headers["retry-after"] == "7"
    assert check(response.text)


def test_a_truncated_body_breaks_the_connection(wire: Wire) -> None:
    """The announced length never arrives."""
    wire.fault(operation="items.list", kind="status", body="truncated", when={"count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        wire.post("items.list", project_id="p-1")


def test_faked_answers_fit_their_surface(wire: Wire) -> None:
    """The token endpoint fails in OAuth's words, the store in XML; Retry-After can be a date."""
    wire.fault(operation="token", kind="status", status=500, retry_after=5, retry_after_form="date")
    wire.fault(operation="store.put", kind="status", status=503)
    token = wire.token(grant_type="password", username="demo", password="demo")
    stored = wire.put(wire.url(wire.initiate(), "a.tif"), b"abc")

    assert (token.status_code, token.json()["error"]) == (500, "server_error")
    assert token.headers["retry-after"].endswith("GMT")
    assert (stored.status_code, "<Code>ServiceUnavailable</Code>" in stored.text) == (503, True)


def test_a_committed_failure_has_its_effect(wire: Wire, tmp_path: Path) -> None:
    """Complete answers 500 after the items were made; the repeat is the documented no-op."""
    wire.fault(operation="uploads.complete", kind="status", status=500, commit=True, when={"nth": 1})
    upload_id = wire.initiate()
    wire.store(upload_id, "a.tif", b"a")
    first = wire.post("uploads.complete", upload_id=upload_id)
    again = wire.ok("uploads.complete", upload_id=upload_id)

    assert (first.status_code, again["item_ids"]) == (500, [])
    assert audit(tmp_path / "root").file_names == ["a.tif"]


@pytest.mark.parametrize("kind", ["delay_before", "delay_after", "stall"])
def test_delays_take_their_time(shared: Wire, kind: str) -> None:
    """A delayed answer comes late, a stalled one not at all."""
    shared.fault(operation="items.get", kind=kind, seconds=0.2, when={"count": 1})
    begin = time.monotonic()
    try:
        status = shared.post("items.get", item_id="it_none").status_code
    except httpx.TransportError:
        status = None

    assert time.monotonic() - begin >= 0.2
    assert status == (None if kind == "stall" else 404)


def test_the_store_can_be_cut_at_a_byte(wire: Wire, tmp_path: Path) -> None:
    """The connection ends after so many bytes of the body, and no object appears."""
    wire.fault(operation="store.put", kind="cut_before", after_bytes=1 << 20, when={"count": 1})
    url = wire.url(wire.initiate(), "a.tif")
    with pytest.raises(httpx.TransportError):
        wire.put(url, bytes(64 << 20))
    found = audit(tmp_path / "root")

    assert found.objects == ()
    assert 1 << 20 <= found.calls("store.put")[0].bytes_in < 64 << 20


def test_the_store_can_lie_about_its_hash(wire: Wire, tmp_path: Path) -> None:
    """wrong_hash reports another hash of right bytes; corrupt keeps other bytes and reports them truly."""
    wire.fault(operation="store.put", kind="wrong_hash", when={"nth": 1})
    wire.fault(operation="store.put", kind="corrupt", when={"nth": 2})
    url = wire.url(wire.initiate(), "a.tif")
    answers, stored = [], []
    for _ in range(3):
        answers.append(wire.put(url, b"abc").headers["x-goog-hash"])
        stored.append(audit(tmp_path / "root").objects[0].real_md5)

    assert len(set(answers)) == 3
    assert stored[0] == stored[2] != stored[1]


def test_urls_can_be_born_dead(wire: Wire) -> None:
    """A struck signed_url mints an expired URL, a struck PUT is refused as expired; the next ones work."""
    wire.fault(operation="uploads.signed_url", kind="expired_url", when={"nth": 1})
    upload_id = wire.initiate()
    dead = wire.put(wire.url(upload_id, "a.tif"), b"a")
    wire.fault(operation="store.put", kind="expired_url", when={"nth": 1})
    refused = wire.put(wire.url(upload_id, "a.tif"), b"a")

    assert [dead.status_code, refused.status_code] == [400, 400]
    assert "ExpiredToken" in dead.text
    assert "ExpiredToken" in refused.text
    wire.store(upload_id, "a.tif", b"a")


@pytest.mark.parametrize("status", [404, 410])
def test_sessions_can_be_lost(wire: Wire, tmp_path: Path, status: int) -> None:
    """A lost session is unknown to every later call, and its reservation is free."""
    wire.fault(operation="uploads.complete", kind="lose_session", status=status, when={"nth": 1})
    upload_id = wire.initiate()
    wire.store(upload_id, "a.tif", b"a")
    statuses = [wire.post("uploads.complete", upload_id=upload_id).status_code]
    statuses.append(wire.post("uploads.fail", upload_id=upload_id, error_message="x").status_code)
    found = audit(tmp_path / "root")

    assert statuses == [status, status]
    assert (found.sessions[0].state, found.reserved_bytes) == ("lost", 0)


def test_latency_is_bounded_and_repeatable(open_wire: Callable[..., Wire]) -> None:
    """Delays lie below the longest one, come again with the same seed, and reach the wire."""
    one, other = Latency(0.5, 3), Latency(0.5, 3)
    drawn = [one.draw() for _ in range(100)]
    wire = open_wire(latency=0.05, seed=3)
    expected = Latency(0.05, 3).draw()
    begin = time.monotonic()
    wire.ok("items.list", project_id="p-1")

    assert drawn == [other.draw() for _ in range(100)]
    assert max(drawn) < 0.5
    assert time.monotonic() - begin >= expected


def test_a_client_that_left_is_noted(wire: Wire, tmp_path: Path) -> None:
    """When the client gave up before its answer, the effect stands and the history says that nobody got it."""
    wire.fault(operation="uploads.initiate", kind="delay_after", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        wire.http.post("/v1/op/uploads.initiate", json={"project_id": "p-1"}, timeout=0.1)
    deadline = time.monotonic() + 60
    unsent: list[Any] = []
    while not unsent and time.monotonic() < deadline:
        time.sleep(0.02)
        unsent = [one for one in audit(tmp_path / "root").history if one.kind == "unsent"]

    assert [one.operation for one in unsent] == ["uploads.initiate"]


def test_quota_can_be_changed(wire: Wire) -> None:
    """A smaller quota refuses at once, a larger one lets in again; the state tells both."""
    url = wire.box.base_url + "/sandbox/"
    state = wire.bare.post(url + "quota", json={"quota_bytes": 10}).json()
    refused = wire.post("uploads.initiate", project_id="p-1", total_bytes=11).status_code
    wire.bare.post(url + "quota", json={"quota_bytes": 11})
    wire.initiate(11)
    after = wire.bare.get(url + "state").json()

    assert (state["quota_bytes"], refused) == (10, 402)
    assert (after["sessions"], after["reserved_bytes"], after["items"]) == ({"open": 1}, 11, 0)
    assert wire.box.state() == after
