"""One conversion from opening to a verified COG in the workshop; the only code that knows the order of steps.

Runs in the child. Raises the errors of `uploader.core.errors` and MemoryError; everything else is a bug, and ends
the process.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import rasterio
from rio_cogeo.cogeo import cog_validate

from uploader.convert.confinement import confine
from uploader.convert.formats.opening import THREADS, Dataset, opened, translated
from uploader.convert.formats.table import PASS
from uploader.convert.job import Job, RasterWarning, Report
from uploader.convert.pictures import preview
from uploader.convert.raster.declared import as_declared, placed, with_declared
from uploader.convert.raster.doubts import doubts
from uploader.convert.raster.examine import examine
from uploader.convert.raster.facts import RAISE, Bounds, Facts, beyond
from uploader.convert.raster.measure import Gauge, may_be_classes, measure
from uploader.convert.raster.statistics import Measured
from uploader.convert.result import cog, fidelity, finish, levels, plan, rewrite
from uploader.convert.result.fidelity import compare_facts, compare_pixels
from uploader.convert.result.publish import PREVIEW, RESULT
from uploader.convert.result.uncounted import uncounted
from uploader.core.errors import ConversionFailed, LocalError, NoSpace, RasterRefused, RasterUnreadable

_ALONE = "alone"
_UNSEEN = Measured(bands=(), distinct=None, counted=0)
_MAJOR, _MINOR = rasterio.__gdal_version__.split(".")[:2]
_GDAL = int(_MAJOR), int(_MINOR)
_FULL_WORDS = ("no space left", "file too large", "disk quota", "free disk space", "disk full")
_MISTAKEN = re.compile(r"not tiled$|^Invalid Decimation 1 ")
_FEW_BYTES = 1 << 20
_OWN_NAMES = ("wrapper.vrt", RESULT)


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


def _perform(job: Job, workshop: Path) -> Report:
    room = _room(workshop, job)
    confine.limit(workshop, cpu_seconds=job.timeout * THREADS, file_bytes=room)
    os.chdir(workshop)
    facts = with_declared(examine(job.source), job.crs, job.nodata)
    _judge(facts, job, room)
    # Threads read as many bytes as are counted, also where libtiff needs fewer: of a last strip that is counted full.
    threads = THREADS if facts.compression else 1
    with (
        opened(job.source, facts.driver, threads=threads) as own,
        as_declared(own, facts, workshop) as dataset,
    ):
        measured = _measured_before(job, dataset, facts)
        decided = _plan(job, facts, measured or _UNSEEN)
        warnings: tuple[RasterWarning, ...] = ()
        moved = None
        if decided.method == "cog_driver" and measured:
            moved = _rewrite(
                job, workshop, dataset, facts, measured=measured, categorical=decided.categorical
            )
        if moved is not None:
            decided, warnings = replace(decided, method="rewrite"), moved
        elif decided.method == "cog_driver":
            warnings, measured = _convert(
                job, workshop, dataset, facts, measured=measured, options=decided.options
            )
        assert measured is not None
        if job.preview:
            made = job.source if decided.method == "passthrough" else workshop / RESULT
            picture = workshop / PREVIEW
            preview.draw(dataset, made, facts, picture, side=job.preview, nearest=decided.categorical)
    return Report(
        method=decided.method,
        categorical=decided.categorical,
        warnings=(*warnings, *doubts(facts, measured, job.nodata)),
        bands=measured.bands,
        facts=facts.summary(),
        declared=dict(facts.declared),
    )


def _measured_before(job: Job, dataset: Dataset, facts: Facts) -> Measured | None:
    """What the pixels say, where something hangs on it; None: it is enough to know when the result is compared."""
    classes = plan.counts_classes(facts, job.categorical)
    passable = plan.may_pass(facts) and plan.statistics_claimed(facts)
    if (
        job.verify != "full"
        or passable
        or _movable(job, facts)
        or (classes and may_be_classes(dataset, facts))
    ):
        return measure(dataset, facts, classes=classes)
    return None


def _movable(job: Job, facts: Facts) -> bool:
    """Whether the source's own tiles could be those of the COG."""
    head = finish.structure(job.source)
    return head is not None and not rewrite.movable(head, facts, job.compression)


def _judge(facts: Facts, job: Job, room: int) -> None:
    """Refuse what is beyond the limits, and wait where it does not fit, before any block is read."""
    reason = beyond(facts, Bounds(job.max_pixels, job.max_bands, job.memory_limit))
    if reason:
        raise RasterRefused(reason, RAISE if "limit" in reason else PASS)
    if job.on_missing_crs == "reject" and not placed(facts):
        raise RasterRefused(
            "It has no reference system, and its folder rejects such rasters.",
            "Put a .prj beside it, or declare one with `crs` of its folder; then `uploader retry`.",
        )
    if uncounted(finish.structure(job.source)):
        raise RasterRefused(
            "Some of its strips or tiles have a place but no size: GDAL would take them for empty.",
            f"Write it anew with the program it is from. {PASS}",
        )
    unkeepable, way_out = fidelity.unkeepable(facts)
    if unkeepable:
        raise RasterRefused(unkeepable, way_out)
    needed = plan.disk_needed(facts, job.compression)
    if needed > room:
        raise NoSpace(
            f"Converting may need {needed:,} bytes of disk; {room:,} are free above the reserve.",
            "Free some space in staging, or lower limits.min_free_bytes.",
        )


def _plan(job: Job, facts: Facts, measured: Measured) -> plan.Plan:
    categorical = plan.is_categorical(facts, measured, job.categorical)
    passable = plan.may_pass(facts)
    exact = passable and plan.statistics_claimed(facts) and plan.statistics_exact(facts, measured)
    options = plan.creation_options(
        facts, job.compression, categorical=categorical, gdal=_GDAL, threads=THREADS
    )
    # Validating opens the file with its overviews, so it comes last: by now it names no other file.
    method = plan.method(passable=passable, exact=exact, valid_cog=exact and _valid(job.source))
    return plan.Plan(method, categorical, options)


def _convert(
    job: Job,
    workshop: Path,
    dataset: Dataset,
    facts: Facts,
    *,
    measured: Measured | None,
    options: Mapping[str, str],
) -> tuple[tuple[RasterWarning, ...], Measured]:
    """Write and verify. The result is verified alone in a folder: what GDAL put beside it does not count.

    What was not measured before is measured while the result is compared: so the source is decoded twice, not
    three times.
    """
    written = workshop / RESULT
    with _cramped(job, workshop):
        added = finish.additions(job.source, facts)
        reserved = finish.reserve(added, facts.count)
        nodata = finish.wide_nodata(job.source, facts)
        cog.write(dataset, facts, options, written, reserved=reserved, nodata=nodata)
        beside = cog.beside(written)
        alone = workshop / _ALONE / RESULT
        alone.parent.mkdir()
        written.rename(alone)
        finish.complete(alone, added, measured.bands if measured else ())
        gauge = None if measured else Gauge(facts, classes=False)
        pixels = _pixels(job, dataset, facts, alone, gauge)
        if gauge:
            measured = gauge.result()
            finish.complete(alone, added, measured.bands)
        warnings = _verify(job, facts, alone, beside, pixels)
    alone.rename(written)
    assert measured is not None
    return warnings, measured


def _rewrite(
    job: Job, workshop: Path, dataset: Dataset, facts: Facts, *, measured: Measured, categorical: bool
) -> tuple[RasterWarning, ...] | None:
    """Move the tiles instead of making new ones. None, and nothing is left, where that is not sure to be right."""
    if not _movable(job, facts):
        return None
    result = workshop / _ALONE / RESULT
    result.parent.mkdir()
    added = finish.Additions()
    try:
        with translated("rewritten"):
            rewrite.move(job.source, result, added, finish.reserve(added, facts.count))
        finish.complete(result, added, measured.bands)
        levels.require_sound(result, measured, categorical=categorical)
        pixels = _pixels(job, dataset, facts, result)
        warnings = _verify(job, facts, result, frozenset(), pixels, ours=False)
        result.rename(workshop / RESULT)
    except (RasterUnreadable, RasterRefused, ConversionFailed):
        return None
    finally:
        shutil.rmtree(result.parent)
    return warnings


def _pixels(job: Job, dataset: Dataset, facts: Facts, result: Path, gauge: Gauge | None = None) -> str:
    """The first difference of the pixels, as far as they are compared; empty when there is none."""
    if job.verify == "off":
        return ""
    with opened(result, "GTiff") as after, translated("verified"):
        return compare_pixels(dataset, after, facts, sample=job.verify == "sample", gauge=gauge)


def _verify(
    job: Job, facts: Facts, result: Path, beside: frozenset[str], pixels: str, *, ours: bool = True
) -> tuple[RasterWarning, ...]:
    """Raises RasterRefused when something was changed, or lost under `strict`; ConversionFailed for a bad COG."""
    if not _valid(result, ours=ours):
        raise ConversionFailed("GDAL wrote a file that is no valid COG.")
    differences = compare_facts(facts, examine(result), beside)
    broken = [*differences.broken, *([pixels] if pixels else [])]
    if broken:
        raise RasterRefused(
            f"It cannot be kept exact: {'; '.join(broken[:5])}.",
            f"Write it anew without what is named, for example with gdal_translate. {PASS}",
        )
    if job.strict and differences.lost:
        texts = " ".join(warning.text for warning in differences.lost)
        raise RasterRefused(f"It cannot be kept whole. {texts}", "Set strict = false to accept that.")
    return differences.lost


def _valid(path: Path, *, ours: bool = False) -> bool:
    """Whether rio-cogeo calls a file a valid COG.

    Of what GDAL's COG driver wrote, some complaints are mistaken: a level exactly one tile wide is not untiled,
    and one pixel cannot be decimated.
    """
    try:
        valid, complaints, doubts = cog_validate(str(path), strict=True, quiet=True)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - it asserts, indexes and unpacks; whatever it stumbles on is no valid COG
        return False
    return valid or (ours and all(_MISTAKEN.search(text) for text in (*complaints, *doubts)))


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
