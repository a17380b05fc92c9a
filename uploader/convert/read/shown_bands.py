"""Which bands of a raster make a picture of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from uploader.convert.read.facts import BandFacts

_RGB = ("red", "green", "blue")


def shown_bands(bands: Sequence[BandFacts]) -> tuple[int, ...]:
    """Which bands make the picture: those that say they are red, green and blue; else the first three, or one."""
    named = {band.interpretation: band.index for band in reversed(bands)}
    if set(_RGB) <= named.keys():
        return tuple(named[colour] for colour in _RGB)
    data = [band.index for band in bands if band.interpretation != "alpha"] or [1]
    alike = len({band.dtype for band in bands}) == 1 and not bands[0].colours
    return tuple(data[:3]) if len(data) >= 3 and alike else (data[0],)  # noqa: PLR2004 - red, green, blue
