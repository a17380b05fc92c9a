"""One conversion from opening to a verified COG in the workshop; the only code that knows the order of steps.

Runs in the child. Raises the errors of `uploader.core.errors` and MemoryError; everything else is a bug, and ends
the process.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from uploader.convert.isolation import confine
from uploader.convert.job import Forecast, Job, Report
from uploader.convert.pictures import preview
from uploader.convert.pyramid.smallest_level import SmallLevel
from uploader.convert.read import masks
from uploader.convert.read.declared_facts import as_declared, placed, with_declared
from uploader.convert.read.doubts import doubts
from uploader.convert.read.examine import examine
from uploader.convert.read.executors import threads_for
from uploader.convert.read.facts import RAISE, Facts, RasterLimits, beyond
from uploader.convert.read.formats.open_raster import THREADS, opened
from uploader.convert.read.own_files import require_no_links
from uploader.convert.tiff.missing_byte_counts import uncounted
from uploader.convert.write import comparison, method_choice
from uploader.convert.write import source_heads as sources
from uploader.convert.write.cog_writer import written
from uploader.convert.write.disk_room import filled_up, free_room
from uploader.convert.write.early_copy import copied_ahead, forget
from uploader.convert.write.inspection import claims_to_be_done, inspect
from uploader.convert.write.method_forecast import foreseen
from uploader.convert.write.publish import PREVIEW, RESULT
from uploader.convert.write.task import ALONE, Task, WrittenCog
from uploader.core.errors import NO_ROOM, LocalError, NoSpace, RasterRefused, RasterUnreadable

_NOWHERE = Path("/nonexistent")
"""The working folder of who writes nothing."""

_OWN_NAMES = ("wrapper.vrt", RESULT)


@dataclass(frozen=True, slots=True)
class Performed:
    """A conversion that is done: what is told of it, and what a quicklook is made from."""

    report: Report
    facts: Facts
    shown: Path
    smallest: SmallLevel | None = None


def perform(job: Job, workshop: Path) -> Performed:
    """Convert; the COG is `workshop/result.tif` then, unless the method is `passthrough`."""
    try:
        return _perform(job, workshop)
    except FileNotFoundError as error:
        if job.source.exists() and workshop.exists():
            raise
        raise RasterUnreadable("It was removed while it was read.", "Put it there again.") from error
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise filled_up() from error
    except LocalError as error:
        raise error.reworded(_without_our_names(error.reason, job, workshop)) from error


def _without_our_names(text: str, job: Job, workshop: Path) -> str:
    """What is said of a raster does not name the private copy, which nobody but us ever saw."""
    for folder in (job.source.parent, workshop / ALONE, workshop):
        text = text.replace(f"{folder}/", "")
    for name in (job.source.name, *_OWN_NAMES):
        text = re.sub(rf"'{re.escape(name)}'", "the file", text)
        after = r"\b" if "." in name else r"(?=[:,])"  # a bare word may be one of the sentence
        text = re.sub(rf"\b{re.escape(name)}{after}", "the file", text)
    return text


def look_ahead(job: Job, beside: tuple[str, ...]) -> Forecast:
    """What would become of a raster, by its head: read where it lies, with those files beside it that are its own.

    The same examination and rules as those of `perform`, but for the room on the disk. Raises as it does.
    """
    try:
        confine.limit(_NOWHERE, cpu_seconds=job.timeout_seconds, file_bytes=0)
        return foreseen(job, _examined(job, beside))
    except LocalError as error:
        raise error.reworded(_without_our_names(error.reason, job, _NOWHERE)) from error


def _examined(job: Job, beside: tuple[str, ...] | None = None) -> Facts:
    """The facts of a raster that may be converted. Raises RasterUnreadable, RasterRefused."""
    require_no_links(job.source, beside, linked=job.linked)
    facts = with_declared(examine(job.source, beside), job.crs, job.nodata)
    facts = replace(facts, indexed=sources.indexed(job.source), pages=sources.pages(job.source, facts))
    _judge(facts, job)
    return facts


def _perform(job: Job, workshop: Path) -> Performed:
    room = free_room(workshop, job)
    confine.limit(workshop, cpu_seconds=job.timeout_seconds * THREADS, file_bytes=room)
    os.chdir(workshop)
    return converted(job, workshop, room)


def converted(job: Job, workshop: Path, room: int) -> Performed:
    """The steps of `perform`, without limits to this process: so many bytes may be written."""
    facts = _examined(job)
    _require_room(facts, job, room)
    # Threads read as many bytes as are counted, also where libtiff needs fewer: of a last strip that is counted full.
    threads = threads_for(facts.raw_bytes) if facts.compression else 1
    with (
        opened(job.source, facts.driver, threads=threads) as own,
        as_declared(own, facts, workshop) as dataset,
    ):
        if sources.soft_mask_possible(job.source, facts):
            masks.require_hard(dataset, facts)
        likely = claims_to_be_done(job, facts)
        with copied_ahead(job, workshop, likely=likely):
            found = inspect(job, dataset, facts, candidate=likely)
        if found.passes:
            assert found.measured is not None
            made = WrittenCog("passthrough", found.measured)
        else:
            forget(workshop)
            task = Task(job, workshop, dataset, facts, found)
            made = written(task)
        shown = job.source if made.method == "passthrough" else workshop / RESULT
        if job.preview:
            picture = workshop / PREVIEW
            preview.draw(dataset, shown, facts, picture, side=job.preview, nearest=found.categorical)
    report = Report(
        method=made.method,
        categorical=found.categorical,
        warnings=(*made.warnings, *doubts(facts, made.measured, job.nodata)),
        bands=made.measured.bands,
        sampled=found.sampled,
        facts=facts.summary(),
        declared=dict(facts.declared),
    )
    return Performed(report, facts, shown, made.smallest)


def _judge(facts: Facts, job: Job) -> None:
    """Refuse what is beyond the limits, before any block is read."""
    reason = beyond(facts, RasterLimits(job.max_pixels, job.max_bands, job.memory_limit))
    if reason:
        limit = "limit" in reason
        raise RasterRefused(reason, RAISE if limit else "", as_it_is=not limit)
    if job.on_missing_crs == "reject" and not placed(facts):
        raise RasterRefused(
            "It has no reference system, and such rasters are to be rejected (on_missing_crs).",
            "Put a .prj beside it, or declare one (`crs`); then have it tried again.",
        )
    if uncounted(sources.structure(job.source)):
        raise RasterRefused(
            "Some of its strips or tiles have a place but no size: GDAL would take them for empty.",
            "Write it anew with the program it is from.",
            as_it_is=True,
        )
    page = sources.full_page(job.source)
    if page:
        raise RasterRefused(
            f"It begins with a reduced image of what its page {page} shows, and only the first page is converted.",
            f"Write that page into a file of its own, for example with `gdal_translate GTIFF_DIR:{page}:FILE`.",
            as_it_is=True,
        )
    unkeepable, way_out = comparison.unkeepable(facts, sources.first_image(job.source))
    if unkeepable:
        raise RasterRefused(unkeepable, way_out, as_it_is=True)


def _require_room(facts: Facts, job: Job, room: int) -> None:
    """Wait where it does not fit."""
    needed = method_choice.disk_needed(facts, job.compression)
    if needed > room:
        raise NoSpace(
            f"Converting may need {needed:,} bytes of disk; {room:,} are free above the reserve.",
            "Free some space in staging, or lower limits.min_free_bytes.",
        )
