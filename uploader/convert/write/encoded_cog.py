"""From a raster to a COG that was encoded in one pass, completed and compared: the order of steps of this method."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import rasterio

from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.read.formats.open_raster import THREADS, translated
from uploader.convert.read.measure import Gauge
from uploader.convert.tiff import ifd
from uploader.convert.write import cog_driver, cog_levels, encode_check, head_completion, method_choice
from uploader.convert.write import source_heads as sources
from uploader.convert.write.encode import encode
from uploader.convert.write.encode_plan import Plan
from uploader.convert.write.publish import RESULT
from uploader.convert.write.task import Task, WrittenCog
from uploader.convert.write.tile_copy import move
from uploader.convert.write.verification import verify
from uploader.core.errors import ConversionFailed

_PARTS = "parts"
_CACHE_BYTES = 96 << 20
"""What GDAL keeps of blocks that were decoded: enough for those that two rows of tiles share."""


def written(task: Task, options: Mapping[str, str]) -> WrittenCog:
    """Write the COG to `task.result`, and verify it; `options` are those that GDAL's driver would get.

    Raises ConversionFailed where what was written is not what was read, RasterUnreadable, RasterRefused.
    """
    folder = task.workshop / _PARTS
    folder.mkdir()
    try:
        with translated("encoded"), rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES):  # type: ignore[no-untyped-call]
            return _written(task, options, folder)
    finally:
        shutil.rmtree(folder)


def _written(task: Task, options: Mapping[str, str], folder: Path) -> WrittenCog:
    head, added, beside = _head(task, options, folder)
    plan = Plan(head, _pyramid(task, head, added, options), THREADS)
    gauge = None if task.found.measured else Gauge(task.facts, classes=False)
    images, sums = encode(task.dataset, plan, folder, gauge)
    move(head, images, task.result, added, head_completion.reserve(added))
    shutil.rmtree(folder)
    folder.mkdir()
    measured = gauge.result() if gauge else task.found.measured
    assert measured is not None
    head_completion.complete(task.result, added, measured.bands)
    if task.job.verify != "off":
        wrong = encode_check.difference(task.result, plan, sums, sample=task.job.verify == "sample")
        if wrong:
            raise ConversionFailed(f"What was encoded is not what was read: {wrong}.")
    return WrittenCog("encode", measured, verify(task.job, task.facts, task.result, beside, ""))


def _head(
    task: Task, options: Mapping[str, str], folder: Path
) -> tuple[ifd.Tiff, head_completion.Additions, frozenset[str]]:
    """The head as GDAL writes it, what else goes into it, and what GDAL put beside it, by name."""
    path = folder / RESULT
    added = head_completion.additions(task.job.source, task.facts)
    alone = dict(options) | {"OVERVIEWS": "NONE"}
    nodata = task.level_options.nodata
    unfit = cog_driver.write(task.dataset, task.facts, alone, path, reserved=0, nodata=nodata, head_only=True)
    head = sources.structure(path)
    if head is None or head.order != "<":
        raise ConversionFailed("GDAL wrote a head that is not understood.")
    return head, replace(added, nodata=unfit), cog_driver.beside(path)


def _pyramid(
    task: Task, head: ifd.Tiff, added: head_completion.Additions, options: Mapping[str, str]
) -> Pyramid:
    """How the levels are made."""
    return Pyramid(
        facts=task.facts,
        tile=int(options["BLOCKSIZE"]),
        method=cog_levels.METHODS[options["RESAMPLING"]],
        options=_by_gdal(task) if options["RESAMPLING"] != "AVERAGE" else {},
        nodata=task.facts.bands[0].nodata,
        premultiplied=cog_levels.premultiplied(head, added),
    )


def _by_gdal(task: Task) -> Mapping[str, str]:
    """How GDAL compresses classes: they shrink with effort, which ISA-L does not make."""
    chosen = task.level_options
    options = method_choice.level_options(
        task.facts, chosen.compression, categorical=chosen.categorical, effort=chosen.effort
    )
    return options | {"NUM_THREADS": str(chosen.threads)}
