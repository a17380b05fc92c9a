"""One conversion from opening to a verified COG in the workshop; the only code that knows the order of steps.

Runs in the child. Raises the errors of `uploader.core.errors` and MemoryError; everything else is a bug, and ends
the process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import rasterio
from rio_cogeo.cogeo import cog_validate

from uploader.convert import cog, confine, plan
from uploader.convert.examine import examine
from uploader.convert.facts import Bounds, Facts, beyond
from uploader.convert.fidelity import compare_facts, compare_pixels
from uploader.convert.job import Job, RasterWarning, Report
from uploader.convert.measure import measure
from uploader.convert.opening import THREADS, Dataset, opened, translated
from uploader.convert.publish import RESULT
from uploader.convert.statistics import Measured
from uploader.core.errors import ConversionFailed, NoSpace, RasterRefused, RasterUnreadable

_ALONE = "alone"
_MAJOR, _MINOR = rasterio.__gdal_version__.split(".")[:2]
_GDAL = int(_MAJOR), int(_MINOR)
_FULL_WORDS = ("no space left", "file too large", "disk quota", "free disk space", "disk full")
_MISTAKEN = re.compile(r"not tiled$|^Invalid Decimation 1 ")
_FEW_BYTES = 1 << 20


def perform(job: Job, workshop: Path) -> Report:
    """Convert; the COG is `workshop/result.tif` then, unless the method is `passthrough`."""
    room = _room(workshop, job)
    confine.limit(workshop, cpu_seconds=job.timeout * THREADS, file_bytes=room)
    os.chdir(workshop)
    facts = examine(job.source)
    _judge(facts, job, room)
    with opened(job.source, facts.driver) as dataset:
        measured = measure(dataset, facts, classes=plan.counts_classes(facts, job.categorical))
        decided = _plan(job, facts, measured)
        warnings: tuple[RasterWarning, ...] = ()
        if decided.method == "cog_driver":
            warnings = _convert(job, workshop, dataset, facts, measured=measured, options=decided.options)
    return Report(
        method=decided.method,
        categorical=decided.categorical,
        warnings=warnings,
        bands=measured.bands,
        facts=facts.summary(),
    )


def _judge(facts: Facts, job: Job, room: int) -> None:
    """Refuse what is beyond the limits, and wait where it does not fit, before any block is read."""
    reason = beyond(facts, Bounds(job.max_pixels, job.max_bands, job.memory_limit))
    if reason:
        raise RasterRefused(reason)
    needed = plan.disk_needed(facts, job.compression)
    if needed > room:
        raise NoSpace(f"Converting may need {needed} bytes of disk; {room} are free above the reserve.")


def _plan(job: Job, facts: Facts, measured: Measured) -> plan.Plan:
    categorical = plan.is_categorical(facts, measured, job.categorical)
    passable = plan.may_pass(facts)
    exact = passable and plan.statistics_exact(facts, measured)
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
    measured: Measured,
    options: Mapping[str, str],
) -> tuple[RasterWarning, ...]:
    """Write and verify. The result is verified alone in a folder: what GDAL put beside it does not count."""
    written = workshop / RESULT
    with _cramped(job, workshop):
        cog.write(dataset, facts, measured.bands, options, written)
        beside = cog.beside(written)
        alone = workshop / _ALONE / RESULT
        alone.parent.mkdir()
        written.rename(alone)
        warnings = _verify(job, dataset, facts, alone, beside)
    alone.rename(written)
    return warnings


def _verify(
    job: Job, dataset: Dataset, facts: Facts, result: Path, beside: frozenset[str]
) -> tuple[RasterWarning, ...]:
    """Raises RasterRefused when something was changed, or lost under `strict`; ConversionFailed for a bad COG."""
    if not _valid(result, ours=True):
        raise ConversionFailed("GDAL wrote a file that is no valid COG.")
    differences = compare_facts(facts, examine(result), beside)
    broken = list(differences.broken)
    if job.verify != "off" and not broken:
        with opened(result, "GTiff") as after, translated("verified"):
            pixels = compare_pixels(dataset, after, facts, sample=job.verify == "sample")
        broken += [pixels] if pixels else []
    if broken:
        raise RasterRefused(f"It cannot be kept exact: {'; '.join(broken[:5])}.")
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
