"""Raster in a private working folder to COG, in a confined child process: nothing changed, or said what.

`Converter` is the door, and is loaded when it is asked for: its children, which load this too, need no event loop.
Only they import rasterio; everything exported here is light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uploader.convert.archive_job import ArchiveJob
from uploader.convert.engine.api import ArchiveOpener, ConversionEngine
from uploader.convert.job import COMPRESSIONS, BandStatistics, Job, RasterWarning, Report

if TYPE_CHECKING:
    from uploader.convert.engine.pool import Converter

__all__ = [
    "COMPRESSIONS",
    "ArchiveJob",
    "ArchiveOpener",
    "BandStatistics",
    "ConversionEngine",
    "Converter",
    "Job",
    "RasterWarning",
    "Report",
]


def __getattr__(name: str) -> Any:
    if name != "Converter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from uploader.convert.engine.pool import Converter  # noqa: PLC0415 - see above

    return Converter
