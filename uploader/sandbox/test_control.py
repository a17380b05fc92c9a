"""`/sandbox/…`: what a test tells the sandbox and asks of it. Without credentials, for loopback callers only."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from uploader.sandbox.database import update
from uploader.sandbox.faults import Fault
from uploader.sandbox.operations import payment
from uploader.sandbox.options import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from uploader.sandbox.world import World


class Quota(BaseModel):
    """A new quota in bytes."""

    model_config = ConfigDict(extra="forbid")

    quota_bytes: int = Field(ge=0)


class KeyChange(BaseModel):
    """A key that becomes valid, or, with `revoked`, ends with all its tokens."""

    model_config = ConfigDict(extra="forbid")

    secret: str = Field(min_length=1)
    revoked: bool = False
    name: str = ""
    scopes: tuple[str, ...] = ("*",)
    roles: dict[str, str] | None = None


class Confirmation(BaseModel):
    """The challenge that a 402 carried, passed by the holder of the card."""

    model_config = ConfigDict(extra="forbid")

    client_secret: str


class Credits(BaseModel):
    """A new balance of credits."""

    model_config = ConfigDict(extra="forbid")

    credits: int = Field(ge=0, le=1 << 53)


async def control(request: Request) -> Response:
    """Answer one request below `/sandbox/`."""
    world: World = request.app.state.world
    handle = _HANDLERS.get((request.method, request.path_params["what"]))
    if handle is None or not is_local(request):
        return _json(404, {"detail": "not found"})
    try:
        value = json.loads(await request.body() or b"{}")
        return _json(200, await to_thread.run_sync(handle, world, value))
    except (ValidationError, json.JSONDecodeError) as error:
        return _json(422, {"detail": str(error)})


def state(world: World, _: object = None) -> dict[str, Any]:
    """Sessions by state, bytes reserved and used, how many items and objects."""
    with world.database.read() as tx:
        row = tx.execute("SELECT * FROM organization WHERE id = ?", (world.options.organization,)).fetchone()
        sessions = dict(tx.execute("SELECT state, count(*) FROM session GROUP BY state").fetchall())
        counts = {
            name: tx.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for name, table in (("items", "item"), ("assets", "asset"), ("objects", "object"))
        }
    storage = {name: row[name] for name in ("quota_bytes", "used_bytes", "reserved_bytes")}
    return {"sessions": sessions, **storage, **counts}


def _add_fault(world: World, value: object) -> dict[str, Any]:
    return {"rules": world.faults.add(Fault.model_validate(value))}


def _list_faults(world: World, _: object) -> dict[str, Any]:
    return {"faults": world.faults.listed()}


def _clear_faults(world: World, _: object) -> dict[str, Any]:
    world.faults.clear()
    return {"rules": 0}


def _set_quota(world: World, value: object) -> dict[str, Any]:
    quota = Quota.model_validate(value)
    with world.database.write() as tx:
        update(tx, "organization", world.options.organization, quota_bytes=quota.quota_bytes)
    return state(world)


def _change_key(world: World, value: object) -> dict[str, Any]:
    change = KeyChange.model_validate(value)
    if change.revoked:
        return {"revoked": world.keyring.revoke(change.secret)}
    organization = world.options.organization
    return {
        "name": world.keyring.add(Key(change.secret, change.scopes, change.roles, organization, change.name))
    }


def _set_credits(world: World, value: object) -> dict[str, Any]:
    change = Credits.model_validate(value)
    with world.database.write() as tx:
        update(tx, "organization", world.options.organization, credits=change.credits)
    return {"credits": change.credits}


def _confirm(world: World, value: object) -> dict[str, Any]:
    return {"confirmed": payment.confirm(world, Confirmation.model_validate(value).client_secret)}


_HANDLERS: dict[tuple[str, str], Callable[[World, object], dict[str, Any]]] = {
    ("POST", "faults"): _add_fault,
    ("GET", "faults"): _list_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "state"): state,
    ("POST", "quota"): _set_quota,
    ("POST", "keys"): _change_key,
    ("POST", "credits"): _set_credits,
    ("POST", "confirm"): _confirm,
}


def is_local(request: Request) -> bool:
    """Whether the caller is on this machine."""
    return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback


def _json(status: int, value: dict[str, Any]) -> Response:
    return Response(json.dumps(value), status, media_type="application/json")
