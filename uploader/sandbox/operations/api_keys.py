"""api_keys.*: keys that an administrator mints. The secret is shown once; what is kept is its digest."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from uploader.sandbox.access import covers, digest, new_key
from uploader.sandbox.database import insert
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Answer, Call, Input, Operation, stamp

if TYPE_CHECKING:
    import sqlite3

_DAY = 86400
_SHOWN = 12
"""Characters of a key that lists show, to tell keys apart."""

Scope = Annotated[str, Field(pattern=r"^(\*|(\*|[a-z_.]+):(\*|[a-z_]+))$", max_length=100)]
Days = Annotated[int, Field(gt=0, le=36500)]


class ApiKeyCreateInput(Input):
    """Fields of the published ApiKeyCreateInput."""

    name: str = Field(min_length=1, max_length=200)
    permissions: list[Scope] = Field(default_factory=list, max_length=200)
    rate_limit: Annotated[int, Field(gt=0, le=1 << 53)] | None = None
    expires_in_days: Days | None = None


class ApiKeyListInput(Input):
    """The published ApiKeyListInput has no fields."""


class Revoke(Input):
    """Field of api_keys.revoke."""

    key_id: str


def create(call: Call, given: ApiKeyCreateInput) -> Answer:
    """Mint a key with no more rights than the caller has."""
    _require_admin(call)
    for scope in given.permissions:
        if not any(covers(own, scope) for own in call.who.scopes):
            raise Refusal(403, f"a key cannot be given '{scope}', which its maker does not have")
    key_id, secret = f"key_{uuid.uuid4().hex[:16]}", new_key()
    life = given.expires_in_days
    insert(
        call.tx,
        "api_key",
        id=key_id,
        organization=call.who.organization,
        name=given.name,
        digest=digest(secret),
        prefix=secret[:_SHOWN],
        permissions=" ".join(given.permissions),
        rate_limit=given.rate_limit,
        expires_at=None if life is None else call.now + life * _DAY,
        created_by=call.who.name,
        created_at=call.now,
    )
    call.effect("api_key.made")
    row = call.tx.execute("SELECT * FROM api_key WHERE id = ?", (key_id,)).fetchone()
    return Answer.json({**_shown(row), "key": secret})


def listing(call: Call, _: ApiKeyListInput) -> Answer:
    """The organization's minted keys, newest first, without their secrets."""
    _require_admin(call)
    query = "SELECT * FROM api_key WHERE organization = ? ORDER BY created_at DESC, id"
    rows = call.tx.execute(query, (call.who.organization,)).fetchall()
    return Answer.json({"api_keys": [_shown(row) for row in rows]})


def revoke(call: Call, given: Revoke) -> Answer:
    """End a key and every token that came from it; may be repeated."""
    _require_admin(call)
    query = """UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? AND organization = ?"""
    if not call.tx.execute(query, (call.now, given.key_id, call.who.organization)).rowcount:
        raise Refusal(404, f"API key {given.key_id} not found")
    call.effect("api_key.revoked")
    return Answer.json({"ok": True, "id": given.key_id})


def _require_admin(call: Call) -> None:
    if call.who.roles is not None:
        raise Refusal(403, "only an administrator of the organization manages API keys")


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    times = {
        name: None if row[name] is None else stamp(row[name])
        for name in ("expires_at", "created_at", "revoked_at")
    }
    plain = {name: row[name] for name in ("id", "prefix", "name", "rate_limit", "created_by")}
    return {**plain, "permissions": row["permissions"].split(), **times}


OPERATIONS = (
    Operation("api_keys.create", "api_keys:write", "share_export", ApiKeyCreateInput, create),
    Operation("api_keys.list", "api_keys:read", "read", ApiKeyListInput, listing),
    Operation("api_keys.revoke", "api_keys:write", "destructive", Revoke, revoke),
)
