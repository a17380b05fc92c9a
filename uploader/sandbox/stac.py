"""Items as STAC features, through pystac: STAC 1.1 with projection, raster, file and electro-optical bands.

pystac is imported at first use: it takes half a second, which the start of the server need not wait for.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pystac

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
RASTER = "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
EO = "https://stac-extensions.github.io/eo/v2.0.0/schema.json"
EXTENSIONS = (PROJECTION, RASTER, FILE, EO)


def feature(
    item: Mapping[str, Any], assets: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], base_url: str
) -> dict[str, Any]:
    """The STAC feature of an item record and its asset records, each with the facts of its raster.

    Provenance claims carry the platform's own prefix. Links are absolute below `base_url`.
    """
    import pystac  # noqa: PLC0415  half a second

    own = {"geopera:item_id": item["id"], "geopera:upload_id": item["upload_id"]}
    made = pystac.Item(
        id=item["stac_id"],
        geometry=item["geometry"],
        bbox=item["bbox"],
        datetime=datetime.fromisoformat(item["datetime"]),
        properties={
            **item["properties"],
            **own,
            "created": item["created_at"],
            "updated": item["updated_at"],
        },
        stac_extensions=list(EXTENSIONS),
        collection=item["collection_id"],
    )
    for record, facts in assets:
        made.add_asset(record["key"], _asset(record, facts))
    if any(facts.get("bands") for _, facts in assets) and "thumbnail" not in made.assets:
        made.add_asset("thumbnail", _thumbnail(assets, base_url.rstrip("/")))
    if len(assets) == 1:
        made.properties |= _projection(assets[0][1])
    root = base_url.rstrip("/")
    made.add_link(
        pystac.Link("self", f"{root}/v1/op/items.get_stac?item_id={item['id']}", "application/geo+json")
    )
    if item["collection_id"]:
        href = f"{root}/v1/op/collections.get?project_id={item['project_id']}&collection_id={item['collection_id']}"
        made.add_link(pystac.Link("collection", href, "application/json"))
    return dict(made.to_dict(transform_hrefs=False))


def object_url(prefix: str, path: str) -> str:
    """The URL of an object without a signature: it names the object, it does not open it."""
    return prefix + quote(path, safe="/~")


def _asset(record: Mapping[str, Any], facts: Mapping[str, Any]) -> pystac.Asset:
    import pystac  # noqa: PLC0415  as above

    extra = {"file:size": record["file_size_bytes"], **_projection(facts)}
    if facts.get("bands"):
        extra["bands"] = [_band(one) for one in facts["bands"]]
    return pystac.Asset(
        href=record["href"],
        title=record.get("title"),
        media_type=record["media_type"],
        roles=list(record["roles"]),
        extra_fields=extra,
    )


def _thumbnail(assets: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], base_url: str) -> pystac.Asset:
    import pystac  # noqa: PLC0415  as above

    href = next(record["href"] for record, facts in assets if facts.get("bands"))
    return pystac.Asset(
        f"{base_url}/v1/cog/thumbnail?url={quote(href, safe='')}",
        media_type="image/jpeg",
        roles=["thumbnail"],
    )


def _projection(facts: Mapping[str, Any]) -> dict[str, Any]:
    if not facts.get("shape"):
        return {}
    found = {
        "proj:shape": facts["shape"],
        "proj:transform": facts.get("transform"),
        "proj:code": facts.get("code"),
    }
    if not facts.get("code"):
        found["proj:wkt2"] = facts.get("wkt")
    bbox, shape, transform = facts.get("bbox"), facts["shape"], facts.get("transform")
    if bbox and transform:
        found["proj:bbox"] = projected_bbox(shape, transform)
    return {name: value for name, value in found.items() if value is not None or name == "proj:code"}


def projected_bbox(shape: Sequence[int], transform: Sequence[float]) -> list[float]:
    """The corners of a raster of this shape (rows, columns) in its own coordinates.

    Example:
        >>> projected_bbox([2, 3], [10, 0, 100, 0, -10, 50])
        [100, 30, 130, 50]

    """
    a, b, c, d, e, f = transform
    corners = [(0, 0), (shape[1], 0), (0, shape[0]), (shape[1], shape[0])]
    xs = [a * column + b * row + c for column, row in corners]
    ys = [d * column + e * row + f for column, row in corners]
    return [min(xs), min(ys), max(xs), max(ys)]


def _band(band: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "name": band["name"],
        "description": band.get("description"),
        "data_type": band.get("data_type"),
        "nodata": band.get("nodata"),
        "unit": band.get("unit"),
        "statistics": band.get("statistics"),
        "eo:common_name": band.get("common_name") or None,
        "raster:scale": band.get("scale"),
        "raster:offset": band.get("offset"),
    }
    return {name: value for name, value in shown.items() if value not in (None, {})}
