"""What becomes of a raster, by its head alone: decided by the very functions that a conversion asks.

Runs in the child. What these cannot know yet, because it stands in the pixels, is told as a doubt.
"""

from __future__ import annotations

from uploader.convert.job import EFFORTS, Forecast, Job
from uploader.convert.read.facts import Facts
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.write import cog_levels, cog_writer, inspection, method_choice, size_estimate
from uploader.convert.write import source_heads as sources

_UNSEEN = PixelStatistics(bands=(), distinct=None, counted=0)

AS_IT_IS = (
    "It is sent as it is if its statistics and overviews are those of its pixels; else its tiles are moved."
)
CLASSES = "Whether its values are classes is seen when all of them have been read."
MASK = "Should its mask hold values between 0 and 255, it is rejected."


def foreseen(job: Job, facts: Facts) -> Forecast:
    """The forecast of a raster that the rules have let through. Reads no pixel."""
    done = inspection.claims_to_be_done(job, facts)
    certain = method_choice.is_categorical(facts, _UNSEEN, job.categorical, job.name)
    open_question = not certain and method_choice.counts_classes(facts, job.categorical)
    method = "passthrough" if done else cog_writer.expected_method(facts, job, categorical=certain)
    doubts = (
        (done, AS_IT_IS),
        (open_question, CLASSES),
        (sources.soft_mask_possible(job.source, facts), MASK),
    )
    kept = cog_levels.kept(sources.structure(job.source), facts, job.compression) == "all"
    sizes = {
        effort: size_estimate.estimated(facts, method, effort, job.compression, whole=kept)
        for effort in EFFORTS
    }
    return Forecast(
        method=method,
        categorical=None if open_question else certain,
        sizes=sizes,
        compression=size_estimate.source_compression(facts),
        doubts=tuple(text for holds, text in doubts if holds),
        facts=facts.summary(),
    )
