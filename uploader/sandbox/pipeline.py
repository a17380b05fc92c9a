"""What happens to an item after the answer of `complete`: band names, statistics, default profile, thumbnail.

One thread takes the rows of the table `pipeline` in order. A row is written with its item in one transaction and
leaves `pending` with the pipeline's results in another, so a kill in between only means that it is done again.
The rasters themselves are opened by a child with a deadline; one that kills or stalls it fails its item's
pipeline, visibly, and nothing else.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from uploader.sandbox.database import insert
from uploader.sandbox.painting import Painters, Unpaintable
from uploader.sandbox.profiles import suggest

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.sandbox.database import Database
    from uploader.sandbox.options import Options

log = logging.getLogger(__name__)
STATE = "geopera:pipeline"
"""The property of an item that says how far its pipeline is: pending, done or failed."""
_MOST_ATTEMPTS = 3
_THUMBNAIL = 256
_PATIENCE = 5.0


class Pipeline:
    """The worker. `wake` may be called inside the transaction that adds the row: the claim waits for its end."""

    def __init__(self, database: Database, objects: Path, options: Options) -> None:
        self._database = database
        self._objects = objects
        self._delay = options.pipeline_delay
        self._newest_shown = options.default_view == "newest"
        self._painters = Painters(1, options.paint_deadline)
        self._bell = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier run left."""
        self._thread.start()

    def enqueue(self, tx: sqlite3.Connection, item_id: str, now: float) -> None:
        """Add an item, or add it again, in the transaction that made or changed it."""
        tx.execute(
            "INSERT OR REPLACE INTO pipeline (item_id, state, due_at, attempts) VALUES (?, 'pending', ?, 0)",
            (item_id, now + self._delay),
        )
        _tell(tx, item_id, "pending")
        self._bell.set()

    def close(self) -> None:
        """End; an item in work is left as it was."""
        self._ended = True
        self._bell.set()
        self._painters.close()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._ended:
            try:
                wait = self._step()
            except sqlite3.ProgrammingError:
                return  # the database was closed under us: the sandbox ends
            except Exception:
                log.exception("the pipeline has a bug")
                wait = 1.0
            if wait:
                self._bell.wait(None if wait < 0 else wait)

    def _step(self) -> float:
        """Do the next item; returns how long to wait before the next step, negative without end."""
        self._bell.clear()
        item_id, wait = self._claim()
        if item_id is None:
            return wait
        try:
            self._store(item_id, *self._derive(item_id))
        except Unpaintable as error:
            if not self._ended:
                self._fail(item_id, str(error))
        return 0.0

    def _claim(self) -> tuple[str | None, float]:
        """The next item that is due, its attempt counted; else how long until one is."""
        now = time.time()
        query = "SELECT * FROM pipeline WHERE state = 'pending' ORDER BY due_at LIMIT 1"
        with self._database.write() as tx:
            row = tx.execute(query).fetchone()
            if row is None or row["due_at"] > now:
                return None, -1.0 if row is None else row["due_at"] - now
            tx.execute("UPDATE pipeline SET attempts = attempts + 1 WHERE item_id = ?", (row["item_id"],))
        if row["attempts"] >= _MOST_ATTEMPTS:
            self._fail(row["item_id"], f"{_MOST_ATTEMPTS} attempts did not end")
            return None, 0.0
        return str(row["item_id"]), 0.0

    def _derive(self, item_id: str) -> tuple[dict[int, dict[str, Any]], dict[str, Any] | None]:
        """What each raster asset tells, by the asset's row, and the profile of the first of them."""
        query = """SELECT asset.*, object.blob FROM asset JOIN object ON object.path = asset.object_path
                   WHERE item_id = ? ORDER BY asset.sequence"""
        with self._database.read() as tx:
            assets = tx.execute(query, (item_id,)).fetchall()
        told: dict[int, dict[str, Any]] = {}
        profile: dict[str, Any] | None = None
        for asset in assets:
            if "shape" not in json.loads(asset["facts"]):
                continue
            path = self._objects / asset["blob"]
            told[asset["sequence"]] = found = self._painters.paint(path, "describe")
            if profile is None or self._newest_shown:
                profile = self._profile(path, asset, found)
        return told, profile

    def _profile(self, path: Path, asset: sqlite3.Row, found: dict[str, Any]) -> dict[str, Any]:
        categorical = bool(asset["is_categorical"])
        chosen = suggest(found["bands"], found["dtype"], palette=found["palette"], categorical=categorical)
        size = {"width": _THUMBNAIL, "height": _THUMBNAIL}
        picture = self._painters.paint(path, "preview", **size, form="png", quality=85, style=chosen.config)
        return {
            "name": chosen.name,
            "type": chosen.type,
            "config": json.dumps(chosen.config),
            "asset_key": asset["key"],
            "thumbnail": base64.b64decode(picture["image"]),
        }

    def _store(self, item_id: str, told: dict[int, dict[str, Any]], profile: dict[str, Any] | None) -> None:
        now = time.time()
        with self._database.write() as tx:
            for sequence, found in told.items():
                row = tx.execute("SELECT facts FROM asset WHERE sequence = ?", (sequence,)).fetchone()
                facts = {**json.loads(row["facts"]), "bands": _merged(row["facts"], found["bands"])}
                tx.execute("UPDATE asset SET facts = ? WHERE sequence = ?", (json.dumps(facts), sequence))
            if profile and self._newest_shown:
                tx.execute("DELETE FROM profile WHERE item_id = ? AND layer = 'auto'", (item_id,))
            exists = tx.execute(
                "SELECT 1 FROM profile WHERE item_id = ? AND is_default", (item_id,)
            ).fetchone()
            if profile and not exists:
                fixed = {"layer": "auto", "is_default": True, "sort_order": 0, "version": 1}
                times = {"created_at": now, "updated_at": now, "created_by": "pipeline"}
                name = f"vp_{uuid.uuid4().hex[:16]}"
                insert(tx, "profile", id=name, item_id=item_id, **fixed, **times, **profile)
            self._end(tx, item_id, "done", "")

    def _fail(self, item_id: str, reason: str) -> None:
        with self._database.write() as tx:
            self._end(tx, item_id, "failed", reason)

    def _end(self, tx: sqlite3.Connection, item_id: str, state: str, reason: str) -> None:
        """Unless the item was added again in the meantime: then the next step does it all once more."""
        done = tx.execute(
            "UPDATE pipeline SET state = ?, error = ?, finished_at = ? WHERE item_id = ? AND attempts > 0",
            (state, reason, time.time(), item_id),
        )
        if done.rowcount:
            _tell(tx, item_id, state)


def _merged(facts: str, bands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bands as the headers told them, with the names and statistics that the pipeline found."""
    headers = json.loads(facts).get("header_bands", [])
    return [
        {**header, **{name: band[name] for name in ("name", "common_name", "statistics")}}
        for header, band in zip(headers, bands, strict=True)
    ]


def _tell(tx: sqlite3.Connection, item_id: str, state: str) -> None:
    tx.execute(
        "UPDATE item SET properties = json_set(properties, ?, ?) WHERE id = ?",
        (f'$."{STATE}"', state, item_id),
    )
