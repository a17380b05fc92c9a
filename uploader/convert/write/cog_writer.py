"""How a COG comes about: the raster's own tiles moved, or GDAL's driver; completed, and compared with its source.

The steps of one raster that is not sent as it is. Raises the errors of `uploader.core.errors`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace

import rasterio

from uploader.convert.job import Job, Method, RasterWarning
from uploader.convert.pyramid.overview_reader import overviews, watched
from uploader.convert.read.examine import examine
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import THREADS, opened, translated
from uploader.convert.read.pass_progress import WRITING, skipped
from uploader.convert.read.windows import scattered
from uploader.convert.tiff import ifd
from uploader.convert.write import (
    cog_driver,
    cog_levels,
    encode_rules,
    encoded_cog,
    head_completion,
    method_choice,
    rewrite_rules,
)
from uploader.convert.write import source_heads as sources
from uploader.convert.write.disk_room import cramped
from uploader.convert.write.publish import RESULT
from uploader.convert.write.task import Task, WrittenCog
from uploader.convert.write.tile_copy import move
from uploader.convert.write.verification import WrongOverviews, finished
from uploader.core.errors import ConversionFailed, RasterRefused, RasterUnreadable

_LEVELS = "levels"
_MAJOR, _MINOR = rasterio.__gdal_version__.split(".")[:2]
_GDAL = int(_MAJOR), int(_MINOR)

_REMADE = RasterWarning(
    "overviews_remade", "The overviews that it brought along did not show it; they were made anew."
)


def written(task: Task) -> WrittenCog:
    """Write the COG to `workshop/result.tif`. Raises NoSpace, and whatever is wrong with the raster."""
    return _rewrite(task) or _encode(task) or _convert(task)


def _encode(task: Task) -> WrittenCog | None:
    """Encode it ourselves, in one pass. None, and nothing is left, where the driver is to do it.

    It is to do so also where the disk is too full for two copies of the compressed tiles: it needs less.
    """
    options = driver_options(task.facts, task.job, categorical=task.found.categorical)
    if encode_rules.left(task.facts, task.job, options):
        return None
    return _tried(task, lambda: encoded_cog.written(task, options))


def driver_options(facts: Facts, job: Job, *, categorical: bool) -> dict[str, str]:
    """What GDAL's COG driver would be told."""
    return method_choice.creation_options(
        facts, job.compression, categorical=categorical, gdal=_GDAL, threads=THREADS, effort=job.effort
    )


def expected_method(facts: Facts, job: Job, *, categorical: bool) -> Method:
    """The first way that `written` would try, by what its steps themselves decide on."""
    if cog_levels.kept(sources.structure(job.source), facts, job.compression):
        return "rewrite"
    options = driver_options(facts, job, categorical=categorical)
    return "cog_driver" if encode_rules.left(facts, job, options) else "encode"


def _convert(task: Task) -> WrittenCog:
    """Have GDAL write it, and give it levels of ours where GDAL's would not do. Raises NoSpace, RasterUnreadable."""
    job, facts, categorical = task.job, task.facts, task.found.categorical
    options = driver_options(facts, job, categorical=categorical)
    task.result.parent.mkdir()
    with cramped(job, task.workshop):
        added = head_completion.additions(job.source, facts)
        ours = method_choice.own_levels(facts, categorical=categorical)
        added, beside = _written_by_gdal(task, added, options | ({"OVERVIEWS": "NONE"} if ours else {}))
        if ours and not _give_levels(task, added):
            ours, (added, beside) = False, _written_by_gdal(task, added, options)
        made = finished(task, "cog_driver", added, beside=beside)
        if made.measured.holes and not ours and _give_levels(task, added):
            made = finished(task, "cog_driver", added, beside=beside, measured=made.measured)
    task.result.rename(task.workshop / RESULT)
    return made


def _written_by_gdal(
    task: Task, added: head_completion.Additions, options: Mapping[str, str]
) -> tuple[head_completion.Additions, frozenset[str]]:
    """Have GDAL's COG driver write the result. What its head needs besides, and what lies beside it, by name."""
    path = task.workshop / RESULT
    reserved = head_completion.reserve(added)
    nodata = task.level_options.nodata
    unfit = cog_driver.write(task.dataset, task.facts, options, path, reserved=reserved, nodata=nodata)
    skipped(WRITING)
    path.rename(task.result)
    return replace(added, nodata=unfit), cog_driver.beside(path)


def _give_levels(task: Task, added: head_completion.Additions) -> bool:
    """Give GDAL's result levels of ours. False where it is too odd for that, and keeps those that it has."""
    folder = task.workshop / _LEVELS
    folder.mkdir()
    try:
        facts, head = examine(task.result), ifd.of(task.result, ifd.read)
        if head is None or cog_levels.unmakeable(head, facts):
            return False
        with opened(task.result, "GTiff") as base:
            cog_levels.rebuilt(base, facts, folder / RESULT, added, task.level_options)
        (folder / RESULT).rename(task.result)
    except (RasterUnreadable, ConversionFailed):
        return False
    finally:
        shutil.rmtree(folder)
    return True


def _rewrite(task: Task) -> WrittenCog | None:
    """Move the tiles instead of making new ones. None, and nothing is left, where that is not sure to be right."""
    job, facts = task.job, task.facts
    head = sources.structure(job.source)
    kept = cog_levels.kept(head, facts, job.compression)
    if head is None or not kept:
        return None
    made, whole = None, kept == "all"
    wrong = whole and task.found.levels is False
    if whole and not wrong:
        try:
            made = _tried(task, lambda: _moved(task, head))
        except WrongOverviews:
            wrong = True
    if made is None and not cog_levels.unmakeable(head, facts):
        made = _levels_encoded(task, head) or _tried(task, lambda: _relevelled(task))
        if made is not None and wrong:
            made = replace(made, warnings=(*made.warnings, _REMADE))
    return made


def _tried(task: Task, attempt: Callable[[], WrittenCog]) -> WrittenCog | None:
    """What an attempt makes; None where it fails. Nothing is left of a failure. Raises WrongOverviews."""
    task.result.parent.mkdir()
    try:
        made = attempt()
        task.result.rename(task.workshop / RESULT)
    except WrongOverviews:
        raise
    except (RasterUnreadable, RasterRefused, ConversionFailed):
        return None
    finally:
        shutil.rmtree(task.result.parent)
    return made


def _moved(task: Task, head: ifd.Tiff) -> WrittenCog:
    """All tiles as they are. Raises WrongOverviews, and ConversionFailed where the result is wrong in another way."""
    job, facts = task.job, task.facts
    added = head_completion.Additions(facts, moved=True)
    with translated("rewritten"):
        images = rewrite_rules.images(job.source, head, base_only=False)
        move(head, images, task.result, added, head_completion.reserve(added))
    if task.found.levels or not overviews(task.result):
        return finished(task, "rewrite", added)
    # The head takes its place before GDAL opens it: what GDAL has not read of it by then must not move.
    head_completion.complete(task.result, added, task.found.measured.bands if task.found.measured else ())
    with (
        opened(task.result, "GTiff") as base,
        watched(base, task.result, facts, classes=task.found.categorical) as watch,
    ):
        if job.verify != "full":
            watch.sees_all(base, scattered(facts, rim=watch.margin))
        return finished(task, "rewrite", added, watch=watch)


def _levels_encoded(task: Task, head: ifd.Tiff) -> WrittenCog | None:
    """The raster's own tiles, with levels of ours. None, and nothing is left, where these are left to GDAL."""
    images = rewrite_rules.images(task.job.source, head, base_only=True)
    base = replace(head, directories=tuple(image.directory for image in images))
    options = driver_options(task.facts, task.job, categorical=task.found.categorical) | {
        "COMPRESS": task.options_of_levels["COMPRESS"]
    }
    if encode_rules.levels_left(task.facts, task.job, options, base):
        return None
    return _tried(task, lambda: encoded_cog.relevelled(task, head))


def _relevelled(task: Task) -> WrittenCog:
    """The raster's own tiles as they are, with new levels."""
    added = head_completion.Additions(task.facts, moved=True)
    with translated("rewritten"):
        cog_levels.rebuilt(task.dataset, task.facts, task.result, added, task.level_options)
    return finished(task, "rewrite", added)
