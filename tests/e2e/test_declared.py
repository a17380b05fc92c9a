"""What a folder declares reaches the object, and the file's story tells that it was declared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support.world import World

pytestmark = pytest.mark.e2e


def test_a_folder_declares(make_world: Callable[..., World], tmp_path: Path) -> None:
    """One folder declares a system and a nodata value, another rejects what has none."""
    drops = [tmp_path / name for name in ("declares", "rejects")]
    w = make_world(
        folders=[
            {"path": str(drops[0]), "project_id": "p-1", "crs": "EPSG:25832", "nodata": 0},
            {"path": str(drops[1]), "project_id": "p-1", "on_missing_crs": "reject"},
        ]
    )
    pixels = np.random.default_rng(1).integers(1, 99, (1, 90, 90)).astype(np.uint8)
    pixels[:, :9] = 0
    for drop in drops:
        drop.mkdir(exist_ok=True)
        profile = {"driver": "GTiff", "width": 90, "height": 90, "count": 1, "dtype": "uint8"}
        with rasterio.open(
            drop / "a.tif", "w", transform=rasterio.Affine(1, 0, 5e5, 0, -1, 5e6), **profile
        ) as dataset:
            dataset.write(pixels)

    w.until_idle(check=None)

    status = w.status()
    assert (status["completed"], status["rejected"]) == (1, 1)
    assert "no reference system" in status["failed"][0]["reason"]
    (name,) = w.audit().file_names
    with rasterio.open(w.object(name)) as dataset:
        assert (dataset.crs.to_epsg(), dataset.nodata) == (25832, 0)
    wide = {"COLUMNS": "400"}
    story = w.command("log", "-c", str(w.config), str(drops[0] / "a.tif"), check=0, environment=wide).stdout
    assert "declared by the folder: crs = EPSG:25832" in story
    assert "declared by the folder: nodata = 0" in story
