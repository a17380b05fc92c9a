"""stac.search: the items of all the caller's projects, as STAC features."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from uploader.sandbox.errors import FieldError, Invalid
from uploader.sandbox.geometry import overlaps, shape_of
from uploader.sandbox.operations.base import Answer, Call, Input, Operation
from uploader.sandbox.operations.cql2 import holds
from uploader.sandbox.operations.items import feature, horizon, interval, shown

if TYPE_CHECKING:
    import sqlite3

    from shapely.geometry.base import BaseGeometry

_SORTS = {
    "id": "stac_id",
    "datetime": "datetime",
    "created": "item.created_at",
    "updated": "item.updated_at",
}
_MOST_PAGES = 1 << 31


class Clause(BaseModel):
    """Fields of the published SortClause; the field may begin with `properties.`."""

    field: str
    direction: Literal["asc", "desc"] = "asc"


class SearchInput(Input):
    """Fields of the published SearchInput; of CQL2 as much is read as `cql2` tells, the rest refused, not ignored."""

    base_url: str = ""
    collections: list[str] | None = None
    ids: list[str] | None = None
    datetime: str | None = None
    sortby: list[Clause] | None = None
    limit: Annotated[int, Field(ge=1, le=10000)] = 10
    page: Annotated[int, Field(ge=0, le=_MOST_PAGES)] = 0
    filter: dict[str, Any] | None = None
    filter_lang: Literal["cql2-json"] | None = Field(default="cql2-json", alias="filter-lang")
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)
    intersects: dict[str, Any] | None = None


def search(call: Call, given: SearchInput) -> Answer:
    """One page of the items that meet all conditions, newest first unless sorted."""
    _passes({}, given)  # a filter that is wrong is refused also where there is nothing to filter
    wanted = _wanted(given)
    found = [
        row
        for row in _candidates(call, given)
        if _is_mine(call, row) and _touches(row, wanted) and _passes(shown(row), given)
    ]
    page = found[given.page * given.limit : (given.page + 1) * given.limit]
    body = {
        "type": "FeatureCollection",
        "features": [feature(call, row, given.base_url or None) for row in page],
        "numberMatched": len(found),
        "numberReturned": len(page),
        "links": [],
    }
    return Answer.json(body, media_type="application/json")


def _candidates(call: Call, given: SearchInput) -> list[sqlite3.Row]:
    conditions: list[tuple[str, tuple[Any, ...]]] = [
        ("organization = ? AND deleted_at IS NULL", (call.who.organization,)),
        ("item.created_at <= ?", (horizon(call),)),
    ]
    for column, names in (("collection_id", given.collections), ("stac_id", given.ids)):
        if names is not None:
            conditions.append((f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(names),)))
    if given.datetime:
        conditions.append(interval(given.datetime))
    if given.bbox:
        west, south, east, north = given.bbox
        conditions.append(
            ("east >= ? AND west <= ? AND north >= ? AND south <= ?", (west, east, south, north))
        )
    where = " AND ".join(text for text, _ in conditions)
    query = f"""SELECT item.* FROM item JOIN project ON project.id = item.project_id
                WHERE {where} ORDER BY {_order(given.sortby or [])} sequence DESC"""
    return call.tx.execute(query, [value for _, values in conditions for value in values]).fetchall()


def _is_mine(call: Call, row: sqlite3.Row) -> bool:
    return call.who.role(row["project_id"]) is not None


def _wanted(given: SearchInput) -> BaseGeometry | None:
    """The shape that is asked for, if any."""
    try:
        return None if given.intersects is None else shape_of(given.intersects)
    except ValueError as error:
        raise Invalid([FieldError(("body", "intersects"), str(error))]) from error


def _touches(row: sqlite3.Row, wanted: BaseGeometry | None) -> bool:
    """Whether the item's bounds meet the shape that is asked for."""
    if wanted is None:
        return True
    box = json.loads(row["bbox"])
    return box is not None and overlaps(wanted, tuple(box))


def _passes(item: dict[str, Any], given: SearchInput) -> bool:
    """Whether the filter holds for an item."""
    if given.filter is None:
        return True
    known = {**item, **item.get("properties", {}), "id": item.get("stac_id")}
    try:
        return holds(given.filter, known) is True
    except ValueError as error:
        raise Invalid([FieldError(("body", "filter"), str(error))]) from error


def _order(clauses: list[Clause]) -> str:
    names = [clause.field.removeprefix("properties.") for clause in clauses]
    for name in names:
        if name not in _SORTS:
            raise Invalid(
                [FieldError(("body", "sortby"), f"one of {', '.join(_SORTS)} is wanted, not {name}")]
            )
    pairs = zip(names, clauses, strict=True)
    return "".join(f"{_SORTS[name]} {clause.direction}, " for name, clause in pairs)


OPERATIONS = (Operation("stac.search", "items:read", "read", SearchInput, search),)
