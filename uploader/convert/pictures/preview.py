"""The picture of a conversion: the source at the left, the COG at the right, seen through the same eyes.

Drawn in the child, for opening happens nowhere else. However large a raster is, a bounded part of it is decoded: the
whole of it reduced where that is cheap, else its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling

from uploader.convert.pictures import picture
from uploader.convert.read.facts import ITEM_BYTES, Facts
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.convert.read.shown_bands import shown_bands

_DECODED = 2 << 30
"""Bytes of the source that may be decoded for a picture."""

_SMALL = 256
"""Rasters with fewer pixels on a side are enlarged."""

_EXACT = frozenset({"int64", "uint64"})


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """What is shown: ((row, row), (column, column)) of the raster, as so many rows and columns of the picture."""

    window: tuple[tuple[int, int], tuple[int, int]]
    shape: tuple[int, int]
    resampling: Resampling
    bands: tuple[int, ...]

    @property
    def whole(self) -> bool:
        """Whether it begins in the corner; the middle of a large raster does not."""
        return self.window[0][0] == self.window[1][0] == 0


def view_of(facts: Facts, side: int, *, nearest: bool) -> PreviewPart:
    """How to look at a raster, such that two panels fit into a square of `side` pixels. Pure."""
    bands = shown_bands(facts.bands)
    width, height = facts.width, facts.height
    nearest = nearest or any("complex" in dtype or dtype in _EXACT for dtype in facts.dtypes)
    method = Resampling.nearest if nearest else Resampling.average
    panel = (side - picture.GAP) // 2
    shape = _reduced(width, height, panel, side)
    if _decoded(facts, bands, width, height) > _DECODED:
        if _touched(facts, bands, *shape) <= _DECODED:
            method = Resampling.nearest
        else:
            edge = max(1, int((_DECODED / _decoded(facts, bands, 1, 1)) ** 0.5))
            width, height = min(width, edge), min(height, edge)
            shape = _reduced(width, height, panel, side)
    top, left = (facts.height - height) // 2, (facts.width - width) // 2
    return PreviewPart(((top, top + height), (left, left + width)), shape, method, bands)


def _reduced(width: int, height: int, across: int, down: int) -> tuple[int, int]:
    """Rows and columns that a raster is reduced to, to fit; never more than it has."""
    scale = min(1.0, across / width, down / height)
    return max(1, int(height * scale)), max(1, int(width * scale))


def _decoded(facts: Facts, bands: tuple[int, ...], width: int, height: int) -> int:
    """Bytes of so many pixels of these bands, and of those that are stored among them."""
    chosen = facts.bands if facts.pixel_interleaved else [facts.bands[index - 1] for index in bands]
    return width * height * sum(ITEM_BYTES[band.dtype] for band in chosen)


def _touched(facts: Facts, bands: tuple[int, ...], rows: int, columns: int) -> int:
    """Bytes decoded when the nearest pixel stands for its neighbours: the blocks that are hit."""
    down, across = facts.bands[0].block
    blocks = min(rows, -(-facts.height // down)) * min(columns, -(-facts.width // across))
    return blocks * _decoded(facts, bands, across, down)


def draw(source: Dataset, result: Path, facts: Facts, target: Path, *, side: int, nearest: bool) -> None:
    """Write the picture of an open source and its COG to `target`; `side` bounds its width and height."""
    view = view_of(facts, side, nearest=nearest or bool(facts.bands[0].colours))
    with translated("drawn"), rasterio.open(result, driver="GTiff", sharing=False) as cog:
        before, after = _seen(source, view), _seen(cog, view)
        colours = _palette(cog, view)
    stretch = picture.stretch_of(*before)
    left = _painted(*before, facts.bands[view.bands[0] - 1].colours, stretch)
    right = _painted(*after, colours, stretch)
    factor = max(1, min(_SMALL, side // 2 - picture.GAP) // max(view.shape))
    both = picture.side_by_side(picture.enlarged(left, factor), picture.enlarged(right, factor))
    target.write_bytes(
        picture.png(both, [("Title", "before | after"), ("Description", caption(facts, view))])
    )


def caption(facts: Facts, view: PreviewPart) -> str:
    """What a picture shows, in one line."""
    (top, bottom), (left, right) = view.window
    part = "" if view.whole else f", its middle {right - left} x {bottom - top}"
    bands = ", ".join(str(index) for index in view.bands)
    return (
        f"{facts.driver} {facts.width} x {facts.height}{part}; band {bands}; left the source, right the COG"
    )


def _seen(dataset: Dataset, view: PreviewPart) -> tuple[picture.Samples, picture.Opacity]:
    """Samples and opacity, reduced."""
    samples = dataset.read(
        list(view.bands),
        window=view.window,
        out_shape=(len(view.bands), *view.shape),
        resampling=view.resampling,
    )
    opacity = dataset.read_masks(
        view.bands[0], window=view.window, out_shape=view.shape, resampling=Resampling.nearest
    )
    return samples, np.where(opacity == 1, 255, opacity).astype(np.uint8)  # masks of single bits are 0 and 1


def _palette(dataset: Dataset, view: PreviewPart) -> picture.Palette:
    if len(view.bands) > 1:
        return ()
    try:
        return tuple(sorted(dataset.colormap(view.bands[0]).items()))
    except ValueError:  # there is none
        return ()


def _painted(
    samples: picture.Samples, opacity: picture.Opacity, palette: picture.Palette, stretch: picture.Stretch
) -> picture.Picture:
    if palette:
        return picture.coloured(samples[0], opacity, palette)
    return picture.stretched(samples, opacity, stretch)
