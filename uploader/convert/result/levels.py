"""The levels of a COG whose base stays: those that came along, or new ones, put together with it.

What a level's directory says of its samples is copied from the raster's, so that all levels say the same; what
it says of its tiles is GDAL's, who wrote them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uploader.convert.formats.opening import Dataset
from uploader.convert.pyramid.build import Pyramid, build
from uploader.convert.pyramid.downsample import Method
from uploader.convert.pyramid.geometry import sizes
from uploader.convert.raster.facts import ITEM_BYTES, Facts
from uploader.convert.result import finish, plan, rewrite, tiff
from uploader.convert.result.mover import Image, move
from uploader.convert.result.source import structure
from uploader.core.errors import ConversionFailed

_DESCRIPTIVE = (
    tiff.BITS, tiff.PHOTOMETRIC, tiff.SAMPLES, tiff.COLOUR_MAP, tiff.EXTRA_SAMPLES, tiff.SAMPLE_FORMAT, tiff.NODATA,
)  # fmt: skip
"""Tags of which every level says what the raster says."""

_STRUCTURAL = frozenset(
    {
        *(tiff.COMPRESSION, tiff.PREDICTOR, tiff.PLANAR, tiff.TILE_WIDTH, tiff.TILE_HEIGHT),
        *(tiff.TILE_OFFSETS, tiff.TILE_BYTES, tiff.LERC, tiff.JPEG_TABLES, *tiff.YCBCR),
    }
)
"""Tags that say how a level's tiles are laid out and compressed."""

_METHODS: dict[str, Method] = {"AVERAGE": "mean", "MODE": "mode", "NEAREST": "nearest"}
_YCBCR, _RGB = 6, 2
_PLAIN = (0, 1, 2, 3, 5)
_JPEG = 7
_PREMULTIPLIED = 1
_BITS = (8, 16, 32, 64)
_REDUCED, _REDUCED_MASK = 1, 5


def unmakeable(head: tiff.Tiff, facts: Facts) -> str:
    """Why levels cannot be made for a base that stays, in a few words; empty when they can.

    GDAL must hand over the samples as they are in the file, but for JPEG, and must take them in the same form.
    """
    base = head.directories[0]
    photometric = head.number(base, tiff.PHOTOMETRIC, 1)
    decoded = photometric == _YCBCR and head.number(base, tiff.COMPRESSION) == _JPEG
    bits = head.number(base, tiff.BITS, 1)
    rules = (
        (photometric not in _PLAIN and not decoded, "the colour space"),
        (head.number(base, tiff.SAMPLES, 1) != facts.count, "the number of bands"),
        (len(set(facts.dtypes)) != 1 or facts.dtypes[0].startswith("complex_int"), "the types"),
        (bits not in _BITS and not (bits == 1 and facts.dtypes[0] == "uint8"), "the bits of a sample"),
        (
            bits != 8 * ITEM_BYTES[facts.dtypes[0]] and not any(band.bits for band in facts.bands),
            "the samples",
        ),
    )
    return next((reason for wrong, reason in rules if wrong), "")


def _beyond(nodata: float | None, dtype: str) -> bool:
    """Whether a value is beyond what floats of the type can hold; GDAL has ways of its own with such."""
    if nodata is None or not dtype.startswith("float") or not math.isfinite(nodata):
        return False
    return abs(nodata) > float(np.finfo(dtype).max)


@dataclass(frozen=True, slots=True)
class LevelOptions:
    """What is chosen for the levels of one raster. `nodata` is that of 64-bit integers with all digits, or empty."""

    categorical: bool
    compression: str
    threads: int
    nodata: str = ""


def rebuilt(base: Dataset, facts: Facts, target: Path, added: finish.Additions, chosen: LevelOptions) -> None:
    """Write a COG of the tiles of a TIFF, open as `base`, and of levels made anew in the folder of `target`.

    Raises ConversionFailed where the file is not laid out as it should be, RasterUnreadable, OSError.
    """
    try:
        _rebuilt(base, facts, target, added, chosen)
    except tiff.Malformed as error:
        raise ConversionFailed(f"Its levels cannot be put together: {error}.") from error


def _rebuilt(
    base: Dataset, facts: Facts, target: Path, added: finish.Additions, chosen: LevelOptions
) -> None:
    source = Path(base.name)
    head = structure(source)
    if head is None:
        raise tiff.Malformed("no structure")
    wanted = _wanted(head, facts, chosen)
    made = build(base, wanted, target.parent)
    images = rewrite.images(source, head, base_only=True)
    for path, size in zip(made, sizes(facts.width, facts.height, wanted.tile), strict=True):
        images += _level(path, size, head)
    move(head, images, target, added, finish.reserve(added))
    for path in made:
        path.unlink()


def _wanted(head: tiff.Tiff, facts: Facts, chosen: LevelOptions) -> Pyramid:
    base = head.directories[0]
    options = plan.level_options(facts, chosen.compression, categorical=chosen.categorical)
    return Pyramid(
        facts=facts,
        tile=head.number(base, tiff.TILE_WIDTH),
        method=_METHODS[plan.resampling(facts, categorical=chosen.categorical)],
        options=options | {"NUM_THREADS": str(chosen.threads)},
        nodata=int(chosen.nodata) if chosen.nodata else facts.bands[0].nodata,
        premultiplied=_PREMULTIPLIED in head.numbers(base, tiff.EXTRA_SAMPLES),
        planar=head.number(base, tiff.PLANAR, 1) > 1,
        order=head.order,
    )


def _level(path: Path, size: tuple[int, int], head: tiff.Tiff) -> list[Image]:
    """The directories of a level of this width and height, as those of an overview of the raster."""
    made = structure(path)
    if made is None or made.order != head.order:
        raise tiff.Malformed("a level of another kind")
    base = head.directories[0].entries
    true = {tiff.WIDTH: head.entry(tiff.LONG, [size[0]]), tiff.HEIGHT: head.entry(tiff.LONG, [size[1]])}
    image, *masks = made.directories
    kept = {tag: entry for tag, entry in image.entries.items() if tag in _STRUCTURAL}
    kept |= {tag: base[tag] for tag in _DESCRIPTIVE if tag in base}
    if (
        head.number(head.directories[0], tiff.PHOTOMETRIC, 1)
        == _YCBCR
        != made.number(image, tiff.PHOTOMETRIC)
    ):
        kept[tiff.PHOTOMETRIC] = head.entry(tiff.SHORT, [_RGB])
    kept[tiff.SUBFILE] = head.entry(tiff.LONG, [_REDUCED])
    found = [Image(path, tiff.Directory(kept | true))]
    for mask in masks:
        kind = {tiff.SUBFILE: head.entry(tiff.LONG, [_REDUCED_MASK])}
        found.append(Image(path, tiff.Directory(dict(mask.entries) | kind | true)))
    return found
