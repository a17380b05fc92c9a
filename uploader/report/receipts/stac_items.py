"""Receipts as a STAC item collection: one feature for each item, with an asset for each file of it.

The footprint is that of its files together. The acquisition time only the platform knows: `datetime`, which STAC
demands, is when the first of the files was seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby
from typing import Any
from urllib.parse import quote

from uploader.core.affine_transforms import bounds
from uploader.core.footprint_shapes import box, geometry
from uploader.core.footprints import Ring, known_ring
from uploader.core.media_types import content_type
from uploader.core.path_text import shown
from uploader.core.receipt_document import document

FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"

SHA2_256 = "1220"
"""How a multihash begins that is a SHA-256: its code, and its length of 32 bytes."""

_CODE = re.compile(r"\(([A-Za-z][A-Za-z0-9]*:[A-Za-z0-9]+)\)$")


def pieces(found: Iterable[Mapping[str, Any]], base_url: str) -> Iterator[str]:
    """The text of the collection, piece by piece. Receipts of one item have to come together."""
    yield '{"type": "FeatureCollection", "features": ['
    comma = "\n"
    for _, rows in groupby(found, key=lambda row: row["item_id"] or row["id"]):
        found = list(rows)
        rings = [ring for row in found if (ring := known_ring(row.get("footprint")))]
        yield comma + json.dumps(feature([document(row) for row in found], rings, base_url))
        comma = ",\n"
    yield "\n]}\n"


def feature(told: Sequence[Mapping[str, Any]], rings: Sequence[Ring], base_url: str) -> dict[str, Any]:
    """The item of these receipts and where its files lie. Where its id is not known it has the name of its file."""
    first = told[0]
    item_id = first["item_id"]
    assets: dict[str, dict[str, Any]] = {}
    for one in told:
        assets[_free(one["asset_key"] or "data", assets)] = _asset(one)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [FILE, PROJECTION],
        "id": item_id or first["file_name"] or first["path"],
        "geometry": geometry(rings),
        **_known({"bbox": box(rings)}),
        "properties": _known(
            {
                "datetime": min(one["seen"] for one in told),
                "created": min(one["completed"] for one in told),
                "geopera:item_id": item_id,
                "geopera:project_id": first["project_id"],
                "geopera:upload_id": first["upload_id"],
            }
        ),
        "links": _links(first, base_url.rstrip("/")),
        "assets": assets,
        **_known({"collection": first["collection_id"]}),
    }


def _free(key: str, taken: Mapping[str, object]) -> str:
    """The key, with a number where an earlier file of the item has it."""
    return key if key not in taken else next(k for n in count(2) if (k := f"{key}-{n}") not in taken)


def _asset(told: Mapping[str, Any]) -> dict[str, Any]:
    source, sent, raster = told["source"], told["object"], told["raster"]
    code = _CODE.search(raster.get("crs", ""))
    shape = [raster["height"], raster["width"]] if {"height", "width"} <= raster.keys() else None
    transform = raster.get("transform")
    name = told["file_name"] or ""
    return _known(
        {
            "href": quote(name or "unknown"),
            "title": name or None,
            "type": content_type(name),
            "roles": ["data"],
            "file:size": sent["size"],
            "file:checksum": SHA2_256 + sent["sha256"] if sent["sha256"] else None,
            "proj:shape": shape,
            "proj:code": code[1] if code else None,
            "proj:transform": transform,
            "proj:bbox": list(bounds(transform, *shape)) if transform and shape else None,
            "uploader:source_path": shown(told["path"]),
            "uploader:source_sha256": source["sha256"],
            "uploader:source_size": source["size"],
            "uploader:group_sha256": source["group_sha256"],
            **{f"uploader:{key}": told[key] for key in ("method", "comparison", "readback", "uploaded")},
            "uploader:warnings": told["warnings"] or None,
            "uploader:declared": told["declared"] or None,
        }
    )


def _links(told: Mapping[str, Any], base_url: str) -> list[dict[str, str]]:
    if not told["item_id"]:
        return []
    return [
        {
            "rel": "canonical",
            "href": item_address(base_url, told["item_id"]),
            "type": "application/geo+json",
        }
    ]


def item_address(base_url: str, item_id: str) -> str:
    """Where the platform, at an address without a slash at its end, tells of an item."""
    return f"{base_url}/v1/op/items.get_stac?item_id={quote(item_id, safe='')}"


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
