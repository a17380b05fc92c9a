"""Which rasters are encoded by ourselves, in one pass: those that come out exact, and faster than from GDAL's driver.

Pure: a table and a few rules. All others are left to the driver.
"""

from __future__ import annotations

from uploader.convert.job import Job
from uploader.convert.read.facts import ALL_VALID, ALPHA, ITEM_BYTES, NODATA, PER_DATASET, Facts
from uploader.convert.tiff import ifd

TYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
"""Types of samples that are encoded; of the others a mean or a predictor is another."""

MASKS = frozenset({ALL_VALID, NODATA, PER_DATASET})
"""Kinds of validity, by GDAL's flags, that are encoded where all bands have the same."""

_BY_ALPHA = PER_DATASET | ALPHA

_TEXT = "AAIGrid"
"""Reading these takes so long that it does not matter who writes."""

_SHARE = 3
_HELD = 8
"""Rows of tiles that are in memory at once, at most: read, being cut, as masks, and as levels."""
_BLOCK_BYTES = 64 << 20


def left(facts: Facts, job: Job, options: dict[str, str]) -> str:
    """Why a raster is left to the driver, in a few words; empty where it is encoded.

    `options` are those that the driver would get.
    """
    band, sample = facts.bands[0], sum(ITEM_BYTES[dtype] for dtype in facts.dtypes)
    side = int(options["BLOCKSIZE"])
    rows, columns = band.block
    across = -(-facts.width // max(columns, 1)) * columns
    rules = (
        (facts.driver == _TEXT, "numbers as text"),
        (options["COMPRESS"] != "DEFLATE" or options.get("INTERLEAVE") == "BAND", "how it is to be stored"),
        (job.effort != "fast", "a smaller file is wanted"),
        (set(facts.dtypes) - TYPES or len(set(facts.dtypes)) != 1, "the type"),
        (any(each.bits for each in facts.bands) or facts.white_is_zero, "the bits of a sample"),
        (not _one_validity(facts), "the mask"),
        (_HELD * sample * facts.width * side > job.memory_limit // _SHARE, "a row of tiles"),
        (sample * across * rows > _BLOCK_BYTES, "the blocks of the source"),
    )
    return next((reason for applies, reason in rules if applies), "")


def levels_left(facts: Facts, job: Job, options: dict[str, str], head: ifd.Tiff) -> str:
    """Why the levels of a raster whose tiles stay are left to GDAL, in a few words; empty where they are encoded.

    `options` are those of `left`, but for what GDAL would be told of levels; `head` is that of the raster itself and
    of its mask.
    """
    image, *masks = head.directories
    side = head.number(image, ifd.TILE_WIDTH)
    rules = (
        (head.order != "<", "the order of its bytes"),
        (any(head.number(mask, ifd.TILE_WIDTH) != side for mask in masks), "tiles of the mask"),
        (any(head.number(mask, ifd.BITS, 1) != 1 for mask in masks), "bits of the mask"),
        (bool(masks) != all(band.mask == PER_DATASET for band in facts.bands), "the mask"),
    )
    odd = next((reason for applies, reason in rules if applies), "")
    return odd or left(facts, job, options | {"BLOCKSIZE": str(side)})


def _one_validity(facts: Facts) -> bool:
    """Whether the same says of all bands what is valid: one kind of mask, or a single alpha band."""
    alpha = [band for band in facts.bands if band.interpretation == "alpha"]
    others = {band.mask for band in facts.bands if band not in alpha}
    if alpha:
        return len(alpha) == 1 and alpha[0].mask == ALL_VALID and others == {_BY_ALPHA}
    return len(others) == 1 and others <= MASKS
