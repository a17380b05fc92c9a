"""catalog.search: what can be ordered. It reads a table in memory and leaves nothing behind."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from uploader.sandbox.catalogue import HOSTS, captures
from uploader.sandbox.errors import FieldError, Invalid, Refusal
from uploader.sandbox.geometry import boxes_overlap, overlaps, shape_of
from uploader.sandbox.operations.base import Answer, Call, Input, Operation

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from uploader.sandbox.catalogue import Capture

_PROPERTIES = {
    "cloudCoverage": "cloud_cover",
    "cloud_cover": "cloud_cover",
    "eo:cloud_cover": "cloud_cover",
    "gsd": "gsd",
}
"""What a query may ask about, and the attribute that answers."""
_OPEN = ("", "..")


class CloudQuery(BaseModel):
    """Fields of the published CloudQuery."""

    model_config = ConfigDict(extra="forbid")

    GT: float | None = None
    GTE: float | None = None
    LT: float | None = None
    LTE: float | None = None

    def hold(self, value: float) -> bool:
        """Whether the value lies within all bounds that are given."""
        return (
            (self.GT is None or value > self.GT)
            and (self.GTE is None or value >= self.GTE)
            and (self.LT is None or value < self.LT)
            and (self.LTE is None or value <= self.LTE)
        )


class CatalogSearchInput(Input):
    """Fields of the published CatalogSearchInput."""

    host_name: str
    collections: list[str] | None = None
    ids: list[str] | None = None
    datetime: str | None = None
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)
    intersects: dict[str, Any] | None = None
    query: dict[str, CloudQuery] | None = None
    limit: int = Field(default=100, ge=1, le=500)
    full_catalog: bool | None = None
    next: str | None = None


def search(call: Call, given: CatalogSearchInput) -> Answer:
    """One page of the captures that meet all conditions, newest first."""
    if given.host_name not in HOSTS:
        raise Refusal(404, f"host {given.host_name} not found")
    begin, end = _interval(given.datetime)
    wanted = _wanted(given)
    found = [
        one
        for one in captures().values()
        if one.host.name == given.host_name and begin <= one.taken <= end and _meets(one, given, wanted)
    ]
    start = _start(given)
    page = found[start : start + given.limit]
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [one.feature() for one in page],
        "numberMatched": len(found),
        "numberReturned": len(page),
        "links": [],
    }
    if start + given.limit < len(found):
        body["next"] = _token(given, start + given.limit)
        href = f"{call.world.api_url}/v1/op/catalog.search"
        following = {"rel": "next", "href": href, "method": "POST", "merge": True}
        body["links"] = [{**following, "body": {"next": body["next"]}}]
    return Answer.json(body)


def _wanted(given: CatalogSearchInput) -> BaseGeometry | None:
    """The shape that is asked for, if any; a geometry or a query that nothing could be compared with is refused."""
    for name in given.query or ():
        if name not in _PROPERTIES:
            raise _invalid("query", f"only {', '.join(_PROPERTIES)} can be asked for, not {name}")
    if given.intersects is None:
        return None
    if given.bbox is not None:
        raise _invalid("intersects", "only one of bbox and intersects may be given")
    try:
        return shape_of(given.intersects)
    except ValueError as error:
        raise _invalid("intersects", str(error)) from error


def _meets(one: Capture, given: CatalogSearchInput, wanted: BaseGeometry | None) -> bool:
    values = {"cloud_cover": one.cloud_cover, "gsd": one.host.gsd}
    return (
        (given.collections is None or one.host.collection in given.collections)
        and (given.ids is None or one.id in given.ids)
        and (given.bbox is None or boxes_overlap(given.bbox, one.box))
        and (wanted is None or overlaps(wanted, one.box))
        and all(bounds.hold(values[_PROPERTIES[name]]) for name, bounds in (given.query or {}).items())
    )


def _interval(text: str | None) -> tuple[datetime, datetime]:
    """The ends of a STAC datetime or interval; an open end is `..` or empty."""
    first, slash, last = (text or "../..").partition("/")
    begin, end = first, last if slash else first
    try:
        return (
            datetime.min.replace(tzinfo=UTC) if begin in _OPEN else _moment(begin),
            datetime.max.replace(tzinfo=UTC) if end in _OPEN else _moment(end),
        )
    except ValueError as error:
        raise _invalid("datetime", "an RFC 3339 time or an interval of two is wanted") from error


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _token(given: CatalogSearchInput, start: int) -> str:
    return base64.urlsafe_b64encode(f"{start}.{_digest(given)}".encode()).decode()


def _start(given: CatalogSearchInput) -> int:
    """Where the page begins. A token goes with the search that gave it, `limit` apart."""
    if given.next is None:
        return 0
    try:
        number, _, digest = base64.urlsafe_b64decode(given.next.encode()).decode().partition(".")
        start = int(number)
    except (ValueError, binascii.Error) as error:
        raise _invalid("next", "the token is not one of ours") from error
    if digest != _digest(given) or start < 0:
        raise _invalid("next", "the token belongs to another search")
    return start


def _digest(given: CatalogSearchInput) -> str:
    facts = given.model_dump(exclude={"next", "limit"})
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _invalid(field: str, text: str) -> Invalid:
    return Invalid([FieldError(("body", field), text)])


OPERATIONS = (Operation("catalog.search", "catalog:read", "read", CatalogSearchInput, search),)
