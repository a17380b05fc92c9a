"""Raster in a private working folder to COG, in a confined child process: nothing changed, or said what.

`Converter` is the door. What is exported is loaded when it is asked for: the children, which load this too, need no
event loop, and a zygote is started before any of it. Only children import rasterio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uploader.convert.archive_job import ArchiveJob
    from uploader.convert.engine.api import ArchiveOpener, ConversionEngine
    from uploader.convert.engine.pool import Converter
    from uploader.convert.job import COMPRESSIONS, BandStatistics, Job, RasterWarning, Report

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

_PLACES = {
    "ArchiveJob": "archive_job",
    "ArchiveOpener": "engine.api",
    "ConversionEngine": "engine.api",
    "Converter": "engine.pool",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'job')}"), name)
