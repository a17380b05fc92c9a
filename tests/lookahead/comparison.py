"""What a plan says of each file, what the journal then has of it, and where the two differ."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.live import Live
from tests.support.world import DEADLINE
from uploader.journal import FILE_NAME

Told = dict[str, Any]


def plan(made: Live, *arguments: str, seconds: float = DEADLINE) -> tuple[int, dict[str, Told], Told]:
    """Exit code, by path what is said of each file, and the sums; it may take so many `seconds`."""
    done = made.w.command("plan", "-c", str(made.w.config), *arguments, timeout=seconds)
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {line["path"]: line for line in lines}, last["sums"]


def happened(made: Live) -> dict[str, Told]:
    """By path: what the journal has of each file."""
    with closing(sqlite3.connect(made.w.state / FILE_NAME)) as db:
        db.row_factory = sqlite3.Row
        scenes = "SELECT id AS scene_id, name AS scene, version AS scene_version, item_id AS scene_item FROM scenes"
        query = f"SELECT * FROM files LEFT JOIN ({scenes}) USING (scene_id)"
        found = [dict(row) for row in db.execute(query)]
    return {str(Path(row["folder"], row["path"].decode())): row for row in found}


def differences(said: Mapping[str, Told], rows: Mapping[str, Told]) -> list[str]:
    """In words; none where all happened as it was said, but for what is called an estimate."""
    planned = {path: one for path, one in said.items() if one["verdict"] != "left"}
    wrong = [f"{path}: told, and not taken" for path in planned.keys() - rows.keys()]
    wrong += [f"{path}: taken, and not told" for path in rows.keys() - planned.keys()]
    for path in planned.keys() & rows.keys():
        wrong += [f"{path}: {words}" for words in _differences(planned[path], rows[path])]
    return wrong


def scenes_differ(sums: Told, rows: Mapping[str, Told]) -> list[str]:
    """Items and sessions of scenes, told and made, in words."""
    of_scenes = [row for row in rows.values() if row["scene"] is not None]
    made = {
        "items": len({row["scene_item"] for row in of_scenes} - {None}),
        "sessions": len({row["session_id"] for row in of_scenes} - {None}),
    }
    told = {name: sums["scenes"][name] for name in made}
    return [] if told == made else [f"scenes: told {told}, became {made}"]


def _differences(one: Told, row: Told) -> Iterator[str]:
    if (one["verdict"] == "refused") != (row["state"] == "rejected"):
        yield f"told {one['verdict']}, became {row['state']}"
    elif one["verdict"] == "refused":
        if one["reason"] not in row["last_error"]:
            yield f"told {one['reason']!r}, rejected for {row['last_error']!r}"
    elif (one["verdict"] == "opened") != (row["state"] == "unpacked"):
        yield f"told {one['verdict']}, became {row['state']}"
    elif one["verdict"] == "opened":
        return
    elif one.get("method") != row["method"] and ("method" in one or row["archive_id"] is None):
        yield f"told {one.get('method')}, became {row['method']}"  # of a member no head is read
    elif one.get("categorical") not in (None, bool(row["categorical"])):
        yield f"told categorical={one['categorical']}, became {bool(row['categorical'])}"
    elif (one.get("scene"), one.get("version") or None) != (row["scene"], row["scene_version"] or None):
        yield f"told scene {one.get('scene')} {one.get('version')}, is of {row['scene']} {row['scene_version']}"
    elif "scene" in one and one["asset"] != row["target_asset_key"]:
        yield f"told asset {one['asset']}, became {row['target_asset_key']}"
    elif one["bytes"] != row["size"]:
        yield f"told {one['bytes']} bytes, has {row['size']}"
    elif row["method"] == "passthrough" and one["estimated_bytes"] != row["object_size"]:
        yield f"told {one['estimated_bytes']} bytes for its object, has {row['object_size']}"
