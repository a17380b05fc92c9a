"""orders.*: from a price to an order to its items. Licences, billing modes and tasking are left out.

Money is credits of the organization, taken in the transaction that writes the order and its provenance. What is
delivered later is made by `uploader.sandbox.delivery`.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, ConfigDict, Field
from pydantic.alias_generators import to_camel

from uploader.sandbox.database import insert
from uploader.sandbox.errors import FieldError, Invalid, Refusal
from uploader.sandbox.operations import payment
from uploader.sandbox.operations.base import Answer, Call, Count, Input, Operation, require_writer, stamp
from uploader.sandbox.pricing import quote

if TYPE_CHECKING:
    import sqlite3

    from uploader.sandbox.pricing import Quote

_LONGEST_PAGE = 500
_MOST_CAPTURES = 500
_SORTS = {"createdAt": "created_at", "updatedAt": "updated_at", "status": "state", "displayName": "name"}


class _Camel(Input):
    """Fields that are spelled in camel case outside."""

    model_config = ConfigDict(alias_generator=to_camel)


class Estimate(_Camel):
    """Fields of the published ArchiveEstimateInput."""

    captures: list[dict[str, Any]] = Field(default_factory=list, max_length=_MOST_CAPTURES)
    split_by_date: bool | None = False


class PlaceOrderInput(_Camel):
    """What the quickstart sends; the published schema leaves the body untyped."""

    project_id: str = Field(validation_alias=AliasChoices("projectId", "project_id"))
    captures: list[dict[str, Any]] = Field(min_length=1, max_length=_MOST_CAPTURES)
    split_by_date: bool | None = False
    display_name: str | None = Field(default=None, max_length=255)


class OrderGetInput(Input):
    """Field of the published OrderGetInput; the quickstart calls it id."""

    order_id: str = Field(validation_alias=AliasChoices("order_id", "id"))


class OrdersListInput(_Camel):
    """Fields of the published OrdersListInput; the sandbox's orders have no products and tags to ask for."""

    workspace_id: str | None = None
    type: str | None = None
    status: str | None = None
    sub_status: str | None = None
    display_name: str | None = None
    data_product_ids: str | None = None
    order_ids: str | None = None
    tags: str | None = None
    size: int = Field(default=20, ge=1, le=_LONGEST_PAGE)
    page: Count = 0
    sort: str = "createdAt,desc"


def estimate(_: Call, given: Estimate) -> Answer:
    """The price of a cart; keeps nothing."""
    priced = quote(given.captures, split_by_date=bool(given.split_by_date))
    totals = {"total_aud": priced.dollars, "total_credits": priced.credits}
    return Answer.json({"groups": list(priced.groups), "errors": list(priced.errors), **totals})


def place(call: Call, given: PlaceOrderInput) -> Answer:
    """Take the credits, write the order and where it comes from."""
    require_writer(call, given.project_id)
    priced = quote(given.captures, split_by_date=bool(given.split_by_date))
    if priced.errors:
        raise Invalid(
            [
                FieldError(("body", "captures", one["index"]), one["message"], one["code"])
                for one in priced.errors
            ]
        )
    payment.reserve(call, priced.credits)
    order_id = str(uuid.uuid4())
    _write(call, order_id, given, priced)
    call.effect("order.placed", size=priced.credits)
    row = _row(call, order_id)
    return Answer.json(shown(call, row), status=int(call.world.options.place_status))


def get(call: Call, given: OrderGetInput) -> Answer:
    """One order of the organization."""
    return Answer.json(shown(call, _row(call, given.order_id)))


def listing(call: Call, given: OrdersListInput) -> Answer:
    """A page of the organization's orders."""
    where, values = _conditions(call, given)
    total = call.tx.execute(f"SELECT count(*) FROM orders WHERE {where}", values).fetchone()[0]
    query = f"SELECT * FROM orders WHERE {where} ORDER BY {_order_by(given.sort)} LIMIT ? OFFSET ?"
    rows = call.tx.execute(query, (*values, given.size, min(given.size * given.page, 1 << 62)))
    pages = -(-total // given.size)
    page = {"totalElements": total, "totalPages": pages, "size": given.size, "number": given.page}
    return Answer.json({"content": [shown(call, row) for row in rows.fetchall()], **page})


def shown(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    """An order as its callers see it, in the spelling of the quickstart."""
    items = call.tx.execute(
        "SELECT src_id FROM edge WHERE dst_type = 'order' AND dst_id = ? AND src_type = 'item'", (row["id"],)
    )
    state = row["state"]
    return {
        "id": row["id"],
        "status": state if state == "delivered" else call.world.options.order_status,
        "orderType": "archive",
        "billingMode": "credit",
        "currency": "AUD",
        "totalAud": row["credits"] / 100,
        "totalCredits": row["credits"],
        "groups": json.loads(row["groups"]),
        "projectId": row["project_id"],
        "displayName": row["name"],
        "itemIds": [one[0] for one in items],
        "createdAt": stamp(row["created_at"]),
        "updatedAt": stamp(row["updated_at"]),
    }


def _write(call: Call, order_id: str, given: PlaceOrderInput, priced: Quote) -> None:
    insert(
        call.tx,
        "orders",
        id=order_id,
        organization=call.who.organization,
        project_id=given.project_id,
        name=given.display_name,
        state="processing",
        credits=priced.credits,
        reserved_credits=priced.credits,
        groups=json.dumps(priced.groups),
        lines=json.dumps([[one.capture.host.name, one.capture.id] for one in priced.lines]),
        deliver_at=call.now + call.world.options.delivery_after,
        created_by=call.who.name,
        created_at=call.now,
        updated_at=call.now,
    )
    ends = [("project", given.project_id, "wasAttributedTo")]
    ends += [("capture", f"{one.capture.host.name}/{one.capture.id}", "used") for one in priced.lines]
    for kind, name, relation in ends:
        edge = {"src_type": "order", "src_id": order_id, "dst_type": kind, "dst_id": name}
        insert(
            call.tx,
            "edge",
            **edge,
            relation=relation,
            invocation_id=call.trace.call_id,
            created_at=call.now,
        )


def _row(call: Call, order_id: str) -> sqlite3.Row:
    query = "SELECT * FROM orders WHERE id = ? AND organization = ?"
    row: sqlite3.Row | None = call.tx.execute(query, (order_id, call.who.organization)).fetchone()
    if row is None:
        raise Refusal(404, f"order {order_id} not found")
    return row


def _conditions(call: Call, given: OrdersListInput) -> tuple[str, list[Any]]:
    """The filter of a listing; what no order of the sandbox can have matches none."""
    found: list[tuple[str, list[Any]]] = [("organization = ?", [call.who.organization])]
    if given.workspace_id is not None:
        found.append(("project_id = ?", [given.workspace_id]))
    if given.display_name is not None:
        found.append(("name = ?", [given.display_name]))
    if given.status is not None:
        pending = call.world.options.order_status
        state = {"delivered": "delivered", pending: "processing"}.get(given.status, "")
        found.append(("state = ?", [state]))
    if given.order_ids is not None:
        ids = json.dumps(given.order_ids.split(","))
        found.append(("id IN (SELECT value FROM json_each(?))", [ids]))
    if (
        (given.type or "archive").lower() != "archive"
        or given.sub_status
        or given.data_product_ids
        or given.tags
    ):
        found.append(("0", []))
    return " AND ".join(text for text, _ in found), [value for _, values in found for value in values]


def _order_by(sort: str) -> str:
    field, _, direction = sort.partition(",")
    if field not in _SORTS or direction not in ("", "asc", "desc"):
        text = f"one of {', '.join(_SORTS)}, then asc or desc, is wanted"
        raise Invalid([FieldError(("body", "sort"), text)])
    return f"{_SORTS[field]} {direction or 'asc'}, id"


OPERATIONS = (
    Operation("orders.archive.estimate", "orders:read", "read", Estimate, estimate),
    Operation("orders.archive.place", "orders:write", "external_spend", PlaceOrderInput, place),
    Operation("orders.get", "orders:read", "read", OrderGetInput, get),
    Operation("orders.list", "orders:read", "read", OrdersListInput, listing),
)
