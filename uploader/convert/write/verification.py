"""The last steps of every COG that was written: its head is completed, and it is compared with its source."""

from __future__ import annotations

from pathlib import Path

from uploader.convert.job import Job, Method, RasterWarning
from uploader.convert.pyramid.overview_reader import LevelWatch
from uploader.convert.read.examine import examine
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import opened, translated
from uploader.convert.read.measure import Gauge, gather
from uploader.convert.read.pass_progress import COMPARING
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.read.windows import pieces
from uploader.convert.write import cog_validation, comparison, head_completion
from uploader.convert.write import source_heads as sources
from uploader.convert.write.comparison import compare_facts
from uploader.convert.write.early_writeback import written_back
from uploader.convert.write.moved_tiles import same_tiles
from uploader.convert.write.pixel_comparison import compare_pixels
from uploader.convert.write.task import Task, WrittenCog
from uploader.core.errors import ConversionFailed, RasterRefused


class WrongOverviews(ConversionFailed):
    """The overviews that came along do not show the raster."""


def finished(
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
    three times, and a raster whose tiles were moved just once. Raises WrongOverviews when the watcher fails, else as
    `verify` does, and ConversionFailed.
    """
    measured = measured or task.found.measured
    head_completion.complete(task.result, added, measured.bands if measured else ())
    moved = added.moved and task.job.verify == "full" and same_tiles(task.job.source, task.result)
    gauge = Gauge(task.facts, classes=False)
    with written_back(task.result):
        pixels = (
            _decoded(task, gauge, watch) if moved else _compared(task, None if measured else gauge, watch)
        )
    if watch and not watch.believed():
        raise WrongOverviews("Its overviews do not show it.")
    if moved and measured and gauge.result().bands != measured.bands:
        raise ConversionFailed("Its tiles show something else where they are now.")
    if measured is None:
        measured = gauge.result()
        head_completion.complete(task.result, added, measured.bands)
    return WrittenCog(method, measured, verify(task.job, task.facts, task.result, beside, pixels))


def _decoded(task: Task, gauge: Gauge, watch: LevelWatch | None) -> str:
    """Decode all of a result whose tiles are those of the source: nothing differs then. Raises RasterUnreadable."""
    with opened(task.result, "GTiff") as after:
        gather(after, task.facts, gauge, pieces(task.facts), watch, share=COMPARING)
    return ""


def _compared(task: Task, gauge: Gauge | None, watch: LevelWatch | None) -> str:
    """The first difference of the pixels, as far as they are compared; empty when there is none."""
    if task.job.verify == "off":
        return ""
    sample = task.job.verify == "sample"
    with opened(task.result, "GTiff") as after, translated("verified"):
        return compare_pixels(task.dataset, after, task.facts, sample=sample, gauge=gauge, watch=watch)


def verify(
    job: Job, facts: Facts, result: Path, beside: frozenset[str], pixels: str
) -> tuple[RasterWarning, ...]:
    """Raises RasterRefused when something was changed, or lost under `strict`; ConversionFailed for a bad COG."""
    if not cog_validation.valid(result, ours=True):
        raise ConversionFailed("GDAL wrote a file that is no valid COG.")
    differences = compare_facts(facts, examine(result), beside) + sources.compare_heads(
        job.source, result, facts
    )
    broken = [*differences.broken, *([pixels] if pixels else [])]
    if broken:
        ways = [comparison.WAY_OUT] if differences.broken else []
        ways += [comparison.PIXELS_WAY_OUT] if pixels else []
        raise RasterRefused(
            f"It cannot be kept exact: {'; '.join(broken[:5])}.", " ".join(ways), as_it_is=True
        )
    if job.strict and differences.lost:
        texts = " ".join(warning.text for warning in differences.lost)
        raise RasterRefused(
            f"It cannot be kept whole. {texts}", "Set strict = false to accept that.", as_it_is=True
        )
    return differences.lost
