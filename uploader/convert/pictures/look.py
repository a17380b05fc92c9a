"""Where a converted raster lies and how it looks; what cannot be had of that is left out, and nothing fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from uploader.convert.job import BandStatistics
from uploader.convert.pictures import outline, thumbnail
from uploader.convert.pyramid.smallest_level import SmallLevel
from uploader.convert.quicklook import FootprintOrigin, Quicklook
from uploader.convert.read.facts import Facts
from uploader.core.footprints import OffEarth, Ring


def quicklook(
    path: Path,
    smallest: SmallLevel | None,
    facts: Facts,
    bands: Sequence[BandStatistics],
    *,
    categorical: bool,
) -> Quicklook:
    """The footprint and the thumbnail of a finished COG of this raster, which lies at `path`."""
    ring, origin = _footprint(facts)
    nearest = categorical or facts.palette
    try:
        if smallest is not None:
            drawn = thumbnail.draw(thumbnail.of_level(smallest, nearest=nearest), facts, bands)
        else:
            with thumbnail.of_file(path, facts, nearest=nearest) as source:
                drawn = thumbnail.draw(source, facts, bands)
    except Exception:  # noqa: BLE001 - whatever a raster brings about here, its conversion is done
        drawn = b""
    return Quicklook(ring, origin, drawn)


def _footprint(facts: Facts) -> tuple[Ring, FootprintOrigin]:
    try:
        return outline.footprint(facts)
    except OffEarth:
        return (), FootprintOrigin.OFF_EARTH
    except Exception:  # noqa: BLE001 - likewise
        return (), FootprintOrigin.FAILED
