"""One conversion from opening to a verified COG in the workshop; the only code that knows the order of steps.

Runs in the child. Raises the errors of `uploader.core.errors` and MemoryError; everything else is a bug, and ends
the process.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import rasterio

from uploader.convert.confinement import confine
from uploader.convert.formats.opening import THREADS, Dataset, opened, translated
from uploader.convert.job import Job, Method, RasterWarning, Report
from uploader.convert.pictures import preview
from uploader.convert.pyramid.watch import LevelWatch, overviews, rules, smaller_levels_fit
from uploader.convert.raster.examine import examine
from uploader.convert.raster.facts import Bounds, Facts, beyond
from uploader.convert.raster.measure import Gauge
from uploader.convert.raster.statistics import Measured
from uploader.convert.raster.windows import scattered
from uploader.convert.result import cog, fidelity, finish, levels, plan, rewrite, tiff
from uploader.convert.result.fidelity import compare_facts, compare_pixels
from uploader.convert.result.inspection import Inspected, inspect
from uploader.convert.result.mover import move
from uploader.convert.result.publish import PREVIEW, RESULT
from uploader.core.errors import ConversionFailed, LocalError, NoSpace, RasterRefused, RasterUnreadable

_ALONE = "alone"
_LEVELS = "levels"
_MAJOR, _MINOR = rasterio.__gdal_version__.split(".")[:2]
_GDAL = int(_MAJOR), int(_MINOR)
_FULL_WORDS = ("no space left", "file too large", "disk quota", "free disk space", "disk full")
_FEW_BYTES = 1 << 20
_OWN_NAMES = ("wrapper.vrt", RESULT)
_REMADE = RasterWarning(
    "overviews_remade", "The overviews that it brought along did not show it; they were made anew."
)


def perform(job: Job, workshop: Path) -> Report:
    """Convert; the COG is `workshop/result.tif` then, unless the method is `passthrough`."""
    try:
        return _perform(job, workshop)
    except LocalError as error:
        raise type(error)(_without_our_names(error.reason, job, workshop), error.way_out) from error


def _without_our_names(text: str, job: Job, workshop: Path) -> str:
    """What is said of a raster does not name the private copy, which nobody but us ever saw."""
    for folder in (job.source.parent, workshop / _ALONE, workshop):
        text = text.replace(f"{folder}/", "")
    for name in (job.source.name, *_OWN_NAMES):
        text = re.sub(rf"'{re.escape(name)}'", "the file", text)
        after = r"\b" if "." in name else r"(?=[:,])"  # a bare word may be one of the sentence
        text = re.sub(rf"\b{re.escape(name)}{after}", "the file", text)
    return text


@dataclass(frozen=True, slots=True)
class _Made:
    """How the COG came about, and what was found on the way."""

    method: Method
    measured: Measured
    warnings: tuple[RasterWarning, ...] = ()


def _perform(job: Job, workshop: Path) -> Report:
    room = _room(workshop, job)
    confine.limit(workshop, cpu_seconds=job.timeout * THREADS, file_bytes=room)
    os.chdir(workshop)
    facts = examine(job.source)
    _judge(facts, job, room)
    with opened(job.source, facts.driver) as dataset:
        found = inspect(job, dataset, facts)
        if found.passes:
            assert found.measured is not None
            made = _Made("passthrough", found.measured)
        else:
            task = _Task(job, workshop, dataset, facts, found)
            made = _rewrite(task) or _convert(task)
        if job.preview:
            shown = job.source if made.method == "passthrough" else workshop / RESULT
            picture = workshop / PREVIEW
            preview.draw(dataset, shown, facts, picture, side=job.preview, nearest=found.categorical)
    return Report(
        method=made.method,
        categorical=found.categorical,
        warnings=made.warnings,
        bands=made.measured.bands,
        sampled=found.sampled,
        facts=facts.summary(),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """A raster of which a COG is to be written, and what is known of it."""

    job: Job
    workshop: Path
    dataset: Dataset
    facts: Facts
    found: Inspected

    @property
    def result(self) -> Path:
        """Where the COG is verified: alone in a folder, where what GDAL put beside it does not count."""
        return self.workshop / _ALONE / RESULT

    @property
    def level_options(self) -> levels.LevelOptions:
        """How levels are made where we make them."""
        nodata = finish.wide_nodata(self.job.source, self.facts)
        return levels.LevelOptions(self.found.categorical, self.job.compression, THREADS, nodata)


def _judge(facts: Facts, job: Job, room: int) -> None:
    """Refuse what is beyond the limits, and wait where it does not fit, before any block is read."""
    reason = beyond(facts, Bounds(job.max_pixels, job.max_bands, job.memory_limit))
    if reason:
        raise RasterRefused(reason)
    unkeepable, way_out = fidelity.unkeepable(facts)
    if unkeepable:
        raise RasterRefused(unkeepable, way_out)
    needed = plan.disk_needed(facts, job.compression)
    if needed > room:
        raise NoSpace(f"Converting may need {needed} bytes of disk; {room} are free above the reserve.")


def _convert(task: _Task) -> _Made:
    """Have GDAL write it, and give it levels of ours where GDAL's would not do. Raises NoSpace, RasterUnreadable."""
    job, facts, categorical = task.job, task.facts, task.found.categorical
    options = plan.creation_options(
        facts, job.compression, categorical=categorical, gdal=_GDAL, threads=THREADS
    )
    task.result.parent.mkdir()
    with _cramped(job, task.workshop):
        added = finish.additions(job.source, facts)
        ours = plan.own_levels(facts, categorical=categorical)
        beside = _written(task, added, options | ({"OVERVIEWS": "NONE"} if ours else {}))
        if ours and not _give_levels(task, added):
            ours, beside = False, _written(task, added, options)
        made = _finished(task, "cog_driver", added, beside=beside)
        if made.measured.holes and not ours and _give_levels(task, added):
            made = _finished(task, "cog_driver", added, beside=beside, measured=made.measured)
    task.result.rename(task.workshop / RESULT)
    return made


def _written(task: _Task, added: finish.Additions, options: Mapping[str, str]) -> frozenset[str]:
    """Have GDAL's COG driver write the result. What it puts beside it, by name."""
    path = task.workshop / RESULT
    reserved = finish.reserve(added, task.facts.count)
    nodata = task.level_options.nodata
    cog.write(task.dataset, task.facts, options, path, reserved=reserved, nodata=nodata)
    path.rename(task.result)
    return cog.beside(path)


def _give_levels(task: _Task, added: finish.Additions) -> bool:
    """Give GDAL's result levels of ours. False where it is too odd for that, and keeps those that it has."""
    folder = task.workshop / _LEVELS
    folder.mkdir()
    try:
        facts, head = examine(task.result), finish.structure(task.result)
        if head is None or levels.unmakeable(head, facts):
            return False
        with opened(task.result, "GTiff") as base:
            levels.rebuilt(base, facts, folder / RESULT, added, task.level_options)
        (folder / RESULT).rename(task.result)
    except (RasterUnreadable, ConversionFailed):
        return False
    finally:
        shutil.rmtree(folder)
    return True


def _rewrite(task: _Task) -> _Made | None:
    """Move the tiles instead of making new ones. None, and nothing is left, where that is not sure to be right."""
    job, facts = task.job, task.facts
    head = finish.structure(job.source)
    if head is None or rewrite.base_movable(head, facts, job.compression):
        return None
    made = None
    whole = not rewrite.levels_movable(head, facts, job.compression)
    if whole and task.found.levels is not False:
        made = _tried(task, lambda: _moved(task, head))
    if made is None and not levels.unmakeable(head, facts):
        made = _tried(task, lambda: _relevelled(task))
        if made is not None and whole:
            made = replace(made, warnings=(*made.warnings, _REMADE))
    return made


def _tried(task: _Task, attempt: Callable[[], _Made]) -> _Made | None:
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


def _moved(task: _Task, head: tiff.Tiff) -> _Made:
    """All tiles as they are. Raises ConversionFailed where the overviews do not show the raster."""
    job, facts, added = task.job, task.facts, finish.Additions()
    with translated("rewritten"):
        images = rewrite.images(job.source, head, base_only=False)
        move(head, images, task.result, added, finish.reserve(added, facts.count))
    if task.found.levels or not overviews(task.result):
        return _finished(task, "rewrite", added)
    # The head takes its place before GDAL opens it: what GDAL has not read of it by then must not move.
    finish.complete(task.result, added, task.found.measured.bands if task.found.measured else ())
    with opened(task.result, "GTiff") as base, opened(task.result, "GTiff", overview=0) as level:
        judged = rules(base, facts, classes=task.found.categorical)
        watch = LevelWatch(level, facts, judged)
        if not smaller_levels_fit(task.result, facts, judged):
            raise ConversionFailed("Its overviews do not show each other.")
        if job.verify != "full":
            watch.sees_all(base, scattered(facts))
        return _finished(task, "rewrite", added, watch=watch)


def _relevelled(task: _Task) -> _Made:
    """The raster's own tiles as they are, with new levels."""
    added = finish.Additions()
    with translated("rewritten"):
        levels.rebuilt(task.dataset, task.facts, task.result, added, task.level_options)
    return _finished(task, "rewrite", added)


def _finished(
    task: _Task,
    method: Method,
    added: finish.Additions,
    *,
    beside: frozenset[str] = frozenset(),
    measured: Measured | None = None,
    watch: LevelWatch | None = None,
) -> _Made:
    """Complete the head of the result, and verify it.

    What was not measured before is measured while the result is compared: so the source is decoded twice, not
    three times. Raises ConversionFailed when the watcher fails, and as `_verify` does.
    """
    measured = measured or task.found.measured
    finish.complete(task.result, added, measured.bands if measured else ())
    gauge = None if measured else Gauge(task.facts, classes=False)
    pixels = _pixels(task, gauge, watch)
    if watch and watch.failed:
        raise ConversionFailed("Its overviews do not show it.")
    if measured is None:
        assert gauge is not None
        measured = gauge.result()
        finish.complete(task.result, added, measured.bands)
    return _Made(method, measured, _verify(task.job, task.facts, task.result, beside, pixels))


def _pixels(task: _Task, gauge: Gauge | None, watch: LevelWatch | None) -> str:
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
    if not cog.valid(result, ours=True):
        raise ConversionFailed("GDAL wrote a file that is no valid COG.")
    differences = compare_facts(facts, examine(result), beside)
    broken = [*differences.broken, *([pixels] if pixels else [])]
    if broken:
        raise RasterRefused(
            f"It cannot be kept exact: {'; '.join(broken[:5])}.", "Remove what is named from the raster."
        )
    if job.strict and differences.lost:
        texts = " ".join(warning.text for warning in differences.lost)
        raise RasterRefused(f"It cannot be kept whole. {texts}", "Set strict = false to accept that.")
    return differences.lost


def _room(folder: Path, job: Job) -> int:
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
        if said or _room(workshop, job) < _FEW_BYTES:
            raise NoSpace(
                "The disk filled up during the conversion.", "Free some space in staging."
            ) from error
        raise
