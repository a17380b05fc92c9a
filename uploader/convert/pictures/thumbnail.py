"""A small picture of a finished COG, from the smallest of its overviews that will do. Runs in the child."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Interleaving, MaskFlags, Resampling

from uploader.convert.job import BandStatistics
from uploader.convert.pictures.picture import Opacity, Samples, png
from uploader.convert.pyramid.smallest_level import SmallLevel
from uploader.convert.quicklook import SIDE, THUMBNAIL_BYTES
from uploader.convert.read.facts import ITEM_BYTES, Facts
from uploader.convert.read.formats.open_raster import Dataset
from uploader.convert.read.shown_bands import shown_bands

_DECODED = 64 << 20
"""Bytes of an overview that may be decoded for it."""

_SIDES = (SIDE, SIDE * 3 // 4, SIDE // 2, SIDE // 4)
_DEVIATIONS = 2.0
"""So many around the mean become black and white, where the values reach so far."""

_SUMS: Mapping[str, type[np.generic]] = {"uint8": np.uint16, "uint16": np.uint32}
"""In which type the sums of 64 samples, and more, are exact."""

Colours = NDArray[np.uint8]
"""Rows, columns, and 1 to 4 channels: gray or red, green and blue; opacity last where not all is there."""


LevelSource = Callable[[int], SmallLevel]
"""From pixels on the longer side, at most, to a level of so many."""


def of_level(level: SmallLevel, *, nearest: bool) -> LevelSource:
    """A level that is at hand, reduced by whole numbers."""

    def reduced(side: int) -> SmallLevel:
        step = -(-max(level.opacity.shape) // side)
        pick = (..., slice(None, None, step), slice(None, None, step))
        if step == 1 or nearest or not level.opacity.all() or level.samples.dtype.kind == "c":
            return SmallLevel(level.samples[pick], level.opacity[pick])
        return SmallLevel(_means(level.samples, step), level.opacity[pick])

    return reduced


def _means(samples: NDArray[Any], step: int) -> NDArray[Any]:
    """The means of squares of so many pixels; at the far edges, of what is left of them."""
    wide = [(0, 0), *((0, -length % step) for length in samples.shape[1:])]
    padded = np.pad(samples, wide, mode="edge") if any(sum(one) for one in wide) else samples
    kind = _SUMS.get(samples.dtype.name, np.float32)
    rows = reduce(partial(np.add, dtype=kind), (padded[:, row::step] for row in range(step)))
    sums = reduce(np.add, (rows[:, :, column::step] for column in range(step)))
    means: NDArray[Any] = sums / sums.dtype.type(step**2) if kind is np.float32 else sums // step**2
    return means.astype(np.float32 if kind is np.float32 else samples.dtype)


@contextmanager
def of_file(path: Path, facts: Facts, *, nearest: bool) -> Iterator[LevelSource]:
    """The overviews of a COG of this raster. Raises ValueError where even the smallest is too large to be decoded."""
    chosen = shown_bands(facts.bands)
    with rasterio.open(path, driver="GTiff", sharing=False) as cog:
        if _decoded(cog, facts, chosen) > _DECODED:
            raise ValueError("its overviews are too large")
        yield lambda side: _seen(cog, chosen, side, nearest=nearest)


def draw(source: LevelSource, facts: Facts, bands: Sequence[BandStatistics]) -> bytes:
    """The PNG of a raster; empty where none is small enough. Raises what GDAL says.

    Red, green and blue of eight bits are shown as they are, other values by their statistics, indexes by their colours.
    """
    chosen = shown_bands(facts.bands)
    palette = _palette(facts, chosen)
    for side in _SIDES:
        seen = source(side)
        if palette is not None:
            colours, opacity = _indexed(seen.samples[0], seen.opacity, palette)
        else:
            colours, opacity = _stretched(seen.samples, seen.opacity, [bands[index - 1] for index in chosen])
        drawn = png(colours if opacity.all() else np.dstack([colours, opacity]), quick=True)
        if len(drawn) <= THUMBNAIL_BYTES:
            return drawn
    return b""


def _decoded(cog: Dataset, facts: Facts, chosen: Sequence[int]) -> int:
    """Bytes of the level that GDAL takes for a thumbnail."""
    factor = max((one for one in cog.overviews(1) if max(cog.shape) >= one * SIDE), default=1)
    together = cog.interleaving is Interleaving.pixel
    stored = facts.dtypes if together else [facts.dtypes[index - 1] for index in chosen]
    return facts.pixels * sum(ITEM_BYTES[dtype] for dtype in stored) // int(factor) ** 2


def _palette(facts: Facts, chosen: Sequence[int]) -> Colours | None:
    """Colours and opacity by index; None where the values are no indexes."""
    table = facts.bands[chosen[0] - 1].colours if len(chosen) == 1 else ()
    if not table:
        return None
    found = np.zeros((max(index for index, _ in table) + 1, 4), np.uint8)
    for index, colour in table:
        found[index] = colour
    return found


def _seen(cog: Dataset, chosen: Sequence[int], side: int, *, nearest: bool) -> SmallLevel:
    scale = min(1.0, side / max(cog.shape))
    shape = tuple(max(1, round(length * scale)) for length in cog.shape)
    method = Resampling.nearest if nearest else Resampling.average
    samples = cog.read(list(chosen), out_shape=(len(chosen), *shape), resampling=method)
    if MaskFlags.all_valid in cog.mask_flag_enums[chosen[0] - 1]:
        return SmallLevel(samples, np.full(shape, 255, np.uint8))
    opacity = cog.read_masks(chosen[0], out_shape=shape)
    # masks of single bits are 0 and 1
    return SmallLevel(samples, np.where(opacity == 1, 255, opacity).astype(np.uint8))


def _indexed(samples: NDArray[np.generic], opacity: Opacity, palette: Colours) -> tuple[Colours, Opacity]:
    values = samples.astype(np.int64)
    known = (values >= 0) & (values < len(palette))
    found = palette[np.where(known, values, 0)]
    return found[..., :3], np.where(known, np.minimum(opacity, found[..., 3]), 0).astype(np.uint8)


def _stretched(
    samples: Samples, opacity: Opacity, bands: Sequence[BandStatistics]
) -> tuple[Colours, Opacity]:
    """One band in gray, three in colour; what is no number is nothing."""
    if samples.dtype == np.uint8 and len(samples) > 1:
        return np.moveaxis(samples, 0, -1), opacity
    layers = []
    for samples_of_band, told in zip(samples, bands, strict=True):
        low, high = _ends(told)
        with np.errstate(all="ignore"):
            share = (samples_of_band.real.astype(np.float32) - low) * np.float32(255.0 / (high - low))
        opacity = np.where(np.isfinite(share), opacity, 0).astype(np.uint8)
        layers.append(np.nan_to_num(share).clip(0.0, 255.0).astype(np.uint8))
    return np.stack(layers, axis=-1), opacity


def _ends(told: BandStatistics) -> tuple[float, float]:
    """The values of black and white."""
    if told.min is None or told.max is None or told.mean is None or told.std is None or told.min >= told.max:
        middle = told.min or 0.0
        return middle - 1.0, middle + 1.0
    spread = _DEVIATIONS * told.std
    return max(told.min, told.mean - spread), min(told.max, told.mean + spread)
