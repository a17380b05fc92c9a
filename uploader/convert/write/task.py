"""A raster of which a COG is to be written, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from uploader.convert.job import Job, Method, RasterWarning
from uploader.convert.pyramid.smallest_level import SmallLevel
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import THREADS, Dataset
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.write import cog_levels, method_choice
from uploader.convert.write import source_heads as sources
from uploader.convert.write.inspection import Inspected
from uploader.convert.write.publish import RESULT

ALONE = "alone"
"""The folder in the workshop in which a result lies while it is compared."""


@dataclass(frozen=True, slots=True)
class WrittenCog:
    """How the COG came about, and what was found on the way."""

    method: Method
    measured: PixelStatistics
    warnings: tuple[RasterWarning, ...] = ()
    smallest: SmallLevel | None = None
    """Its smallest level, where that was at hand."""


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
        return cog_levels.LevelOptions(
            self.found.categorical,
            self.job.compression,
            self.job.effort,
            THREADS,
            nodata,
            compared=self.job.verify != "off",
        )

    @property
    def options_of_levels(self) -> dict[str, str]:
        """What GDAL's GeoTIFF driver is told of levels that are made for this raster."""
        return method_choice.level_options(
            self.facts, self.job.compression, categorical=self.found.categorical, effort=self.job.effort
        )
