"""usage.*: what of the organization's allowance is taken."""

from __future__ import annotations

from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Answer, Call, Input, Operation, stamp


class Current(Input):
    """Fields of the published UsageCurrentInput."""

    organization_id: str


def current(call: Call, given: Current) -> Answer:
    """Storage and credits of the caller's organization; another one is hidden as 404."""
    query = "SELECT * FROM organization WHERE id = ? AND id = ?"
    row = call.tx.execute(query, (given.organization_id, call.who.organization)).fetchone()
    if row is None:
        raise Refusal(404, f"organization {given.organization_id} not found")
    query = "SELECT coalesce(sum(reserved_credits), 0) FROM orders WHERE organization = ?"
    held = call.tx.execute(query, (row["id"],)).fetchone()[0]
    storage = {name: row[name] for name in ("used_bytes", "reserved_bytes", "quota_bytes")}
    return Answer.json(
        {
            "organization_id": row["id"],
            "as_of": stamp(call.now),
            "storage": storage,
            "credits": {"balance": row["credits"], "reserved": held},
            "tiles": {"count": 0},
            "jobs": {"count": 0},
        }
    )


OPERATIONS = (Operation("usage.current", "usage:read", "read", Current, current),)
