"""The levels of a COG whose base stays: those that came along, or new ones, put together with it.

What a level's directory says of its samples is copied from the raster's, so that all levels say the same; what
it says of its tiles is GDAL's, who wrote them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from uploader.convert.pyramid.downsample import Method
from uploader.convert.pyramid.overview_writer import Pyramid, build
from uploader.convert.pyramid.pixel_coverage import sizes
from uploader.convert.read.facts import ITEM_BYTES, Facts
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.convert.tiff import ifd
from uploader.convert.write import head_completion, level_check, method_choice, rewrite_rules
from uploader.convert.write.tile_copy import Image, move
from uploader.core.errors import ConversionFailed

_DESCRIPTIVE = (
    ifd.BITS, ifd.PHOTOMETRIC, ifd.SAMPLES, ifd.COLOUR_MAP, ifd.EXTRA_SAMPLES, ifd.SAMPLE_FORMAT, ifd.NODATA,
)  # fmt: skip
"""Tags of which every level says what the raster says."""

_STRUCTURAL = frozenset(
    {
        *(ifd.COMPRESSION, ifd.PREDICTOR, ifd.PLANAR, ifd.TILE_WIDTH, ifd.TILE_HEIGHT),
        *(ifd.TILE_OFFSETS, ifd.TILE_BYTES, ifd.LERC, ifd.JPEG_TABLES, *ifd.YCBCR),
    }
)
"""Tags that say how a level's tiles are laid out and compressed."""

METHODS: dict[str, Method] = {"AVERAGE": "mean", "MODE": "mode", "NEAREST": "nearest"}
"""How levels are made, by GDAL's names of the ways."""

_DEFLATE = 8
_OF_ONE_COMPRESSION = (ifd.PREDICTOR, ifd.LERC, ifd.JPEG_TABLES, *ifd.YCBCR)
_YCBCR, _RGB = 6, 2
_PLAIN = (0, 1, 2, 3, 5)
_JPEG = 7
_PREMULTIPLIED = 1
_BITS = (8, 16, 32, 64, 128)
_REDUCED, _REDUCED_MASK = 1, 5


def unmakeable(head: ifd.Tiff, facts: Facts) -> str:
    """Why levels cannot be made for a base that stays, in a few words; empty when they can.

    GDAL must hand over the samples as they are in the file, but for JPEG, and must take them in the same form.
    """
    base = head.directories[0]
    photometric = head.number(base, ifd.PHOTOMETRIC, 1)
    decoded = photometric == _YCBCR and head.number(base, ifd.COMPRESSION) == _JPEG
    bits = head.number(base, ifd.BITS, 1)
    rules = (
        (photometric not in _PLAIN and not decoded, "the colour space"),
        (head.number(base, ifd.SAMPLES, 1) != facts.count, "the number of bands"),
        (len(set(facts.dtypes)) != 1, "the types"),
        (bits not in _BITS and not facts.dtypes[0].startswith("uint"), "the bits of a sample"),
        (
            bits != 8 * ITEM_BYTES[facts.dtypes[0]] and not any(band.bits for band in facts.bands),
            "the samples",
        ),
    )
    return next((reason for wrong, reason in rules if wrong), "")


def kept(head: ifd.Tiff | None, facts: Facts, compression: str) -> Literal["", "base", "all"]:
    """Which tiles of a raster would be those of its COG: none, its own, or those of its overviews, too."""
    if head is None or rewrite_rules.base_movable(head, facts, compression):
        return ""
    if not rewrite_rules.levels_movable(head, facts, compression):
        return "all"
    return "" if unmakeable(head, facts) else "base"


@dataclass(frozen=True, slots=True)
class LevelOptions:
    """What is chosen for the levels of one raster. `nodata` is that of 64-bit integers with all digits, or empty.

    `compared`: they are read back.
    """

    categorical: bool
    compression: str
    effort: str
    threads: int
    nodata: str = ""
    compared: bool = True


def rebuilt(
    base: Dataset, facts: Facts, target: Path, added: head_completion.Additions, chosen: LevelOptions
) -> None:
    """Write a COG of the tiles of a TIFF, open as `base`, and of levels made anew in the folder of `target`.

    Raises ConversionFailed where the file is not laid out as it should be, RasterUnreadable, OSError.
    """
    try:
        _rebuilt(base, facts, target, added, chosen)
    except ifd.Malformed as error:
        raise ConversionFailed(f"Its levels cannot be put together: {error}.") from error


def _rebuilt(
    base: Dataset, facts: Facts, target: Path, added: head_completion.Additions, chosen: LevelOptions
) -> None:
    source = Path(base.name)
    head = ifd.of(source, ifd.read)
    if head is None:
        raise ifd.Malformed("no structure")
    wanted = _wanted(head, facts, added, chosen)
    made = build(base, wanted, target.parent)
    images = rewrite_rules.images(source, head, base_only=True)
    for path, size in zip(made, sizes(facts.width, facts.height, wanted.tile), strict=True):
        images += _level(path, size, head)
    move(head, images, target, added, head_completion.reserve(added))
    if chosen.compared:
        _compare(target, made, wanted)
    for path in made:
        path.unlink()


def _compare(target: Path, made: Sequence[Path], wanted: Pyramid) -> None:
    """Raise ConversionFailed unless all levels decode to what they are in their own files."""
    with translated("read back in its levels"):
        wrong = level_check.difference(target, made, wanted)
    if wrong:
        raise ConversionFailed(f"Its levels are not what was written: {wrong}.")


def _wanted(head: ifd.Tiff, facts: Facts, added: head_completion.Additions, chosen: LevelOptions) -> Pyramid:
    base = head.directories[0]
    options = method_choice.level_options(
        facts, chosen.compression, categorical=chosen.categorical, effort=chosen.effort
    )
    return Pyramid(
        facts=facts,
        tile=head.number(base, ifd.TILE_WIDTH),
        method=METHODS[method_choice.resampling(facts, categorical=chosen.categorical)],
        options=options | {"NUM_THREADS": str(chosen.threads)},
        nodata=int(chosen.nodata) if chosen.nodata else facts.bands[0].nodata,
        premultiplied=premultiplied(head, added),
        planar=head.number(base, ifd.PLANAR, 1) > 1,
        order=head.order,
    )


def premultiplied(head: ifd.Tiff, added: head_completion.Additions) -> bool:
    """Whether the colours of a raster hold their alpha already: what GDAL wrote says so only when it is completed."""
    finished = head_completion.completed(head, added, [])
    return _PREMULTIPLIED in finished.numbers(finished.directories[0], ifd.EXTRA_SAMPLES)


def _level(path: Path, size: tuple[int, int], head: ifd.Tiff) -> list[Image]:
    """The directories of a level of this width and height, as those of an overview of the raster."""
    made = ifd.of(path, ifd.read)
    if made is None or made.order != head.order:
        raise ifd.Malformed("a level of another kind")
    image, *masks = made.directories
    entries = level_entries(head, image.entries, size)
    if head.number(head.directories[0], ifd.PHOTOMETRIC, 1) == _YCBCR != made.number(image, ifd.PHOTOMETRIC):
        entries[ifd.PHOTOMETRIC] = head.entry(ifd.SHORT, [_RGB])
    found = [Image(path, ifd.Directory(entries))]
    found += [Image(path, ifd.Directory(mask_entries(head, mask.entries, size))) for mask in masks]
    return found


def deflated(head: ifd.Tiff, images: Sequence[Image], predictor: int) -> ifd.Tiff:
    """The head of a raster, and its mask if it has one, as if its tiles were deflated with a predictor."""
    kept = {*_DESCRIPTIVE, *_STRUCTURAL, ifd.SUBFILE}.difference(_OF_ONE_COMPRESSION)
    told = {ifd.COMPRESSION: head.entry(ifd.SHORT, [_DEFLATE])}
    found = [
        {tag: entry for tag, entry in image.directory.entries.items() if tag in kept} | told
        for image in images
    ]
    if predictor > 1:
        found[0][ifd.PREDICTOR] = head.entry(ifd.SHORT, [predictor])
    return replace(head, directories=tuple(map(ifd.Directory, found)))


def level_entries(head: ifd.Tiff, stored: ifd.Entries, size: tuple[int, int]) -> dict[int, ifd.Entry]:
    """What the directory of a level of this width and height says.

    Of its samples it is what the raster's own says, of its tiles what `stored` says.
    """
    base = head.directories[0].entries
    kept = {tag: entry for tag, entry in stored.items() if tag in _STRUCTURAL}
    kept |= {tag: base[tag] for tag in _DESCRIPTIVE if tag in base}
    return kept | {ifd.SUBFILE: head.entry(ifd.LONG, [_REDUCED])} | sized(head, size)


def mask_entries(head: ifd.Tiff, mask: ifd.Entries, size: tuple[int, int]) -> dict[int, ifd.Entry]:
    """What the directory of a level's mask says."""
    return dict(mask) | {ifd.SUBFILE: head.entry(ifd.LONG, [_REDUCED_MASK])} | sized(head, size)


def sized(head: ifd.Tiff, size: tuple[int, int]) -> dict[int, ifd.Entry]:
    """Width and height of an image, for its directory."""
    return {ifd.WIDTH: head.entry(ifd.LONG, [size[0]]), ifd.HEIGHT: head.entry(ifd.LONG, [size[1]])}
