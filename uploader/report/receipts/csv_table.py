"""Receipts as a table by RFC 4180 that a spreadsheet may open: no cell of it is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from uploader.core.footprint_shapes import box
from uploader.core.footprints import known_ring
from uploader.core.path_text import shown
from uploader.core.receipt_document import document

COLUMNS = (
    *(
        "path",
        "item_id",
        "project_id",
        "collection_id",
        "target_item_id",
        "scene",
        "asset_key",
        "upload_id",
        "file_name",
    ),
    *("source_sha256", "source_size", "source_group_sha256", "source_group_size"),
    *("object_sha256", "object_md5", "object_crc32c", "object_size"),
    *(
        "seen",
        "converted",
        "uploaded",
        "completed",
        "method",
        "categorical",
        "comparison",
        "warnings",
        "declared",
    ),
    *("state", "readback", "disposal", "archived_as"),
    "bbox",
)

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings of a cell by which a spreadsheet takes it for a formula, or passes over what hides one."""


def lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The head, and a line for each receipt; each ends with CR LF."""
    yield line(COLUMNS)
    for row in found:
        ring = known_ring(row.get("footprint"))
        cells = flat(document(row)) | {"bbox": " ".join(map(str, box([ring]) or ())) if ring else ""}
        yield line([cells[name] for name in COLUMNS])


def line(cells: Iterable[object]) -> str:
    """One line: texts are quoted where they must be, and begin with ' where a spreadsheet would take them for more."""
    written = io.StringIO()
    csv.writer(written).writerow([_cell(cell) for cell in cells])
    return written.getvalue()


def flat(told: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt with one value for each column."""
    nested = {f"{part}_{name}": value for part in ("source", "object") for name, value in told[part].items()}
    return {
        **told,
        **nested,
        "warnings": " ".join(warning["code"] for warning in told["warnings"]),
        "declared": " ".join(f"{name}={value}" for name, value in sorted(told["declared"].items())),
    }


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if text.startswith(FORMULAS) else text
