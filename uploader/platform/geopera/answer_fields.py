"""The only place that reads the platform's 2xx answers; what is not as expected is a ValueError in words."""

from __future__ import annotations

from typing import Any, TypeGuard

from uploader.net.answer_errors import parse

MOST_ID = 200
"""Characters of an id. Ids are opaque: forms like `u_8f12`, `it_3a9c` and UUIDs are all in the documents."""


IDS = ("id", "upload_id")
"""Fields of a record that others compare with ids of theirs."""


def document(body: bytes) -> dict[str, Any]:
    """A JSON object."""
    found = parse(body)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one kind of error for all that is unexpected
    return found


def identifier(value: object) -> str:
    """An id: opaque, but printable, without white space, and of a sane length."""
    if not _is_id(value):
        raise ValueError("it has no usable id")
    return value


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MOST_ID and value.isprintable() and " " not in value


def item_ids(body: bytes, upload_id: str) -> tuple[str, ...]:
    """The items of an answer to `uploads.complete`, which must be about this session or name items."""
    found = document(body)
    if found.get("id", upload_id) != upload_id:
        raise ValueError("it is about another session")
    if "id" not in found and "item_ids" not in found:
        raise ValueError("it names neither session nor items")
    ids = found.get("item_ids")
    if not isinstance(ids, list | None):
        raise ValueError("its item_ids are not a list")  # noqa: TRY004 - as above
    return tuple(identifier(i) for i in ids or ())


def listing(body: bytes, *names: str) -> list[dict[str, Any]]:
    """A list of objects: the answer itself, or what it holds under one of `names`, also as a map by key."""
    found = parse(body)
    if isinstance(found, dict):
        found = next((found[name] for name in names if name in found), None)
    if isinstance(found, dict):
        # A STAC item keeps its assets by key.
        found = [{"key": key, **entry} for key, entry in found.items() if isinstance(entry, dict)]
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError("it is not a list of objects")
    return [_record(entry) for entry in found]


def item(body: bytes) -> dict[str, Any]:
    """One item: under `item`, or the answer itself where it has an id."""
    found = document(body)
    inner = found.get("item", found if "id" in found else None)
    if not isinstance(inner, dict):
        raise ValueError("it holds no item")  # noqa: TRY004 - as above
    return _record(inner)


def _record(entry: dict[str, Any]) -> dict[str, Any]:
    """An item or an asset whose ids are ids: what is none is left out, as others' records are listed beside ours."""
    return {name: value for name, value in entry.items() if name not in IDS or _is_id(value)}
