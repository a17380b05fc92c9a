"""What a record of the platform says against a receipt of ours. The records come from outside: any shape may come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from uploader.core.matching import our_stems, stem_of
from uploader.core.receipt_document import crc32c_text, whole_path

SIZES = ("file_size_bytes", "file:size", "size_bytes")
"""Names by which a record may tell the bytes of its file."""

HASHES = ("checksum_crc32c", "crc32c")
"""Names by which it may tell a CRC32C, in base64."""


class Kind(StrEnum):
    """What an audit finds."""

    MISSING = "missing"
    """The platform says that it is not there."""
    CHANGED = "changed"
    """It is there, and not as the receipt says."""
    FOREIGN = "foreign"
    """It is there, and no receipt knows it."""
    UNCLEAR = "unclear"
    """The platform did not say, or not all: nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that an audit found. `path` is that of the source; `field` and both values are those that differ."""

    kind: Kind
    item_id: str = ""
    path: str = ""
    field: str = ""
    ours: str = ""
    theirs: str = ""


def found_in(
    row: Mapping[str, Any], kind: Kind, field: str = "", ours: str = "", theirs: str = ""
) -> Difference:
    """A difference that is about a receipt."""
    return Difference(kind, row["item_id"] or "", whole_path(row), field, ours, theirs)


def gone(record: Mapping[str, Any]) -> bool:
    """Whether a record says of itself that it was deleted."""
    return bool(record.get("deleted_at")) or record.get("lifecycle_state") == "deleted"


def item_differences(row: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Difference]:
    """What an item's record says against a receipt: its name where names come back, its collection, and its file.

    A record tells of size and hash only where it has them itself.
    """
    stems = our_stems(record)
    named = row["readback"] == "named"
    if stem_of(row["file_name"] or "") not in stems and (stems or named):
        theirs = min(stems) if stems else str(record.get("name") or "")
        yield found_in(row, Kind.CHANGED, "name", row["file_name"] or "", theirs)
    collection = record.get("collection_id")
    if isinstance(collection, str) and row["collection_id"] and collection != row["collection_id"]:
        yield found_in(row, Kind.CHANGED, "collection", row["collection_id"], collection)
    yield from file_differences(row, record)


def file_differences(row: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Difference]:
    """Size and hash, as far as the record tells them and the receipt knows them."""
    size, crc = row["object_size"], crc32c_text(row["object_crc32c"])
    for names, kind, field, ours in ((SIZES, int, "size", size), (HASHES, str, "crc32c", crc)):
        theirs = next((record[name] for name in names if isinstance(record.get(name), kind)), None)
        if ours is not None and theirs is not None and theirs != ours:
            yield found_in(row, Kind.CHANGED, field, str(ours), str(theirs))


def asset_differences(row: Mapping[str, Any], assets: list[dict[str, Any]]) -> Iterator[Difference]:
    """What the assets of an item say against a receipt: the one with its name, or the only one, is its file."""
    ours = stem_of(row["file_name"] or "")
    own = next((asset for asset in assets if ours in our_stems(asset)), None)
    if own is None and len(assets) == 1 and not our_stems(assets[0]):
        own = assets[0]
    if own is not None:
        yield from file_differences(row, own)
    elif not assets or any(our_stems(asset) for asset in assets):
        yield found_in(row, Kind.MISSING, "asset", row["file_name"] or "")
    else:
        yield found_in(row, Kind.UNCLEAR, "asset", row["file_name"] or "", "assets show no names")
