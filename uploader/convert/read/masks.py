"""Whether a raster's mask says only yes and no, which is all that the mask of a COG can say."""

from __future__ import annotations

import numpy as np

from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, PER_DATASET, Facts
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.convert.read.windows import pieces
from uploader.core.errors import RasterRefused

_SHOWN = 3
_MADE = ALL_VALID | ALPHA | NODATA


def require_hard(dataset: Dataset, facts: Facts) -> None:
    """Raises RasterRefused for a mask with values between 0 and 255, RasterUnreadable where it does not decode."""
    held = [band.index for band in facts.bands if not band.mask & _MADE]
    shared = [band.index for band in facts.bands if band.mask == PER_DATASET]
    wanted = {index for index in held if index not in shared[1:]}
    between: set[int] = set()
    with translated("read in its mask"):
        for piece in pieces(facts):
            for index in wanted.intersection(piece.bands):
                between.update(np.unique(dataset.read_masks(index, window=piece.place)).tolist())
                between -= {0, 255}
            if len(between) > _SHOWN:
                break
    if between:
        shown = ", ".join(str(value) for value in sorted(between)[:_SHOWN])
        raise RasterRefused(
            f"Its mask holds values between 0 and 255 ({shown}), and that of a COG is either or.",
            "Make it a mask of 0 and 255, or an alpha band, which may hold all values.",
            as_it_is=True,
        )
