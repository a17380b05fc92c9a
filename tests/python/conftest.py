"""A local platform to push to, and rasters to push."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

import uploader
from tests.support.rasters import make
from uploader.sandbox import Options, Sandbox

PATIENCE = 120.0


def write(path: Path, seed: int, size: int = 64) -> Path:
    """A small raster of noise, of its own content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).integers(0, 250, (1, size, size), dtype=np.uint8)
    shape = {"width": size, "height": size, "count": 1, "dtype": "uint8"}
    place = rasterio.Affine(1, 0, 500, 0, -1, 500)
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32755", transform=place, **shape) as target:
        target.write(data)
    return path


class Place:
    """A platform, a folder of rasters, and where a push to it remembers what was done."""

    def __init__(self, root: Path, box: Sandbox) -> None:
        self.box = box
        self.root = root
        self.rasters = root / "rasters"
        self.target: dict[str, Any] = {
            "project_id": box.project_id,
            "base_url": box.base_url,
            "api_key": box.api_key,
            "state_dir": root / "state",
        }

    def draw(self, count: int, size: int = 64) -> list[Path]:
        """So many rasters, each of its own content."""
        self.rasters.mkdir(exist_ok=True)
        paths = [self.rasters / f"{number}.tif" for number in range(count)]
        for number, path in enumerate(paths):
            make("dem_nodata", path, size=size, seed=number)
        return paths

    def strip_crs(self, path: Path) -> None:
        """Draw a raster again that does not say where it lies."""
        shape = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
        with rasterio.open(path, "w", driver="GTiff", **shape) as target:
            target.write(np.arange(64 * 64, dtype=np.uint8).reshape(1, 64, 64))

    def start(self, script: str) -> subprocess.Popen[str]:
        """A program that has `paths` and `target`, in a process of its own."""
        target = {**self.target, "state_dir": str(self.target["state_dir"])}
        target.pop("api_key")
        begin = f"import uploader\npaths = {str(self.rasters)!r}\ntarget = {target!r}\n"
        return subprocess.Popen(
            [sys.executable, "-c", begin + script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.root,
            env={
                **os.environ,
                "GEOPERA_API_KEY": self.box.api_key,
                "PYTHONPATH": str(Path(uploader.__file__).parents[1]),
            },
        )

    def until_stored(self, objects: int = 1) -> None:
        """Wait until the store has so many."""
        deadline = time.monotonic() + PATIENCE
        while self.box.state()["objects"] < objects:
            assert time.monotonic() < deadline, "nothing was stored"
            time.sleep(0.01)

    def require_one_item_each(self, result: uploader.PushResult, count: int) -> None:
        """Each raster is one item, here and on the platform."""
        assert Counter(Path(item.path).name for item in result.items) == {f"{n}.tif": 1 for n in range(count)}
        assert len({item.item_id for item in result.items}) == count
        assert self.box.state()["items"] == count


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """See `Place`."""
    with Sandbox(Options(root=tmp_path / "platform")) as box:
        yield Place(tmp_path, box)
