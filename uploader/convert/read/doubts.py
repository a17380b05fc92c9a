"""What is odd about a raster although nothing is lost: said with the conversion, and no reason to refuse it."""

from __future__ import annotations

from collections.abc import Iterator

from uploader.convert.job import RasterWarning
from uploader.convert.read.declared_facts import placed
from uploader.convert.read.facts import Facts
from uploader.convert.read.nodata_border import says_all_valid
from uploader.convert.read.statistics import PixelStatistics


def doubts(facts: Facts, measured: PixelStatistics, nodata: str) -> Iterator[RasterWarning]:
    """One warning for each; `nodata` is what was declared for rasters that have none."""
    if not placed(facts):
        yield RasterWarning(
            "crs_missing",
            "It has no reference system: nobody knows where it lies. Declare one with `crs` of its folder, or --crs.",
        )
    if any(band.interpretation == "alpha" for band in facts.bands) and facts.bands[0].nodata is not None:
        yield RasterWarning(
            "nodata_and_alpha",
            f"It has an alpha band and the nodata value {facts.bands[0].nodata:g}: readers differ in which of them "
            "counts. Statistics and overviews go by the nodata value, as GDAL does.",
        )
    if nodata and says_all_valid(facts):
        yield RasterWarning(
            "nodata_unfit",
            f"The declared nodata value {nodata} is none that its samples can have, so it was not set.",
        )
    if measured.suspect:
        share = f"{100 * measured.suspect.share:.3g} %"
        yield RasterWarning(
            "suspect_nodata",
            f"{share} of its samples are {measured.suspect.value} in from the border, and it declares no nodata value, "
            "mask or alpha. If that means nothing is there, declare it with `nodata` of its folder, or --nodata.",
        )
