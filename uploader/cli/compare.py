"""Whether two rasters say the same: `python -m uploader.cli.compare`, pairs in as JSON, differences out as JSON.

Runs in a process of its own, because only such processes import GDAL. It knows nothing of how the one was made from
the other, which is why its word counts: it opens both and looks at every pixel, also under the mask.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = 1024
"""Rows and columns that are read at once."""
TOLERANCE = 1e-12
"""Relative difference of two transforms that a text form on the way may cause."""

FACTS = (
    "width",
    "height",
    "count",
    "dtypes",
    "crs",
    "colorinterp",
    "descriptions",
    "units",
    "scales",
    "offsets",
)
"""What must be equal beside pixels, nodata, transform and colours."""


def difference(one: str, other: str) -> str:
    """Name the first difference between two rasters; empty when there is none."""
    with (
        rasterio.open(one, driver="GTiff", overview_level=None) as left,
        rasterio.open(other, driver="GTiff", overview_level=None) as right,
    ):
        for fact in FACTS:
            if getattr(left, fact) != getattr(right, fact):
                return f"{fact}: {getattr(left, fact)} became {getattr(right, fact)}"
        if not np.array_equal(_numbers(left.nodatavals), _numbers(right.nodatavals), equal_nan=True):
            return f"nodata: {left.nodatavals} became {right.nodatavals}"
        if not left.transform.almost_equals(
            right.transform, precision=TOLERANCE * max(map(abs, left.transform))
        ):
            return "the transform differs"
        if _colours(left) != _colours(right):
            return "the colour table differs"
        return next(_pixels(left, right), "")


def _pixels(left: Any, right: Any) -> Iterator[str]:
    for row in range(0, left.height, STEP):
        for column in range(0, left.width, STEP):
            window = Window(column, row, min(STEP, left.width - column), min(STEP, left.height - row))
            if left.read(window=window).tobytes() != right.read(window=window).tobytes():
                yield f"pixels differ in the block at row {row}, column {column}"
            if left.dataset_mask(window=window).tobytes() != right.dataset_mask(window=window).tobytes():
                yield f"the mask differs in the block at row {row}, column {column}"


def _numbers(values: tuple[float | None, ...]) -> list[float]:
    """Nodata values with None as infinity, which no sample uses."""
    return [float("inf") if value is None else float(value) for value in values]


def _colours(source: Any) -> dict[int, tuple[int, ...]] | None:
    try:
        return dict(source.colormap(1))
    except ValueError:
        return None


def main() -> None:
    """Compare the pairs on standard input."""
    pairs = json.load(sys.stdin)
    json.dump([difference(one, other) for one, other in pairs], sys.stdout)


if __name__ == "__main__":
    main()
