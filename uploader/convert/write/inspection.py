"""What is known of a raster before anything is written: its kind, its statistics, whether it can be sent as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from uploader.convert.job import Job
from uploader.convert.pyramid.overview_reader import overviews, watched
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import Dataset
from uploader.convert.read.measure import Gauge, gather, may_be_classes, measure
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.read.statistics_tags import contradicts
from uploader.convert.read.windows import pieces, scattered
from uploader.convert.write import cog_validation, method_choice
from uploader.convert.write.source_heads import sound
from uploader.core.errors import RasterUnreadable

_UNSEEN = PixelStatistics(bands=(), distinct=None, counted=0)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was found. `measured` is None where it is enough to know when the result is compared.

    `levels` says whether the overviews show the raster; None: nobody looked. `sampled`: not everything was read.
    """

    categorical: bool
    measured: PixelStatistics | None = None
    passes: bool = False
    levels: bool | None = None
    sampled: bool = False


def inspect(job: Job, dataset: Dataset, facts: Facts, *, candidate: bool) -> Inspected:
    """Read as much as is needed to decide; a `candidate` claims to be done (`claims_to_be_done`).

    Raises RasterUnreadable where a block is missing or damaged.
    """
    full = job.verify == "full"
    levels = None
    if candidate and not full:
        found = _sampled(job, dataset, facts)
        if found.passes:
            return found
        levels = found.levels
    classes = method_choice.counts_classes(facts, job.categorical)
    measured = None
    if not full or (classes and may_be_classes(dataset, facts)):
        measured = measure(dataset, facts, classes=classes)
    categorical = method_choice.is_categorical(facts, measured or _UNSEEN, job.categorical, job.name)
    if candidate and full:
        gauge = Gauge(facts, classes=False)
        levels = _shown(job, dataset, facts, gauge, categorical=categorical, sample=False)
        if levels and measured is None:
            measured = gauge.result()
    exact = measured is not None and method_choice.statistics_exact(facts, measured)
    method = method_choice.method(passable=candidate, exact=exact, valid_cog=candidate, shown=levels is True)
    return Inspected(categorical, measured, method == "passthrough", levels)


def claims_to_be_done(job: Job, facts: Facts) -> bool:
    """Whether by its head it is a COG with statistics, which can be sent as it is if its pixels bear that out."""
    # Validating opens the file with its overviews, so it comes last: by then it names no other file.
    claimed = method_choice.may_pass(facts) and method_choice.statistics_claimed(facts)
    return claimed and sound(job.source) and cog_validation.valid(job.source)


def _sampled(job: Job, dataset: Dataset, facts: Facts) -> Inspected:
    """What a block in each part of the raster says, and all of the overviews. Each block is read once."""
    measured = None
    if method_choice.counts_classes(facts, job.categorical) and may_be_classes(dataset, facts):
        first = Gauge(facts, classes=True)
        gather(dataset, facts, first, scattered(facts))
        measured = first.result()
    categorical = method_choice.is_categorical(facts, measured or _UNSEEN, job.categorical, job.name)
    told = method_choice.statistics_told(facts)
    if told is None:
        return Inspected(categorical)
    gauge = Gauge(facts, classes=False)
    levels = _shown(job, dataset, facts, gauge, categorical=categorical, sample=True)
    seen = gauge.result()
    if any(map(contradicts, told, seen.bands)):
        return Inspected(categorical, levels=levels)
    return Inspected(categorical, replace(seen, bands=told), passes=levels, levels=levels, sampled=True)


def _shown(
    job: Job, dataset: Dataset, facts: Facts, gauge: Gauge, *, categorical: bool, sample: bool
) -> bool:
    """Whether the overviews of a valid COG show it; what is read of the raster is shown to the gauge, too."""
    if not overviews(job.source):
        gather(dataset, facts, gauge, scattered(facts) if sample else pieces(facts))
        return True
    try:
        with watched(dataset, job.source, facts, classes=categorical) as watch:
            wanted = scattered(facts, rim=watch.margin) if sample else pieces(facts)
            gather(dataset, facts, gauge, wanted, watch)
            return watch.believed()
    except RasterUnreadable:
        return False
