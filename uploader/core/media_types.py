"""What an uploaded file is called on the wire: its extension and its content type. Tables, and nothing else decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from uploader.core import naming
from uploader.core.path_text import lossless

COG = ".tif"
"""The extension of every raster that was converted."""

UNKNOWN = "application/octet-stream"

CONTENT_TYPES: Mapping[str, str] = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".gtiff": "image/tiff",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".jp2": "image/jp2",
    ".nc": "application/netcdf",
    ".h5": "application/x-hdf5",
    ".zarr": "application/vnd.zarr",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".json": "application/json",
    ".geojsonl": "application/geo+json-seq",
    ".geojsons": "application/geo+json-seq",
    ".topojson": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".geoparquet": "application/vnd.apache.parquet",
    ".laz": "application/vnd.laszip",
    ".las": "application/vnd.las",
    ".fgb": "application/vnd.flatgeobuf",
    ".pmtiles": "application/vnd.pmtiles",
    ".mbtiles": "application/vnd.sqlite3",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".gml": "application/gml+xml",
    ".gpx": "application/gpx+xml",
    ".shp": "application/vnd.shp",
    ".dbf": "application/vnd.dbf",
    ".shx": "application/vnd.shx",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".pdf": "application/pdf",
}
"""By lower-case extension: the registered type where IANA or the format's own specification names one."""

_EXTENSION = re.compile(rb"\.[A-Za-z0-9]{1,16}")


def upload_name(path: bytes, content: str, passthrough: Iterable[str]) -> str:
    """The name under which a file is uploaded: that of a COG, or with its own extension where it passes through."""
    passed = naming.matches(path, passthrough)
    return naming.file_name(path, content, own_extension(path) if passed else COG)


def own_extension(path: bytes) -> str:
    """The extension under which a file is uploaded as it is, in lower case; empty where it has none that is plain."""
    extension = naming.split(path.rpartition(b"/")[2])[1]
    return lossless(extension).lower() if _EXTENSION.fullmatch(extension) else ""


def content_type(file_name: str) -> str:
    """The content type of a file of this name, which is told when its URL is signed and again when it is sent."""
    _, dot, extension = file_name.rpartition(".")
    return CONTENT_TYPES.get(f"{dot}{extension}".lower(), UNKNOWN)
