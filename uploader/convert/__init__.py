"""Raster in a private working folder to COG, in a confined child process: nothing changed, or said what.

`Converter` is the door. Only the child imports rasterio; everything exported here is light.
"""

from uploader.convert.engine.api import ConversionEngine
from uploader.convert.engine.pool import Converter
from uploader.convert.job import COMPRESSIONS, BandStatistics, Job, RasterWarning, Report

__all__ = [
    "COMPRESSIONS",
    "BandStatistics",
    "ConversionEngine",
    "Converter",
    "Job",
    "RasterWarning",
    "Report",
]
