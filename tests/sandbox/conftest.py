"""Sandboxes and rasters for the sandbox's tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from tests.support.gallery import open_gallery
from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.gallery import Gallery


@pytest.fixture
def open_wire(tmp_path: Path) -> Iterator[Callable[..., Wire]]:
    """Start a sandbox in `tmp_path/root` with the given options, and talk to it."""
    with ExitStack() as stack:

        def start(**options: Any) -> Wire:
            box = stack.enter_context(Sandbox(Options(**{"root": tmp_path / "root", **options})))
            return stack.enter_context(Wire(box))

        yield start


@pytest.fixture
def wire(open_wire: Callable[..., Wire]) -> Wire:
    """A sandbox as it is by default."""
    return open_wire()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """One default sandbox for the tests of a module that leave nothing behind that others would notice."""
    root = tmp_path_factory.mktemp("shared")
    with Sandbox(Options(root=root, api_key="gpra_k", rate_limit=0)) as box, Wire(box) as wire:
        yield wire


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """Six kinds of rasters, uploaded and painted once for all tests that look at them or add to them."""
    with open_gallery(tmp_path_factory.mktemp("gallery")) as opened:
        yield opened


@pytest.fixture(scope="session")
def raster(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small georeferenced TIFF with two bands, one of them named and with statistics."""
    path = tmp_path_factory.mktemp("raster") / "r.tif"
    profile = {"driver": "GTiff", "width": 32, "height": 16, "count": 2, "dtype": "uint8", "nodata": 255}
    where = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
    with rasterio.open(path, "w", **profile, **where) as target:
        target.write(np.arange(1024, dtype="uint8").reshape(2, 16, 32))
        target.descriptions = ("red", None)
        target.update_tags(1, STATISTICS_MINIMUM="0", STATISTICS_MAXIMUM="254", STATISTICS_MEAN="127.5")
        target.update_tags(TIFFTAG_DATETIME="2024:06:01 10:20:30")
    return path.read_bytes()
