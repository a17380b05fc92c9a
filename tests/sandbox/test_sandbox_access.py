"""Credentials, scopes and roles: what is refused, then what is let in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.wire import TOKEN, Wire
from uploader.sandbox import Key
from uploader.sandbox.access import covers

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.unit


def test_scopes_cover_by_wildcards() -> None:
    """A granted scope covers the exact one, everything, a resource, or an action; nothing else."""
    wanted = "uploads:write"
    granted = [
        "items:read",
        "uploads:read",
        "items:*",
        "*:read",
        "",
        "uploads",
        "uploads:write",
        "*",
        "uploads:*",
        "*:write",
    ]

    assert [covers(one, wanted) for one in granted] == [False] * 6 + [True] * 4


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
        (
            {"grant_type": "client_credentials", "client_id": "geopera", "client_secret": "gpra_no"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "client_credentials", "client_id": "geopera"}, 401, "invalid_client"),
        (
            {"grant_type": "client_credentials", "client_id": "other", "client_secret": "gpra_k"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "password", "username": "demo", "password": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses(shared: Wire, form: dict[str, str], status: int, error: str) -> None:
    """What is no valid grant gets the error that OAuth names for it."""
    response = shared.token(**form)

    assert (status, error) == (response.status_code, response.json()["error"])


def test_the_token_endpoint_wants_a_form(shared: Wire) -> None:
    """JSON is not a form."""
    response = shared.bare.post(shared.box.base_url + TOKEN, json={"grant_type": "client_credentials"})

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_refresh_token_dies_at_use(shared: Wire) -> None:
    """The second use of a refresh token is refused, the one that replaced it works."""
    key = {"client_id": "geopera", "client_secret": shared.box.api_key}
    first = shared.token(grant_type="client_credentials", **key).json()
    second = shared.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    again = shared.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    third = shared.token(grant_type="refresh_token", refresh_token=second.json()["refresh_token"])

    assert [one.status_code for one in (second, again, third)] == [200, 400, 200]


@pytest.mark.parametrize(("life", "statuses"), [(3600.0, (200, 200)), (0.3, (401, 400))])
def test_tokens_expire(open_wire: Callable[..., Wire], life: float, statuses: tuple[int, int]) -> None:
    """An access token and a refresh token end with their lives, and not before."""
    wire = open_wire(token_life=life, refresh_life=life)
    pair = wire.token(grant_type="password", username="demo", password="demo").json()
    wire.http.headers["Authorization"] = f"Bearer {pair['access_token']}"
    time.sleep(0.35)
    asked = wire.post("items.list", project_id="p-1").status_code
    refreshed = wire.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code

    assert (asked, refreshed) == statuses


def test_a_token_says_how_long_it_lives(shared: Wire) -> None:
    """The answer has the fields and numbers of the documents, and the token is a JWT."""
    body = shared.token(
        grant_type="client_credentials", client_id="geopera", client_secret=shared.box.api_key
    ).json()

    assert (body["token_type"], body["expires_in"], body["refresh_expires_in"]) == ("Bearer", 300, 1800)
    assert len(body["access_token"].split(".")) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer gpra_unknown"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Basic Z3ByYV9rOg=="},
        {"X-API-Key": "gpra_unknown"},
    ],
)
def test_bad_credentials_get_401(shared: Wire, headers: dict[str, str]) -> None:
    """No credential, or one that is not ours, is refused as a problem."""
    response = shared.bare.post(
        f"{shared.box.base_url}/v1/op/items.list", json={"project_id": "p-1"}, headers=headers
    )

    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")


def test_a_forged_token_gets_401(wire: Wire) -> None:
    """A token whose claims were changed is not accepted."""
    token = wire.token(grant_type="password", username="demo", password="demo").json()["access_token"]
    head, _, signature = token.split(".")
    wire.http.headers["Authorization"] = f"Bearer {head}.eyJzdWIiOiJtYWluIiwiZXhwIjo5ZTl9.{signature}"

    assert wire.post("items.list", project_id="p-1").status_code == 401


def test_a_revoked_key_ends_its_tokens(wire: Wire) -> None:
    """Once the key is revoked, the key, its access tokens and its refresh tokens are refused."""
    pair = wire.token(
        grant_type="client_credentials", client_id="geopera", client_secret=wire.box.api_key
    ).json()
    change = {"secret": wire.box.api_key, "revoked": True}
    assert wire.bare.post(f"{wire.box.base_url}/sandbox/keys", json=change).status_code == 200
    by_key = wire.post("items.list", project_id="p-1").status_code
    wire.http.headers["Authorization"] = f"Bearer {pair['access_token']}"
    by_token = wire.post("items.list", project_id="p-1").status_code
    by_refresh = wire.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code

    assert (by_key, by_token, by_refresh) == (401, 401, 400)


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        (Key("gpra_2", scopes=("items:read",)), 403, "missing scope 'uploads:write' for 'uploads.initiate'"),
        (Key("gpra_2", roles={"p-1": "viewer"}), 403, "viewer"),
        (Key("gpra_2", roles={}), 403, "not a member"),
        (Key("gpra_2", organization="org-2"), 404, "not found"),
        (Key("gpra_2", scopes=("uploads:*",), roles={"p-1": "editor"}), 200, ""),
    ],
)
def test_scopes_and_roles_decide(open_wire: Callable[..., Wire], key: Key, status: int, text: str) -> None:
    """A key without the scope or role is refused in words; a foreign organization sees nothing."""
    with Wire(open_wire(keys=(key,)).box, key.secret) as wire:
        response = wire.post("uploads.initiate", project_id="p-1")

    assert status == response.status_code
    assert text in response.text


def test_both_headers_carry_a_key(shared: Wire) -> None:
    """A key is accepted as Bearer and as X-API-Key, and userinfo tells whose it is."""
    base = shared.box.base_url + "/realms/public/protocol/openid-connect/userinfo"
    answers = [
        httpx.get(base, headers=headers)
        for headers in (
            {"Authorization": f"Bearer {shared.box.api_key}"},
            {"X-API-Key": shared.box.api_key},
            {},
        )
    ]

    assert [one.status_code for one in answers] == [200, 200, 401]
    assert answers[0].json()["geopera_org_id"] == "org-1"
