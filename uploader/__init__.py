"""Watches folders for rasters and makes each exactly one item on the Geopera platform."""

__version__ = "0.1.0"
