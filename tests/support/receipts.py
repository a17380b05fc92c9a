"""Receipts: a journal full of them, as a long history leaves it, and what is wrong with those in an archive."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from uploader.core.footprints import packed
from uploader.core.naming import TOKEN
from uploader.core.path_text import lossless
from uploader.journal import FILE_NAME, Journal

COLUMNS: dict[str, Any] = {
    "folder": "/srv/drop",
    "path": b"a.tif",
    "state": "completed",
    "project_id": "p-1",
    "collection_id": "",
    "target_item_id": "",
    "asset_key": "",
    "upload_id": "u-1",
    "item_id": "it-1",
    "file_name": "a-000000000001.tif",
    "content": "c" * 64,
    "source_sha256": b"s" * 32,
    "source_size": 10,
    "group_size": 14,
    "object_sha256": b"o" * 32,
    "object_md5": b"m" * 16,
    "object_crc32c": 7,
    "object_size": 12,
    "categorical": 0,
    "method": "encode",
    "comparison": "full",
    "warnings": "[]",
    "declared": "{}",
    "facts": '{"width":5,"height":4,"crs":"WGS 84 (EPSG:4326)"}',
    "seen_at": 1_760_000_000.0,
    "converted_at": 1_760_000_001.0,
    "stored_at": 1_760_000_002.0,
    "completed_at": 1_760_000_003.0,
    "readback": "named",
    "disposal": "kept",
    "archived_as": None,
    "footprint": packed(
        ((100000000, 500000000), (110000000, 500000000), (110000000, 510000000), (100000000, 510000000))
    ),
}
"""A receipt that nothing is odd about."""


def remember(state: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Enter receipts, each with what differs from the usual one; the journal is made where there is none."""
    state.mkdir(exist_ok=True)
    Journal(state).close()
    names = ", ".join(COLUMNS)
    marks = ", ".join(f":{name}" for name in COLUMNS)
    with closing(sqlite3.connect(state / FILE_NAME)) as conn, conn:
        conn.executemany(
            f"INSERT INTO receipts ({names}) VALUES ({marks})", ({**COLUMNS, **row} for row in rows)
        )


def unlike_their_receipts(archive: Path) -> list[str]:
    """Beside each archived source lies one receipt, of that very source, and nothing else is left there."""
    there = {path for path in archive.iterdir() if path.name != lossless(TOKEN)}
    wrong = [f"left in the archive: {path.name}" for path in there if path.name.startswith(".")]
    receipts = {path for path in there if path.name.endswith(".receipt.json")}
    if receipts != {path.with_name(f"{path.name}.receipt.json") for path in there - receipts}:
        wrong.append(f"{sorted(path.name for path in there)}")
    for receipt in receipts:
        told = json.loads(receipt.read_bytes())
        data = receipt.with_name(receipt.name.removesuffix(".receipt.json")).read_bytes()
        if told["source"]["sha256"] != hashlib.sha256(data).hexdigest() or not told["item_id"]:
            wrong.append(f"{receipt.name} is of another source")
    return wrong
