"""Means of footprints of which every pixel counts, as most do: few passes over few bytes. Pure.

What these give is what the general way gives (`downsample`), to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.pyramid.pixel_coverage import Footprints, summed_along

_NARROW = 2
"""Bytes of whole numbers whose weighted sums along one axis fit into 32 bits."""

_ROWS_BELOW = 1 << 15
"""How many rows of weights leave room for that."""

_WHOLE_IN_FLOAT = 1 << 24
"""Up to which floats of 32 bits are exact; they become wider ones in half the time."""


def plain_mean(above: NDArray[Any], footprints: Footprints) -> NDArray[Any] | None:
    """The mean in float64, not yet rounded; None where another way is to be gone.

    Of floats all must be finite, and of 64 bits none are taken.
    """
    kind, size = above.dtype.kind, above.dtype.itemsize
    if kind in "iu" and size <= _NARROW and footprints.rows.total < _ROWS_BELOW:
        exact = footprints.rows.total << 8 * size <= _WHOLE_IN_FLOAT
        rows = summed_along(above, footprints.rows, 0, np.dtype("f4" if exact else f"{kind}4"))
    elif kind in "iuf" and size <= 4:  # noqa: PLR2004 - bytes
        rows = summed_along(above, footprints.rows, 0, np.dtype(np.float64))
    else:
        return None
    found = summed_along(rows, footprints.columns, 1, np.dtype(np.float64))
    found /= footprints.whole
    return found


def quarters(above: NDArray[Any]) -> NDArray[Any]:
    """The mean of each four of small unsigned numbers, halves up: neighbours are added as halves of wider ones."""
    size = above.dtype.itemsize
    wide, bits = np.dtype(f"u{2 * size}"), 8 * size
    low = wide.type((1 << bits) - 1)
    upper, lower = above[0::2].view(wide), above[1::2].view(wide)
    found = upper & low
    found += upper >> wide.type(bits)
    found += lower & low
    found += lower >> wide.type(bits)
    found += wide.type(2)
    found >>= wide.type(2)
    return np.asarray(found.astype(above.dtype))
