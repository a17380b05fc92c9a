"""Receipts at full size: those of many files against the sandbox's own records, and a million of them streamed.

python -m tests.receipts compare --files 10000     # each field of each receipt; hours on a small machine
python -m tests.receipts stream --rows 1000000     # memory and time of `items` in each form
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyproj

from tests.support.rasters import make
from tests.support.receipts import remember
from tests.support.world import World, world

KINDS = ("dem_nodata", "rgb_striped", "uint16_bands", "plain")
"""What is dropped, in turns; every seventh passes through as it is."""


NEAR = 2e-6
"""Degrees that the sandbox's box, which is sampled otherwise, may differ."""


def folders(root: Path) -> list[dict[str, Any]]:
    """Two drop folders: one whose sources stay, one whose sources are archived with a receipt."""
    archive = {"after_upload": "archive", "archive_dir": str(root / "archive"), "receipts": True}
    common = {"project_id": "p-1", "passthrough": ["*.gpkg"], "nodata": "3"}
    return [
        {"path": str(root / "drop"), **common},
        {"path": str(root / "second"), **common, **archive},
    ]


def fill(w: World, count: int) -> dict[str, bytes]:
    """Drop so many files of several kinds into both folders; gives their SHA-256 by path."""
    for number in range(count):
        folder = Path(w.folders[number % 2]["path"]) / f"part {number % 3}"
        if number % 7 == 6:
            folder.mkdir(exist_ok=True)
            (folder / f"{number}.gpkg").write_bytes(b"SQLite format 3\0" + number.to_bytes(4, "big") * 50)
        else:
            make(KINDS[number % len(KINDS)], folder / f"{number}-ä.tif", size=48, seed=number)
    places = (path for one in w.folders for path in Path(one["path"]).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).digest() for path in places if path.name[0] != "."}


def told(w: World, *options: str) -> list[dict[str, Any]]:
    """What `uploader items --json` prints."""
    done = w.command("items", "-c", str(w.config), "--json", *options, check=0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(w: World, sources: dict[str, bytes]) -> list[str]:
    """Where a receipt is not what the sandbox has, what lay in the folder, or what the store holds."""
    with closing(sqlite3.connect(w.root / "box" / "sandbox.sqlite")) as database:
        database.row_factory = sqlite3.Row
        sql = """SELECT asset.*, item.project_id, item.collection_id, item.bbox, object.blob FROM asset
                 JOIN item ON item.id = asset.item_id JOIN object ON object.path = asset.object_path
                 WHERE item.deleted_at IS NULL"""
        records = {row["file_name"]: dict(row) for row in database.execute(sql)}
    receipts = told(w)
    wrong = [f"{len(receipts)} receipts of {len(sources)} sources and {len(records)} records"]
    if len(receipts) == len(sources) == len(records):
        wrong.clear()
    for receipt in receipts:
        record = records.get(receipt["file_name"])
        source = sources.get(receipt["path"])
        if record is None or source is None:
            wrong.append(f"{receipt['path']} is nobody's")
            continue
        expected = _expected(w, record, source)
        found = {name: _at(receipt, name) for name in expected}
        wrong += [
            f"{receipt['path']} {name}: {found[name]} is {expected[name]}"
            for name in expected
            if found[name] != expected[name]
        ]
        wrong += _displaced(receipt, json.loads(record["bbox"] or "null"))
    return wrong


def _displaced(receipt: dict[str, Any], box: list[float] | None) -> list[str]:
    """Where its footprint is not the box that the sandbox has, or its corners not those that PROJ gives."""
    found = receipt["footprint"]
    if found is None or box is None:
        return [] if found == box else [f"{receipt['path']} footprint: {found} is {box}"]
    (ring,) = found["coordinates"]
    lons, lats = zip(*ring, strict=True)
    told = [min(lons), min(lats), max(lons), max(lats)]
    wrong = [f"bbox: {told} is {box}"] if _apart(told, box) else []
    wrong += [
        f"footprint: {ring} has no corner {corner}"
        for corner in _corners(receipt["raster"])
        if all(_apart(point, corner) for point in ring)
    ]
    return [f"{receipt['path']} {each}" for each in wrong]


def _apart(one: Sequence[float], other: Sequence[float]) -> bool:
    return any(abs(a - b) > NEAR for a, b in zip(one, other, strict=True))


def _corners(raster: dict[str, Any]) -> list[tuple[float, float]]:
    """The corners of a raster as PROJ takes them to longitude and latitude."""
    a, b, c, d, e, f = raster["transform"]
    way = pyproj.Transformer.from_crs(raster["crs"].rpartition("(")[2][:-1], 4326, always_xy=True)
    places = [(x, y) for x in (0, raster["width"]) for y in (0, raster["height"])]
    return [way.transform(a * x + b * y + c, d * x + e * y + f) for x, y in places]


def _expected(w: World, record: dict[str, Any], source: bytes) -> dict[str, Any]:
    blob = (w.root / "box" / "objects" / record["blob"]).read_bytes()
    return {
        "item_id": record["item_id"],
        "project_id": record["project_id"],
        "collection_id": record["collection_id"],
        "upload_id": record["upload_id"],
        "file_name": record["file_name"],
        "categorical": bool(record["is_categorical"]),
        "source.sha256": source.hex(),
        "object.size": record["size"],
        "object.md5": hashlib.md5(blob, usedforsecurity=False).hexdigest(),
        "object.crc32c": base64.b64encode(record["crc32c"].to_bytes(4, "big")).decode(),
        "object.sha256": hashlib.sha256(blob).hexdigest(),
    }


def _at(receipt: dict[str, Any], name: str) -> Any:
    for part in name.split("."):
        receipt = receipt[part]
    return receipt


def compare(root: Path, count: int) -> list[str]:
    """A world with so many files: what is wrong with its receipts."""
    with world(root, folders=folders(root), settings={"batch": {"linger_seconds": 1.0}}) as w:
        sources = fill(w, count)
        w.until_idle(timeout=86400.0, environment={"UPLOADER_COMPARE": ""})
        return differences(w, sources)


@dataclass(frozen=True)
class Streamed:
    """What printing took: bytes of output, most kilobytes of memory, seconds."""

    size: int
    peak: int
    seconds: float


def journal(root: Path, rows: int) -> Path:
    """A configuration whose journal has so many receipts."""
    config = root / "config.toml"
    config.write_text('state_dir = "state"\n[[folders]]\npath = "drop"\nproject_id = "p-1"\n')
    (root / "drop").mkdir(exist_ok=True)
    remember(root / "state", _rows(rows))
    return config


def _rows(count: int) -> Iterable[dict[str, Any]]:
    for number in range(count):
        name = f"2026/mission-{number // 1000}/tile-{number}"
        yield {
            "path": f"{name}.tif".encode(),
            "item_id": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
            "file_name": f"tile-{number}-{number:012x}.tif",
            "completed_at": 1_760_000_000.0 + number // 100,
        }


MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""Runs a command and tells its most kilobytes. A process counts from its parent's on, so the parent has to be small."""


def stream(config: Path, form: str) -> Streamed:
    """Run `uploader items` in this form."""
    command = [sys.executable, "-m", "uploader", "items", "-c", str(config), *([form] if form else [])]
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", MEASURED, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        size = 0
        while piece := process.stdout.read(1 << 20):
            size += len(piece)
        told = process.stderr.read()
    assert process.returncode == 0, told
    return Streamed(size, int(told), time.monotonic() - began)


def main() -> int:
    """Run one of both; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("compare", "stream"))
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="receipts-") as root:
        if given.what == "compare":
            wrong = compare(Path(root), given.files)
            print("\n".join(wrong[:50]) or f"{given.files:,} receipts are what the sandbox has, each field")
            return 1 if wrong else 0
        config = journal(Path(root), given.rows)
        for form in ("", "--json", "--csv", "--stac"):
            took = stream(config, form)
            print(
                f"{form or 'text':7} {took.size >> 20:6} MiB  {took.peak >> 10:4} MiB of memory  {took.seconds:6.1f} s"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
