"""What becomes of each tag of a TIFF's head: one table, which the comparison walks and the writer obeys.

Pure. A tag that is not in the table is copied as it is, or its loss is named.
Sources: "TIFF Revision 6.0"; "TIFF/EP" (CFA); "GeoTIFF 1.1" (OGC 19-008); the private tags as libtiff lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from uploader.convert.tiff.ifd import (
    BITS,
    COLOUR_MAP,
    COMPRESSION,
    EXIF,
    EXTRA_SAMPLES,
    GDAL_METADATA,
    GPS,
    NODATA,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    SAMPLES,
    SUB_IFDS,
)


class TagRule(Enum):
    """What the result must say where the source has the tag, or where a default stands for it."""

    LEVELS = "equal, on the raster and on every level, masks aside"
    EQUAL = "equal, on the raster"
    KEPT = "copied as it is, or the raster is refused"
    NAMED = "copied as it is, or the loss is named"
    FACTS = "compared as what it means: place, coefficients, nodata"
    TEXT = "compared item by item"
    FREE = "may differ: how the samples are stored, not what they are"


ORIENTATION, DOT_RANGE, PAGE_NUMBER, RPC = 274, 336, 297, 50844
"""Numbers of tags that say what samples mean; those that a file's structure hangs on stand in `tiff`."""

_RULES: Mapping[TagRule, tuple[int, ...]] = {
    TagRule.LEVELS: (BITS, SAMPLES, SAMPLE_FORMAT, PHOTOMETRIC, EXTRA_SAMPLES, COLOUR_MAP),
    TagRule.EQUAL: (256, 257, 332, 333, 334, 336),
    TagRule.KEPT: (ORIENTATION, 290, 291, 301, 318, 319),
    TagRule.FACTS: (RPC, NODATA, 33550, 33922, 34264, 34735, 34736, 34737),
    TagRule.TEXT: (GDAL_METADATA,),
    TagRule.FREE: (
        *(254, 255, COMPRESSION, 266, 273, 278, 279, 284, 317, 322, 323, 324, 325, 347),
        *(292, 293, 512, 513, 514, 515, 517, 518, 519, 520, 521, 280, 281, 340, 341),
    ),
}
RULES: Mapping[int, TagRule] = {tag: rule for rule, tags in _RULES.items() for tag in tags}
"""The rule of each tag that has one of its own."""

OF_YCBCR = frozenset({529, 530, 531, 532})
"""How luma and chroma are stored: free where the source is YCbCr, and means something else nowhere."""

INKS = (332, 333, 334, DOT_RANGE)
"""What goes with a photometric interpretation of inks, on each level: how many samples are extra follows from it."""

PLACES = frozenset({33550, 33922, 34264, 34735, 34736, 34737, RPC})
"""Where the raster lies, which is said once, of the raster itself."""

POINTERS = frozenset({SUB_IFDS, 400, EXIF, GPS, 40965, 33628, 34412, 50933, 65426})
"""Tags whose values are offsets, or hold some, so that they cannot be copied; of Exif and GPS the directories are.

Sub-directories, global parameters, interoperability, MetaMorph, Zeiss, extra camera profiles, NanoZoomer.
"""

NAMES: Mapping[int, str] = {
    256: "width", 257: "height", BITS: "bits per sample", PHOTOMETRIC: "photometric interpretation",
    SAMPLES: "samples per pixel", COLOUR_MAP: "colour map", EXTRA_SAMPLES: "kind of the extra samples",
    SAMPLE_FORMAT: "sample format", 332: "set of inks", 333: "names of inks", 334: "number of inks",
    DOT_RANGE: "dot range", ORIENTATION: "orientation", 290: "gray response unit", 291: "gray response curve",
    301: "transfer function", 318: "white point", 319: "primary chromaticities", 269: "document name",
    270: "image description", 271: "make", 272: "model", 282: "x resolution", 283: "y resolution",
    285: "page name", 296: "resolution unit", PAGE_NUMBER: "page number", 305: "software", 306: "date and time",
    315: "artist", 316: "host computer", SUB_IFDS: "sub-directories", EXIF: "Exif", GPS: "GPS", 700: "XMP",
    33432: "copyright", 33723: "IPTC", 34377: "Photoshop", 34675: "ICC profile", GDAL_METADATA: "GDAL's metadata",
}  # fmt: skip
"""What people call some tags."""


def rule(tag: int) -> TagRule:
    """What must become of a tag."""
    return RULES.get(tag, TagRule.NAMED)


def title(tag: int) -> str:
    """A tag for people: its name, if it has a common one, and its number."""
    return f"{NAMES[tag]} (tag {tag})" if tag in NAMES else f"tag {tag}"
