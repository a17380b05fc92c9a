"""api_keys.*: minted once, shown once, able to do what they were given and no more, until they end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.wire import Wire
from uploader.sandbox import Key, Options, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.unit


def mint(wire: Wire, *permissions: str, **more: Any) -> Any:
    """Make a key."""
    return wire.ok("api_keys.create", name="robot", permissions=list(permissions), **more)


def status(wire: Wire, key: str, operation: str, **body: Any) -> int:
    """What a key gets for a call."""
    with Wire(wire.box, key) as other:
        return other.post(operation, **body).status_code


def test_a_key_is_shown_once(wire: Wire, tmp_path: Path) -> None:
    """The answer has the secret, no later one has it, and the database does not either."""
    made = mint(wire, "items:read")
    (listed,) = wire.http.get("/v1/op/api_keys.list").json()["api_keys"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "root").glob("sandbox.sqlite*"))

    assert made["key"].startswith(made["prefix"])
    assert made["prefix"].startswith("gpra_")
    assert (listed["id"], listed["name"], listed["permissions"]) == (made["id"], "robot", ["items:read"])
    assert "key" not in listed
    assert made["key"].encode() not in kept


def test_permissions_are_scopes(wire: Wire) -> None:
    """A key may do what its permissions cover; one without permissions may do nothing."""
    uploader = mint(wire, "uploads:write", "items:*")["key"]
    nothing = mint(wire)["key"]

    assert status(wire, uploader, "uploads.initiate", project_id="p-1") == 200
    assert status(wire, uploader, "items.list", project_id="p-1") == 200
    assert status(wire, uploader, "usage.current", organization_id="org-1") == 403
    assert status(wire, nothing, "items.list", project_id="p-1") == 403
    assert status(wire, uploader, "api_keys.create", name="x") == 403


def test_a_key_is_worth_tokens(wire: Wire) -> None:
    """It is exchanged like any key, its tokens carry its scopes, and end with it."""
    made = mint(wire, "items:read")
    form = {"grant_type": "client_credentials", "client_id": "geopera", "client_secret": made["key"]}
    granted = wire.token(**form).json()
    before = status(wire, granted["access_token"], "items.list", project_id="p-1")
    wire.ok("api_keys.revoke", key_id=made["id"])
    renewed = wire.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])

    assert (granted["scope"], before) == ("items:read", 200)
    assert status(wire, granted["access_token"], "items.list", project_id="p-1") == 401
    assert status(wire, made["key"], "items.list", project_id="p-1") == 401
    assert (wire.token(**form).status_code, renewed.status_code) == (401, 400)
    assert wire.ok("api_keys.revoke", key_id=made["id"])["ok"] is True


def test_a_key_ends_in_time(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """After expires_in_days it is unknown."""
    made = mint(wire, "items:read", expires_in_days=1)
    assert status(wire, made["key"], "items.list", project_id="p-1") == 200
    later = time.time() + 86401
    monkeypatch.setattr("uploader.sandbox.access.time.time", lambda: later)

    assert made["expires_at"] > made["created_at"]
    assert status(wire, made["key"], "items.list", project_id="p-1") == 401


def test_a_key_has_its_own_window(open_wire: Callable[..., Wire]) -> None:
    """Its rate_limit counts its calls only."""
    wire = open_wire(rate_window=3600.0)
    key = mint(wire, "items:read", rate_limit=2)["key"]
    answers = [status(wire, key, "items.list", project_id="p-1") for _ in range(3)]

    assert answers == [200, 200, 429]
    assert wire.post("items.list", project_id="p-1").status_code == 200


def test_nobody_gives_what_they_do_not_have(open_wire: Callable[..., Wire]) -> None:
    """A key with some scopes mints keys with some of them; a member of projects mints none."""
    keys = (
        Key("gpra_some", scopes=("api_keys:*", "items:*")),
        Key("gpra_editor", roles={"p-1": "admin"}),
    )
    wire = open_wire(keys=keys)

    assert status(wire, "gpra_some", "api_keys.create", name="x", permissions=["items:read"]) == 200
    for more in ("uploads:write", "*:read", "*"):
        assert status(wire, "gpra_some", "api_keys.create", name="x", permissions=[more]) == 403
    assert status(wire, "gpra_editor", "api_keys.create", name="x") == 403
    assert status(wire, "gpra_editor", "api_keys.list") == 403


def test_keys_belong_to_their_organization(open_wire: Callable[..., Wire]) -> None:
    """Another organization neither sees nor ends them."""
    wire = open_wire(keys=(Key("gpra_other", organization="org-2"),))
    made = mint(wire, "items:read")
    with Wire(wire.box, "gpra_other") as other:
        assert other.ok("api_keys.list")["api_keys"] == []
        assert other.post("api_keys.revoke", key_id=made["id"]).status_code == 404
    assert status(wire, made["key"], "items.list", project_id="p-1") == 200


def test_keys_outlive_a_restart(tmp_path: Path) -> None:
    """What was minted works, what was revoked stays revoked."""
    with Sandbox(Options(root=tmp_path)) as box, Wire(box) as wire:
        good, bad = mint(wire, "items:read"), mint(wire, "items:read")
        wire.ok("api_keys.revoke", key_id=bad["id"])
    with Sandbox(Options(root=tmp_path)) as box, Wire(box) as wire:
        found = [status(wire, one["key"], "items.list", project_id="p-1") for one in (good, bad)]

    assert found == [200, 401]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"permissions": ["everything"]},
        {"permissions": "*"},
        {"rate_limit": 0},
        {"expires_in_days": 0},
        {"expires_in_days": 1 << 60},
    ],
)
def test_wrong_wishes_are_refused(shared: Wire, wrong: dict[str, Any]) -> None:
    """The bounds of the published schema hold."""
    assert shared.post("api_keys.create", **{"name": "x", **wrong}).status_code == 422
