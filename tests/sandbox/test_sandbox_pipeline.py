"""The pipeline behind complete: it waits, survives a restart, and no raster takes the server with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import rasterio
from rasterio.transform import from_origin

from tests.support.gallery import KINDS, written
from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.painting import Painters, Unpaintable

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.unit


def test_the_pipeline_waits_and_survives_a_restart(tmp_path: Path) -> None:
    """Before its delay nothing is told; rows that a stopped sandbox left are done by the next one."""
    options = {"root": tmp_path, "rate_limit": 0, "api_key": "gpra_k"}
    with Sandbox(Options(**options, pipeline_delay=60)) as box, Wire(box) as wire:
        _, (item_id,) = wire.upload({"a.tif": written(KINDS["rgb"])})
        early = wire.ok("items.get", item_id=item_id)["item"]["properties"]["geopera:pipeline"]
        (asset,) = wire.ok("items.list_assets", item_id=item_id)["assets"]
        none = wire.ok("visualization.profiles.list", item_id=item_id)["profiles"]
        box.world.database._writer.execute("UPDATE pipeline SET due_at = 0")
    with Sandbox(Options(**options)) as box, Wire(box) as wire:
        late = wire.settled(item_id)["properties"]["geopera:pipeline"]

    assert (early, asset["band_names"], none, late) == ("pending", None, [], "done")


def test_a_hostile_raster_fails_its_pipeline_and_nothing_else(tmp_path: Path) -> None:
    """A raster of 3.6 gigapixels keeps a painter past its deadline; the server answers, the next item is done."""
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "crs": "EPSG:3857", "sparse_ok": True}
    bomb = tmp_path / "bomb.tif"
    size = {"width": 60_000, "height": 60_000, "blockxsize": 16, "blockysize": 16, "tiled": True}
    where = {"transform": from_origin(0, 0, 10, 10), "compress": "deflate"}
    with rasterio.open(bomb, "w", **profile, **size, **where):
        pass
    options = Options(root=tmp_path / "root", rate_limit=0, paint_deadline=1.5)
    with Sandbox(options) as box, Wire(box) as wire:
        upload_id = wire.initiate(bomb.stat().st_size)
        wire.store(upload_id, "bomb.tif", bomb.read_bytes())
        (bad,) = wire.ok("uploads.complete", upload_id=upload_id)["item_ids"]
        _, (good,) = wire.upload({"good.tif": written(KINDS["rgb"])})
        failed = wire.settled(bad)["properties"]["geopera:pipeline"]
        tile = wire.post("items.tile.render", item_id=bad, z=0, x=0, y=0)
        fine = wire.settled(good)["properties"]["geopera:pipeline"]

    assert (failed, tile.status_code, fine) == ("failed", 422, "done")


def test_a_raster_that_names_another_file_is_refused(tmp_path: Path) -> None:
    """A TIFF whose overviews lie in a file of its choice is not painted at all."""
    path = tmp_path / "r.tif"
    path.write_bytes(written(KINDS["rgb"]))
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(ns="OVERVIEWS", OVERVIEW_FILE="/etc/passwd")
    painters = Painters(1, 20)
    try:
        with pytest.raises(Unpaintable, match="another file"):
            painters.paint(path, "describe")
    finally:
        painters.close()
