"""The token endpoint and userinfo, below `/realms/public/protocol/openid-connect/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from uploader.sandbox import misbehave
from uploader.sandbox.access import authenticate
from uploader.sandbox.errors import OAuthRefusal, Refusal
from uploader.sandbox.world import Trace

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from uploader.sandbox.access import Principal
    from uploader.sandbox.world import World

REALM = "/realms/public/protocol/openid-connect/"
_CLIENTS = ("", "geopera", "geopera-cli")
_FORM = "application/x-www-form-urlencoded"
_LONGEST = 64 << 10
_MAIN_KEY = "main"


async def token(request: Request) -> Response:
    """Answer one request for tokens."""
    world: World = request.app.state.world
    turn = misbehave.turn(world, "token", misbehave.oauth)
    early = await turn.before(world)
    trace = Trace("token", sent=turn.answered and early is None, detail=turn.label)
    if early is not None:
        await to_thread.run_sync(_note, world, trace, misbehave.status_of(early))
        return early
    try:
        body = await request.body()
    except ClientDisconnect:
        return misbehave.Cut()
    response = await to_thread.run_sync(
        _exchange, world, trace, request.headers.get("content-type", ""), body
    )
    return await turn.after(world, response)


async def userinfo(request: Request) -> Response:
    """Answer who the credential stands for."""
    world: World = request.app.state.world
    try:
        who = authenticate(world.keyring, world.tokens, request.headers, world.now())
    except Refusal as refusal:
        return _json(refusal.status, refusal.body(), "application/problem+json")
    facts = {
        "sub": who.name,
        "geopera_principal_id": who.name,
        "geopera_principal_type": "api_key",
        "geopera_org_id": who.organization,
        "scope": " ".join(who.scopes),
    }
    return _json(200, facts)


def _note(world: World, trace: Trace, status: int | None) -> None:
    with world.database.write() as tx:
        trace.call(tx, world.now(), status, 0)


def _exchange(world: World, trace: Trace, content_type: str, body: bytes) -> Response:
    trace.bytes_in = len(body)
    now = world.now()
    try:
        form = _form(content_type, body)
        with world.database.write() as tx:
            who = _who(_Asking(world, tx, form, now))
            response = _json(200, world.tokens.grant(tx, who, now))
            trace.organization, trace.principal, trace.committed = who.organization, who.name, True
            trace.call(tx, now, 200, len(response.body))
    except OAuthRefusal as refusal:
        response = _json(refusal.status, {"error": refusal.error, "error_description": refusal.description})
        trace.detail = trace.detail or refusal.error
        with world.database.write() as tx:
            trace.call(tx, now, refusal.status, len(response.body))
    return response


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != _FORM or len(body) > _LONGEST:
        raise OAuthRefusal("invalid_request", f"a short body of {_FORM} is wanted")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True)
    except ValueError as error:
        raise OAuthRefusal("invalid_request", "the form cannot be read") from error
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthRefusal("invalid_request", "a field is repeated")
    if fields.get("client_id", [""])[0] not in _CLIENTS:
        raise OAuthRefusal("invalid_client", "the client is unknown", 401)
    return {name: values[0] for name, values in fields.items()}


@dataclass(frozen=True, slots=True)
class _Asking:
    world: World
    tx: sqlite3.Connection
    form: dict[str, str]
    now: float


def _who(asking: _Asking) -> Principal:
    grant = asking.form.get("grant_type", "")
    if not grant:
        raise OAuthRefusal("invalid_request", "grant_type is missing")
    if grant not in _GRANTS:
        raise OAuthRefusal("unsupported_grant_type", "this grant is not supported")
    return _GRANTS[grant](asking)


def _client_credentials(asking: _Asking) -> Principal:
    who = asking.world.keyring.by_secret(asking.form.get("client_secret", ""))
    if asking.form.get("client_id") != "geopera" or who is None:
        raise OAuthRefusal(
            "invalid_client", "client_id is not geopera, or the API key is unknown or revoked", 401
        )
    return who


def _password(asking: _Asking) -> Principal:
    options = asking.world.options
    who = asking.world.keyring.by_name(_MAIN_KEY)
    pair = (asking.form.get("username"), asking.form.get("password"))
    if who is None or pair != (options.username, options.password):
        raise OAuthRefusal("invalid_grant", "wrong user name or password")
    return who


def _refresh(asking: _Asking) -> Principal:
    name = asking.world.tokens.spend(asking.tx, asking.form.get("refresh_token", ""), asking.now)
    who = asking.world.keyring.by_name(name)
    if who is None:
        raise OAuthRefusal("invalid_grant", "the API key behind the token was revoked")
    return who


_GRANTS = {"client_credentials": _client_credentials, "password": _password, "refresh_token": _refresh}


def _json(status: int, value: dict[str, Any], media_type: str = "application/json") -> Response:
    return Response(json.dumps(value), status, {"cache-control": "no-store"}, media_type)
