"""How a COG comes about: the raster's own tiles moved, or GDAL's driver; completed, and compared with its source.

The steps of one raster that is not sent as it is. Raises the errors of `uploader.core.errors`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import rasterio

from uploader.convert.job import Job, Method, RasterWarning
from uploader.convert.pyramid.overview_reader import LevelWatch, overviews, rules, smaller_levels_fit
from uploader.convert.read.examine import examine
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import THREADS, Dataset, opened, translated
from uploader.convert.read.measure import Gauge
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.read.windows import scattered
from uploader.convert.tiff import ifd
from uploader.convert.write import (
    cog_driver,
    cog_levels,
    comparison,
    head_completion,
    method_choice,
    rewrite_rules,
)
from uploader.convert.write import source_heads as sources
from uploader.convert.write.comparison import compare_facts
from uploader.convert.write.inspection import Inspected
from uploader.convert.write.pixel_comparison import compare_pixels
from uploader.convert.write.publish import RESULT
from uploader.convert.write.tile_copy import move
from uploader.core.errors import ConversionFailed, NoSpace, RasterRefused, RasterUnreadable

ALONE = "alone"
"""The folder in the workshop in which a result lies while it is compared."""

_LEVELS = "levels"
_MAJOR, _MINOR = rasterio.__gdal_version__.split(".")[:2]
_GDAL = int(_MAJOR), int(_MINOR)
_FULL_WORDS = ("no space left", "file too large", "disk quota", "free disk space", "disk full")
_FEW_BYTES = 1 << 20

_REMADE = RasterWarning(
    "overviews_remade", "The overviews that it brought along did not show it; they were made anew."
)


@dataclass(frozen=True, slots=True)
class WrittenCog:
    """How the COG came about, and what was found on the way."""

    method: Method
    measured: PixelStatistics
    warnings: tuple[RasterWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A raster of which a COG is to be written, and what is known of it."""

    job: Job
    workshop: Path
    dataset: Dataset
    facts: Facts
    found: Inspected

    @property
    def result(self) -> Path:
        """Where the COG is verified: alone in a folder, where what GDAL put beside it does not count."""
        return self.workshop / ALONE / RESULT

    @property
    def level_options(self) -> cog_levels.LevelOptions:
        """How levels are made where we make them."""
        nodata = sources.wide_nodata(self.job.source, self.facts)
        return cog_levels.LevelOptions(self.found.categorical, self.job.compression, THREADS, nodata)


def written(task: Task) -> WrittenCog:
    """Write the COG to `workshop/result.tif`. Raises NoSpace, and whatever is wrong with the raster."""
    return _rewrite(task) or _convert(task)


def _convert(task: Task) -> WrittenCog:
    """Have GDAL write it, and give it levels of ours where GDAL's would not do. Raises NoSpace, RasterUnreadable."""
    job, facts, categorical = task.job, task.facts, task.found.categorical
    options = method_choice.creation_options(
        facts, job.compression, categorical=categorical, gdal=_GDAL, threads=THREADS
    )
    task.result.parent.mkdir()
    with _cramped(job, task.workshop):
        added = head_completion.additions(job.source, facts)
        ours = method_choice.own_levels(facts, categorical=categorical)
        added, beside = _written_by_gdal(task, added, options | ({"OVERVIEWS": "NONE"} if ours else {}))
        if ours and not _give_levels(task, added):
            ours, (added, beside) = False, _written_by_gdal(task, added, options)
        made = _finished(task, "cog_driver", added, beside=beside)
        if made.measured.holes and not ours and _give_levels(task, added):
            made = _finished(task, "cog_driver", added, beside=beside, measured=made.measured)
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
    path.rename(task.result)
    return replace(added, nodata=unfit), cog_driver.beside(path)


def _give_levels(task: Task, added: head_completion.Additions) -> bool:
    """Give GDAL's result levels of ours. False where it is too odd for that, and keeps those that it has."""
    folder = task.workshop / _LEVELS
    folder.mkdir()
    try:
        facts, head = examine(task.result), sources.structure(task.result)
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
    if head is None or rewrite_rules.base_movable(head, facts, job.compression):
        return None
    made = None
    whole = not rewrite_rules.levels_movable(head, facts, job.compression)
    if whole and task.found.levels is not False:
        made = _tried(task, lambda: _moved(task, head))
    if made is None and not cog_levels.unmakeable(head, facts):
        made = _tried(task, lambda: _relevelled(task))
        if made is not None and whole:
            made = replace(made, warnings=(*made.warnings, _REMADE))
    return made


def _tried(task: Task, attempt: Callable[[], WrittenCog]) -> WrittenCog | None:
    """What an attempt makes; None, and nothing is left, where it fails."""
    task.result.parent.mkdir()
    try:
        made = attempt()
        task.result.rename(task.workshop / RESULT)
    except (RasterUnreadable, RasterRefused, ConversionFailed):
        return None
    finally:
        shutil.rmtree(task.result.parent)
    return made


def _moved(task: Task, head: ifd.Tiff) -> WrittenCog:
    """All tiles as they are. Raises ConversionFailed where the overviews do not show the raster."""
    job, facts = task.job, task.facts
    added = head_completion.Additions(facts, moved=True)
    with translated("rewritten"):
        images = rewrite_rules.images(job.source, head, base_only=False)
        move(head, images, task.result, added, head_completion.reserve(added))
    if task.found.levels or not overviews(task.result):
        return _finished(task, "rewrite", added)
    # The head takes its place before GDAL opens it: what GDAL has not read of it by then must not move.
    head_completion.complete(task.result, added, task.found.measured.bands if task.found.measured else ())
    with opened(task.result, "GTiff") as base, opened(task.result, "GTiff", overview=0) as level:
        judged = rules(base, facts, classes=task.found.categorical)
        watch = LevelWatch(level, facts, judged)
        if not smaller_levels_fit(task.result, facts, judged):
            raise ConversionFailed("Its overviews do not show each other.")
        if job.verify != "full":
            watch.sees_all(base, scattered(facts))
        return _finished(task, "rewrite", added, watch=watch)


def _relevelled(task: Task) -> WrittenCog:
    """The raster's own tiles as they are, with new levels."""
    added = head_completion.Additions(task.facts, moved=True)
    with translated("rewritten"):
        cog_levels.rebuilt(task.dataset, task.facts, task.result, added, task.level_options)
    return _finished(task, "rewrite", added)


def _finished(
    task: Task,
    method: Method,
    added: head_completion.Additions,
    *,
    beside: frozenset[str] = frozenset(),
    measured: PixelStatistics | None = None,
    watch: LevelWatch | None = None,
) -> WrittenCog:
    """Complete the head of the result, and verify it.

    What was not measured before is measured while the result is compared: so the source is decoded twice, not
    three times. Raises ConversionFailed when the watcher fails, and as `_verify` does.
    """
    measured = measured or task.found.measured
    head_completion.complete(task.result, added, measured.bands if measured else ())
    gauge = None if measured else Gauge(task.facts, classes=False)
    pixels = _pixels(task, gauge, watch)
    if watch and watch.failed:
        raise ConversionFailed("Its overviews do not show it.")
    if measured is None:
        assert gauge is not None
        measured = gauge.result()
        head_completion.complete(task.result, added, measured.bands)
    return WrittenCog(method, measured, _verify(task.job, task.facts, task.result, beside, pixels))


def _pixels(task: Task, gauge: Gauge | None, watch: LevelWatch | None) -> str:
    """The first difference of the pixels, as far as they are compared; empty when there is none."""
    if task.job.verify == "off":
        return ""
    sample = task.job.verify == "sample"
    with opened(task.result, "GTiff") as after, translated("verified"):
        return compare_pixels(task.dataset, after, task.facts, sample=sample, gauge=gauge, watch=watch)


def _verify(
    job: Job, facts: Facts, result: Path, beside: frozenset[str], pixels: str
) -> tuple[RasterWarning, ...]:
    """Raises RasterRefused when something was changed, or lost under `strict`; ConversionFailed for a bad COG."""
    if not cog_driver.valid(result, ours=True):
        raise ConversionFailed("GDAL wrote a file that is no valid COG.")
    differences = compare_facts(facts, examine(result), beside) + sources.compare_heads(
        job.source, result, facts
    )
    broken = [*differences.broken, *([pixels] if pixels else [])]
    if broken:
        raise RasterRefused(f"It cannot be kept exact: {'; '.join(broken[:5])}.", comparison.WAY_OUT)
    if job.strict and differences.lost:
        texts = " ".join(warning.text for warning in differences.lost)
        raise RasterRefused(f"It cannot be kept whole. {texts}", "Set strict = false to accept that.")
    return differences.lost


def free_room(folder: Path, job: Job) -> int:
    """Bytes that may be written above the reserve."""
    status = os.statvfs(folder)
    return max(0, status.f_bavail * status.f_frsize - job.min_free_bytes)


@contextmanager
def _cramped(job: Job, workshop: Path) -> Iterator[None]:
    """Tell a full disk from a bad raster: GDAL says it in words, or not at all and leaves a torn file."""
    try:
        yield
    except (RasterUnreadable, RasterRefused, ConversionFailed) as error:
        said = any(words in error.reason.lower() for words in _FULL_WORDS)
        if said or free_room(workshop, job) < _FEW_BYTES:
            raise NoSpace(
                "The disk filled up during the conversion.", "Free some space in staging."
            ) from error
        raise
