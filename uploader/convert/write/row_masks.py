"""Which samples of whole rows count: seen in the samples themselves where that is plain, else asked of GDAL.

A mask that GDAL is asked for costs it a second look at the same pixels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from uploader.convert.pyramid.nodata_values import held
from uploader.convert.read.block_reader import Block, Mask
from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, BandFacts, Facts
from uploader.convert.read.measure import Gauge


def asked(facts: Facts) -> frozenset[int]:
    """The bands whose masks GDAL is to be asked for."""
    if _plain_alpha(facts) is not None:
        return frozenset()
    return frozenset(b.index for b in facts.bands if not b.mask & ALL_VALID and _nodata(b) is None)


def with_masks(rows: Block, facts: Facts) -> Block:
    """The rows with the masks of all their bands that are not wholly valid; `rows` has those that were asked for."""
    masks: dict[int, Mask] = dict(rows.masks)
    alpha = _plain_alpha(facts)
    if alpha is not None:
        shown: Mask = rows.samples[rows.piece.bands.index(alpha)] != 0
        masks = {band.index: shown for band in facts.bands if band.mask & ALPHA}
    for samples, index in zip(rows.samples, rows.piece.bands, strict=True):
        nodata = _nodata(facts.bands[index - 1])
        if nodata is not None:
            masks[index] = samples != nodata
    return replace(rows, masks=masks)


def for_gauge(rows: Block, gauge: Gauge) -> Block:
    """The rows with those masks alone that the gauge needs: it has faster ways for the others."""
    return replace(rows, masks={n: mask for n, mask in rows.masks.items() if n in gauge.masked})


def _nodata(band: BandFacts) -> Any:
    """The nodata value of whole numbers as their type holds it; None where it is not plain which samples have it."""
    if band.mask != NODATA or band.nodata is None or "int" not in band.dtype:
        return None
    return held(band.nodata, np.dtype(band.dtype))


def _plain_alpha(facts: Facts) -> int | None:
    """The alpha band, where GDAL would show it as a mask without any change: of bytes."""
    found = [b.index for b in facts.bands if b.interpretation == "alpha" and b.dtype == "uint8"]
    return found[0] if found else None
