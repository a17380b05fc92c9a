"""Whether the pixels of the COG are those of the source, bit for bit, also under the mask. Both are read in pieces."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np

from uploader.convert.read.block_reader import blocks
from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, BandFacts, Facts
from uploader.convert.read.formats.open_raster import Dataset
from uploader.convert.read.measure import Gauge, Watcher
from uploader.convert.read.pass_progress import COMPARING, counted
from uploader.convert.read.windows import pieces, sampled

_DERIVED = NODATA | ALPHA | ALL_VALID


def compare_pixels(
    source: Dataset,
    result: Dataset,
    facts: Facts,
    *,
    sample: bool,
    gauge: Gauge | None = None,
    watch: Watcher | None = None,
) -> str:
    """The first difference of pixels or mask, in words; empty when there is none.

    Every bit counts, so NaN equals NaN and -0.0 is not 0.0. With `sample` some pieces stand for all. What is read
    of the source is shown to the gauge, what is read of the result to the watcher; when that has failed, nothing
    more is compared. Masks made of nodata or alpha follow from the pixels; the others are data.
    """
    everything = list(pieces(facts))
    wanted = sampled(everything) if sample else everything
    own = frozenset(band.index for band in facts.bands if _own_mask(band))
    known = own | (gauge.masked if gauge else frozenset())
    seen = own | (watch.masked if watch else frozenset())
    with (
        closing(blocks(source, facts, wanted, known)) as before,
        closing(blocks(result, facts, wanted, seen, margin=watch.margin if watch else 0)) as after,
    ):
        for old, new in zip(counted(before, facts.samples, COMPARING), after, strict=True):
            where = f"near column {old.piece.column}, row {old.piece.row}"
            if not same_bits(old.samples, new.samples):
                return f"pixels {where}"
            shown = own.intersection(new.masks)
            if not all(np.array_equal(old.masks[index], new.masks[index]) for index in shown):
                return f"the mask {where}"
            if gauge:
                gauge.add(old)
            if watch:
                watch.see(new)
                if watch.failed:
                    break
    return ""


def _own_mask(band: BandFacts) -> bool:
    """Whether the mask does not follow from what is compared anyway; some 64-bit nodata values are not shown."""
    return not band.mask & _DERIVED or (bool(band.mask & NODATA) and band.nodata is None)


def same_bits(before: Any, after: Any) -> bool:
    """Whether two arrays are alike in type, shape and every bit."""
    if before.dtype != after.dtype or before.shape != after.shape:
        return False
    left, right = (np.ascontiguousarray(each).reshape(-1).view(np.uint8) for each in (before, after))
    even = left.size // 8 * 8  # eight bytes at a time
    wide = np.array_equal(left[:even].view(np.uint64), right[:even].view(np.uint64))
    return bool(wide and np.array_equal(left[even:], right[even:]))
