"""The table of what two TIFF heads must have in common, as the contract of conversion has it: facts only."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """What is demanded of a tag of the source."""

    EQUAL = "equal"
    LEVELS = "equal on every level"
    PLACE = "equal as affine, system and kind of pixel, and on the base only"
    REFUSED = "equal, or the raster is refused"
    NAMED = "equal, or the loss is named"
    FREE = "free"
    COPIED = "copied, or named where it may hold an offset"


def _each(rule: Rule, *codes: int | range) -> dict[int, Rule]:
    return {code: rule for part in codes for code in ([part] if isinstance(part, int) else part)}


RULES: dict[int, Rule] = {
    **_each(Rule.EQUAL, 256, 257, range(332, 337), 50844),
    **_each(Rule.LEVELS, 258, 277, 339, 262, 338, 320, 42113),
    **_each(Rule.PLACE, 33550, 33922, 34264, 34735, 34736, 34737),
    **_each(Rule.REFUSED, 274, 290, 291, 301, 318, 319),
    **_each(Rule.NAMED, range(269, 273), 282, 283, 296, 305, 306, 315, 316, 33432),
    **_each(Rule.NAMED, 700, 33723, 34377, 34675, 34665, 34853, 42112),
    **_each(Rule.FREE, 254, 255, 259, 266, 273, 278, 279, 284, 317, range(322, 326), 347),
    **_each(Rule.FREE, 292, 293, range(512, 522), 280, 281, 340, 341),
}  # fmt: skip
del RULES[335]  # is no tag of TIFF's
"""What is demanded, by tag; of a tag that is not here, `Rule.COPIED`."""

OF_YCBCR = frozenset(range(529, 533))
"""Tags that say how YCbCr is sampled: free where the source is YCbCr."""

OF_CODECS: dict[int, frozenset[int]] = {50674: frozenset({34887})}
"""Tags that are part of a compression, by the compressions that they belong to: free, for the compression is."""

BESIDE = frozenset({42113, 50844})
"""Tags that a result may have of a sidecar: then they are compared through GDAL."""

POINTERS = frozenset({330, 400, 288, 289, 34665, 34853, 40965})
"""Tags whose value is an offset in the file."""

OFFSET_KINDS = frozenset({4, 7, 9, 13, 16, 17, 18})
"""TIFF's types that may hold an offset: LONG, UNDEFINED, SLONG, IFD, and those of 64 bits."""

CHANNELS = {0: 1, 1: 1, 2: 3, 3: 1, 4: 1, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3, 32803: 1, 32844: 1, 32845: 3}
"""How many samples a photometric interpretation explains; those beyond are extra."""

YCBCR, RGB, PALETTE, SEPARATED = 6, 2, 3, 5
COMPRESSIONS_JPEG = frozenset({6, 7})
PREDICTED = frozenset({5, 8, 32946, 34925, 50000})
"""Compressions that take a predictor: LZW, DEFLATE (two codes), LZMA, ZSTD."""

WAYS_TO_SAY: dict[int, tuple[str, ...]] = {
    34675: ("icc_lost",),
    700: ("xmp_lost",),
    34665: ("exif_lost",),
    34853: ("exif_lost",),
    40965: ("exif_lost",),
    330: ("extra_pages",),
}
"""Codes of warnings that name the loss of a tag without its number."""

GDAL_NAMES: dict[int, str] = {
    269: "TIFFTAG_DOCUMENTNAME", 270: "TIFFTAG_IMAGEDESCRIPTION", 305: "TIFFTAG_SOFTWARE", 306: "TIFFTAG_DATETIME",
    315: "TIFFTAG_ARTIST", 316: "TIFFTAG_HOSTCOMPUTER", 33432: "TIFFTAG_COPYRIGHT", 282: "TIFFTAG_XRESOLUTION",
    283: "TIFFTAG_YRESOLUTION", 296: "TIFFTAG_RESOLUTIONUNIT", 271: "TIFFTAG_MAKE", 272: "TIFFTAG_MODEL",
}  # fmt: skip
"""How GDAL calls tags that it shows as metadata."""
