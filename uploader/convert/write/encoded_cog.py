"""From a raster to a COG that was encoded in one pass, completed and compared: the order of steps of this method."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rasterio._env import get_gdal_config, set_gdal_config

from uploader.convert.job import Method
from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.read.executors import threads_for
from uploader.convert.read.formats.open_raster import THREADS, translated
from uploader.convert.read.measure import Gauge
from uploader.convert.tiff import ifd
from uploader.convert.write import (
    cog_driver,
    cog_levels,
    encode_check,
    head_completion,
    method_choice,
    rewrite_rules,
)
from uploader.convert.write.early_writeback import written_back
from uploader.convert.write.encode import encode
from uploader.convert.write.encode_plan import EncodePlan
from uploader.convert.write.moved_tiles import same_tiles
from uploader.convert.write.pixel_memory import PixelMemory
from uploader.convert.write.publish import RESULT
from uploader.convert.write.task import Task, WrittenCog
from uploader.convert.write.tile_copy import move, planes
from uploader.convert.write.verification import verify
from uploader.core.errors import ConversionFailed

_PARTS = "parts"
_CACHE_BYTES = 96 << 20
"""What GDAL keeps of blocks that were decoded: enough for those that two rows of tiles share."""


def written(task: Task, options: Mapping[str, str]) -> WrittenCog:
    """Write the COG to `task.result`, and verify it; `options` are those that GDAL's driver would get.

    Raises ConversionFailed where what was written is not what was read, RasterUnreadable, RasterRefused.
    """
    with _parts(task) as folder:
        head, added, beside = _head(task, options, folder)
        wanted = _pyramid(task, head, added, int(options["BLOCKSIZE"]), options["RESAMPLING"])
        return _proved(
            task, EncodePlan(head, wanted, threads_for(task.facts.raw_bytes)), folder, added, beside
        )


def relevelled(task: Task, head: ifd.Tiff) -> WrittenCog:
    """The same with the raster's own tiles, whose `head` this is; only levels are made.

    What its tiles hold is decoded once, in the source: the result has the same bytes (`moved_tiles`).
    """
    added = head_completion.Additions(task.facts, moved=True)
    options = task.options_of_levels
    images = rewrite_rules.images(task.job.source, head, base_only=True)
    form = cog_levels.deflated(head, images, int(options.get("PREDICTOR", "1")))
    tile = head.number(images[0].directory, ifd.TILE_WIDTH)
    way = method_choice.resampling(task.facts, categorical=task.found.categorical)
    threads = threads_for(task.facts.raw_bytes)
    with _parts(task) as folder:
        plan = EncodePlan(form, _pyramid(task, head, added, tile, way), threads, images)
        return _proved(task, plan, folder, added, frozenset())


@contextmanager
def _parts(task: Task) -> Iterator[Path]:
    """A folder for tiles until they are in their place, with a cache of blocks that fits rows of tiles."""
    folder = task.workshop / _PARTS
    folder.mkdir()
    try:
        with translated("encoded"), _cache(_CACHE_BYTES):
            yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _cache(size: int) -> Iterator[None]:
    """Let GDAL keep so many bytes of blocks. An environment of rasterio's would do it at twenty times the price."""
    before = get_gdal_config("GDAL_CACHEMAX")
    set_gdal_config("GDAL_CACHEMAX", size)
    try:
        yield
    finally:
        set_gdal_config("GDAL_CACHEMAX", before)


def _proved(
    task: Task, plan: EncodePlan, folder: Path, added: head_completion.Additions, beside: frozenset[str]
) -> WrittenCog:
    """Encode, put together, complete, compare."""
    gauge = None if task.found.measured else Gauge(task.facts, classes=False)
    made = encode(task.dataset, plan, folder, gauge)
    move(plan.head, made.images, task.result, added, head_completion.reserve(added))
    measured = gauge.result() if gauge else task.found.measured
    assert measured is not None
    head_completion.complete(task.result, added, measured.bands)
    with written_back(task.result, tuple(folder.iterdir())):  # the disk may need the room of the parts
        if task.job.verify != "off":
            _compare(task, plan, made.seen, folder)
        warnings = verify(task.job, task.facts, task.result, beside, "")
    method: Method = "rewrite" if plan.kept else "encode"
    return WrittenCog(method, measured, warnings, made.smallest)


def _compare(task: Task, plan: EncodePlan, seen: PixelMemory, folder: Path) -> None:
    """Raise ConversionFailed unless the result holds what was read; tiles that were moved are compared as bytes."""
    moved = bool(plan.kept) and task.job.verify == "full"
    if moved and not same_tiles(task.job.source, task.result):
        raise ConversionFailed("Its tiles are not those of the source.")
    sample = task.job.verify == "sample"
    wrong = encode_check.difference(task.result, plan, seen, folder, sample=sample, first=int(moved))
    if wrong:
        raise ConversionFailed(f"What was encoded is not what was read: {wrong}.")


def _head(
    task: Task, options: Mapping[str, str], folder: Path
) -> tuple[ifd.Tiff, head_completion.Additions, frozenset[str]]:
    """The head as GDAL writes it, what else goes into it, and what GDAL put beside it, by name."""
    path = folder / RESULT
    added = head_completion.additions(task.job.source, task.facts)
    # Nothing is compressed: its only tile is empty, and its place is not kept.
    alone = dict(options) | {"OVERVIEWS": "NONE", "NUM_THREADS": "1", "SPARSE_OK": "TRUE"}
    nodata = task.level_options.nodata
    unfit = cog_driver.write(task.dataset, task.facts, alone, path, reserved=0, nodata=nodata, head_only=True)
    head = ifd.of(path, ifd.read)
    if head is None or head.order != "<":
        raise ConversionFailed("GDAL wrote a head that is not understood.")
    return head, replace(added, nodata=unfit), cog_driver.beside(path)


def _pyramid(
    task: Task, head: ifd.Tiff, added: head_completion.Additions, tile: int, resampling: str
) -> Pyramid:
    """How the levels are made."""
    return Pyramid(
        facts=task.facts,
        tile=tile,
        method=cog_levels.METHODS[resampling],
        options={}
        if resampling == "AVERAGE"
        else task.options_of_levels | {"NUM_THREADS": str(THREADS)},  # classes shrink with effort
        nodata=task.facts.bands[0].nodata,
        planar=planes(head, head.directories[0]) > 1,
        premultiplied=cog_levels.premultiplied(head, added),
    )
