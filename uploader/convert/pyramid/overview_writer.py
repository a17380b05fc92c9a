"""Overviews made anew, each a file of its own: GDAL compresses their tiles, every pixel of them is given to it.

Even the padding of the last tiles is: GDAL is told that a level is as large as its tiles, so that nothing of them is
left to it. Who puts the tiles in their place gives the level its true size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from uploader.convert.pyramid.downsample import Downsampling, Method, shrink, shrink_mask, visible
from uploader.convert.pyramid.nodata_values import held
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints, sizes
from uploader.convert.read.block_reader import Block, Mask, read
from uploader.convert.read.facts import ALL_VALID, ALPHA, ITEM_BYTES, PER_DATASET, Facts
from uploader.convert.read.formats.open_raster import Dataset, opened, translated
from uploader.convert.read.windows import Piece

_BUDGET = 48 << 20


@dataclass(frozen=True, slots=True)
class Pyramid:
    """How the levels of a raster are made. `tile` is the side of their tiles, `options` are those of compression.

    `nodata` is the declared value with all its digits. `premultiplied` says that the colours hold their alpha
    already. `order` is that of the bytes in the file: "<" or ">".
    """

    facts: Facts
    tile: int
    method: Method
    options: Mapping[str, str]
    nodata: float | None = None
    premultiplied: bool = False
    planar: bool = False
    order: str = "<"

    @property
    def masked(self) -> bool:
        """Whether the levels have a mask of their own."""
        return all(band.mask == PER_DATASET for band in self.facts.bands)

    @property
    def one_mask(self) -> bool:
        """Whether the bands share a mask."""
        return all(band.mask & PER_DATASET for band in self.facts.bands)

    @property
    def alpha(self) -> int | None:
        """The band by which colours are weighted, counted from 1; None: there is none."""
        found = [band.index for band in self.facts.bands if band.interpretation == "alpha"]
        return found[0] if found and not self.premultiplied and self.method == "mean" else None

    def as_it_is(self, index: int) -> bool:
        """Whether what is transparent enters the mean of a band: of premultiplied colours it is dark already."""
        return self.premultiplied and bool(self.facts.bands[index - 1].mask & ALPHA)

    def recipe(self, index: int) -> Downsampling:
        """How one band is made."""
        band = self.facts.bands[index - 1]
        method = "mean" if band.interpretation == "alpha" and self.method == "mode" else self.method
        return Downsampling(method, self.nodata, band.bits)


def build(base: Dataset, wanted: Pyramid, folder: Path) -> list[Path]:
    """Make all levels in a folder; files from large to small. Raises RasterUnreadable for whatever GDAL says."""
    made: list[Path] = []
    above = wanted.facts
    for number, (width, height) in enumerate(sizes(above.width, above.height, wanted.tile)):
        level = replace(above, width=width, height=height)
        made.append(folder / f"level-{number}.tif")
        with ExitStack() as stack:
            source = stack.enter_context(opened(made[-2], "GTiff")) if number else base
            stack.enter_context(translated("given overviews"))
            target = stack.enter_context(created(made[-1], level, wanted))
            for piece in _regions(level, wanted):
                write(target, region(source, above, level, piece, wanted), wanted)
        above = level
    return made


def created(path: Path, level: Facts, wanted: Pyramid) -> Dataset:
    """An empty level as large as its tiles. Raises what GDAL says."""
    bits = {band.bits for band in level.bands} - {0}
    packed = {"NBITS": str(bits.pop())} if bits else {}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):  # type: ignore[no-untyped-call]
        dataset = rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=_whole(level.width, wanted.tile),
            height=_whole(level.height, wanted.tile),
            count=level.count,
            dtype=level.dtypes[0],
            nodata=_declared(wanted.nodata, level.dtypes[0]),
            tiled=True,
            blockxsize=wanted.tile,
            blockysize=wanted.tile,
            interleave="BAND" if wanted.planar else "PIXEL",
            ENDIANNESS="BIG" if wanted.order == ">" else "LITTLE",
            BIGTIFF="IF_SAFER",
            **{"PHOTOMETRIC": "MINISBLACK"} | packed | dict(wanted.options),
        )
    if any(band.interpretation == "alpha" for band in level.bands):
        dataset.colorinterp = [
            ColorInterp.alpha if band.interpretation == "alpha" else ColorInterp.undefined
            for band in level.bands
        ]
    return dataset


def _declared(nodata: float | None, dtype: str) -> Any:
    """A nodata value as a level declares it; that of complex numbers is one number for both halves."""
    return nodata if nodata is None or dtype.startswith("complex") else held(nodata, np.dtype(dtype))


def _whole(length: int, tile: int) -> int:
    return -(-length // tile) * tile


def _regions(level: Facts, wanted: Pyramid) -> Iterator[Piece]:
    """The level in tiles, each with as many bands as what is above them leaves room for."""
    sample = max(ITEM_BYTES[dtype] for dtype in level.dtypes)
    together = 1 if wanted.planar else max(1, _BUDGET // (4 * sample * wanted.tile**2))
    for row in range(0, level.height, wanted.tile):
        for column in range(0, level.width, wanted.tile):
            width, height = min(wanted.tile, level.width - column), min(wanted.tile, level.height - row)
            for first in range(1, level.count + 1, together):
                bands = tuple(range(first, min(first + together, level.count + 1)))
                yield Piece(column, row, width, height, bands)


def shrunk(
    above: Block, footprints: Footprints, wanted: Pyramid, alpha: NDArray[Any] | None = None
) -> tuple[NDArray[Any], dict[int, Mask]]:
    """Some pixels of a level, (bands, rows, columns), and their masks, out of just what they cover.

    The block has the masks of its bands, as far as not all is valid. `alpha` is the straight alpha, if there is one
    and it is no band of the block.
    """
    bands = above.piece.bands
    if wanted.alpha in bands:
        alpha = above.samples[bands.index(wanted.alpha)]
    weighing = alpha is not None and bool(alpha.min() != alpha.max())  # else there is nothing to weight by
    made = []
    for samples, index in zip(above.samples, bands, strict=True):
        weights = alpha if weighing and index != wanted.alpha else None
        valid = None if wanted.as_it_is(index) else above.masks.get(index)
        level = shrink(samples, valid, footprints, wanted.recipe(index), weights)
        made.append(visible(samples, level, footprints) if index == wanted.alpha else level)
    return np.stack(made), _masks(above, footprints, wanted)


def _masks(above: Block, footprints: Footprints, wanted: Pyramid) -> dict[int, Mask]:
    """The masks of a level; one for all bands where they share it."""
    if wanted.one_mask and above.masks:
        return dict.fromkeys(above.masks, shrink_mask(next(iter(above.masks.values())), footprints))
    return {index: shrink_mask(mask, footprints) for index, mask in above.masks.items()}


def region(source: Dataset, above: Facts, level: Facts, piece: Piece, wanted: Pyramid) -> Block:
    """One region of a level out of what is above it, which is open as `source`."""
    rows, columns = Axis(above.height, level.height), Axis(above.width, level.width)
    down = rows.cover(piece.row, piece.row + piece.height)
    across = columns.cover(piece.column, piece.column + piece.width)
    top, bottom = rows.span(down.first, down.stop)
    left, right = columns.span(across.first, across.stop)
    under = Piece(left, top, right - left, bottom - top, piece.bands)
    block = read(source, above, under, _masked(above))
    outside = wanted.alpha is not None and wanted.alpha not in piece.bands
    alpha = source.read(wanted.alpha, window=under.place) if outside else None
    return Block(piece, *shrunk(block, Footprints(down, across), wanted, alpha))


def _masked(facts: Facts) -> frozenset[int]:
    return frozenset(band.index for band in facts.bands if not band.mask & ALL_VALID)


def write(target: Dataset, made: Block, wanted: Pyramid) -> None:
    """Write whole tiles: beyond the raster the last pixels are repeated, and of masks there is nothing.

    Raises what GDAL says.
    """
    piece = made.piece
    below, beyond = (
        _whole(piece.height, wanted.tile) - piece.height,
        _whole(piece.width, wanted.tile) - piece.width,
    )
    place = (
        (piece.row, piece.row + piece.height + below),
        (piece.column, piece.column + piece.width + beyond),
    )
    padding = ((0, below), (0, beyond))
    target.write(np.pad(made.samples, ((0, 0), *padding), mode="edge"), list(piece.bands), window=place)
    if wanted.masked and piece.bands[0] == 1:
        target.write_mask(np.pad(made.masks[1], padding).astype(np.uint8) * 255, window=place)
