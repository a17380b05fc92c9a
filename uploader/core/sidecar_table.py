"""Facts: what GDAL reads beside a raster by the raster's own name. `naming` reads this table.

What satellite deliveries name after a product is in `product_table`.
"""

from __future__ import annotations

from collections.abc import Mapping

from uploader.core.product_table import STEM_TEXTS

STEM_SIDECARS = (
    ".wld",
    ".tfw",
    ".tifw",
    ".tfwx",  # ArcGIS: a world file of which it says that it fits by and large alone
    ".tiffw",
    ".prj",
    ".aux",
    ".aux.xml",
    ".ovr",
    ".rrd",
    ".msk",
    ".rpb",
    ".rpc",
    ".tab",
    ".xml",
    "_rpc.txt",
    *STEM_TEXTS,
)
"""What GDAL reads beside `stem.tif` as `stem<suffix>`; world files of other extensions follow by rule."""

FORMAT_SIDECARS: Mapping[str, tuple[str, ...]] = {
    "img": (".ige", ".rde"),  # Erdas Imagine: pixels beyond 2 GiB, those of its overviews
}
"""What belongs to a raster of this extension besides, as `stem<suffix>`."""

HEADER_SIDECARS = (".hdr", ".sta")
"""ENVI: the header that says what the bytes mean, as `stem.hdr` or `stem.dat.hdr`, and statistics."""

HEADED = frozenset(
    {
        *(
            "tif",
            "tiff",
            "gtiff",
            "jp2",
            "j2k",
            "j2c",
            "jpc",
            "jpx",
            "jpf",
            "png",
            "jpg",
            "jpeg",
            "asc",
            "grd",
        ),
        *("nc", "nc4", "cdf", "h5", "hdf5", "hdf", "he5", "dt0", "dt1", "dt2", "hgt"),
    }
)
"""Extensions of rasters that never have a header beside them; any other may be an ENVI file's, or none at all."""

NAME_SIDECARS = (".aux.xml", ".ovr", ".msk", ".msk.ovr", ".ovr.msk", ".vat.dbf")
"""What GDAL reads beside `stem.tif` as `stem.tif<suffix>`."""

MIXED_SPELLINGS = ("_RPC.txt", "_rpc.TXT", ".AUX.xml", ".Tfw", ".Wld", ".Prj")
"""Spellings that occur besides all lower and all upper case."""

RASTER_EXTENSIONS = (
    *("tif", "tiff", "TIF", "TIFF", "jp2", "JP2", "img", "IMG", "asc", "ASC", "dat", "DAT", "bsq", "BSQ"),
    *("bil", "BIL", "bip", "BIP", "nc", "NC"),
)
"""Extensions of rasters that may share the sidecars of a stem with another. A quicklook `stem.jpg` is none."""
