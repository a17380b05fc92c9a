"""A receipt as programs read it: one JSON object, the same in `uploader items` and beside an archived source.

Hashes are in hex, but for `crc32c`, which is in base64 as object stores tell it; sizes in bytes; times in ISO 8601 and
UTC. What is not known is null: files that an earlier version completed have fewer facts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from uploader.core import affine_transforms
from uploader.core.footprint_shapes import geometry
from uploader.core.footprints import known_ring
from uploader.core.moments import iso
from uploader.core.path_text import full_path, lossless

LATER = ("state", "readback", "disposal", "archived_as")
"""What the receipt beside a source leaves out: it is written before these are decided for good."""


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """The object that tells one row of the receipts."""
    place = affine_transforms.unpacked(row.get("transform"))
    return {
        "path": whole_path(row),
        "item_id": row["item_id"],
        "project_id": row["project_id"] or None,
        "collection_id": row["collection_id"] or None,
        "target_item_id": row["target_item_id"] or None,
        "scene": row.get("scene") or None,
        "asset_key": row["asset_key"] or None,
        "upload_id": row["upload_id"] or None,
        "file_name": row["file_name"],
        "source": {
            "sha256": _hex(row["source_sha256"]),
            "size": row["source_size"],
            "group_sha256": row["content"],
            "group_size": row["group_size"],
        },
        "object": {
            "sha256": _hex(row["object_sha256"]),
            "md5": _hex(row["object_md5"]),
            "crc32c": crc32c_text(row["object_crc32c"]),
            "size": row["object_size"],
        },
        "seen": iso(row["seen_at"]),
        "converted": iso(row["converted_at"]),
        "uploaded": iso(row["stored_at"]),
        "completed": iso(row["completed_at"]),
        "method": row["method"],
        "categorical": None if row["categorical"] is None else bool(row["categorical"]),
        "comparison": row["comparison"],
        "warnings": json.loads(row["warnings"]),
        "declared": json.loads(row["declared"]),
        "raster": json.loads(row["facts"]) | ({"transform": list(place)} if place else {}),
        "footprint": geometry([ring]) if (ring := known_ring(row.get("footprint"))) else None,
        "state": row["state"],
        "readback": row["readback"],
        "disposal": row["disposal"],
        "archived_as": lossless(bytes(row["archived_as"])) if row["archived_as"] else None,
    }


def beside_the_source(row: Mapping[str, Any]) -> bytes:
    """The file that lies beside an archived source: the same bytes whenever it is asked for."""
    told = {name: value for name, value in document(row).items() if name not in LATER}
    return (json.dumps(told, indent=2) + "\n").encode("ascii")


def whole_path(row: Mapping[str, Any]) -> str:
    """Where the source lay, as Python spells it; it may hold half characters."""
    return lossless(full_path(row["folder"], bytes(row["path"])))


def crc32c_text(value: int | None) -> str | None:
    """A CRC32C as object stores tell it: base64 of its four bytes, the highest first."""
    return None if value is None else lossless(base64.b64encode(value.to_bytes(4, "big")))


def _hex(value: bytes | None) -> str | None:
    return None if not value else bytes(value).hex()
