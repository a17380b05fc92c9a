"""What a zygote does once, so that no child of it need do it for itself: it converts small rasters of its own making.

Then PROJ has read its tables, GDAL has made what it makes when it is first used, and Python has seen which way its code
goes. All that is in memory when the next child is forked. Nothing that comes from outside is read here.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.ma
from rasterio.crs import CRS
from rasterio.io import DatasetWriter
from rasterio.transform import from_origin

from uploader.convert.engine.child import require_threads
from uploader.convert.isolation import kernel
from uploader.convert.job import Job
from uploader.convert.perform import converted
from uploader.convert.pictures.look import quicklook
from uploader.convert.write.publish import RESULT
from uploader.core.capacity import pool_threads

_HEIGHT, _WIDTH = 16, 528
"""Two tiles and one level, and hardly any pixels."""
_ROOM = 1 << 30
_TIMES = 3
DESCRIPTORS = Path("/proc/self/fd")
"""Where a process sees what it has open."""
_KINDS = (("uint8", 3, None), ("float32", 1, -9999.0))
"""Types, bands and nodata values of the rasters."""


def rehearse(folder: Path) -> None:
    """Convert in a folder that does not exist, and is removed. Not where GDAL would wait for threads for ever."""
    with suppress(Exception):  # whatever fails here costs each child some time, and nothing else
        require_threads(pool_threads(os.cpu_count() or 1))
        folder.mkdir()
        for dtype, bands, nodata in _KINDS:
            source = folder / f"{dtype}.tif"
            _make(source, dtype, bands, nodata)
            for turn in range(_TIMES):
                _convert(source, folder / f"{dtype}-{turn}")
    shutil.rmtree(folder, ignore_errors=True)
    gc.collect()
    gc.freeze()
    kernel.give_back_memory()


def _make(path: Path, dtype: str, bands: int, nodata: float | None) -> None:
    shape = {"driver": "GTiff", "width": _WIDTH, "height": _HEIGHT, "count": bands, "dtype": dtype}
    place = {"crs": CRS.from_epsg(32632), "transform": from_origin(500_000, 5_000_000, 1, 1)}  # type: ignore[no-untyped-call]
    pixels = np.arange(bands * _HEIGHT * _WIDTH).reshape(bands, _HEIGHT, _WIDTH) % 251
    with DatasetWriter(str(path), "w", nodata=nodata, **shape, **place) as dataset:
        dataset.write(pixels.astype(dtype))


def _convert(source: Path, folder: Path) -> None:
    own, workshop = folder / "source", folder / "workshop"
    own.mkdir(parents=True)
    workshop.mkdir()
    job = Job(Path(shutil.copy(source, own)), workshop / RESULT, min_free_bytes=0)
    done = converted(job, workshop, _ROOM)
    told = done.report
    quicklook(done.shown, done.smallest, done.facts, told.bands, categorical=told.categorical)


def left_open(first: int) -> frozenset[int]:
    """The descriptors from `first` on: those of libraries, of which a child that closed them would not know."""
    found = [
        int(link.name) for link in list(DESCRIPTORS.iterdir()) if link.exists()
    ]  # that of the list is closed
    return frozenset(handle for handle in found if handle >= first)


def tables(descriptors: Collection[int], places: Collection[Path]) -> bool:
    """Whether all of these are files of these places that are open for reading: a child may open them itself."""
    for handle in descriptors:
        target = (DESCRIPTORS / str(handle)).readlink()
        readable = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        if not readable or not any(target.is_relative_to(place) for place in places):
            return False
    return True
