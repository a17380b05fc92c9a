"""Texts that a raster holds, also those that are not UTF-8: byte for byte, bytes that are none as surrogates.

rasterio gives up on the names and units of all bands when one is not UTF-8, and leaves a metadata item out. GDAL itself
copies the bytes: what it writes into a VRT tells the former, rasterio's warning of each item the latter.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import rasterio.shutil
from rasterio.io import MemoryFile

from uploader.convert.read.formats.open_raster import Dataset
from uploader.convert.tiff.xml_text import unescaped
from uploader.core.path_text import lossless

UNNAMED = "\ufffd"
"""Stands for metadata domains that cannot be asked for, so that their loss is named like that of others."""

_BAND = re.compile(r"<VRTRasterBand .*?</VRTRasterBand>", re.DOTALL)
_ELEMENTS = {
    name: re.compile(rf"<{name}>([^<]*)</{name}>", re.DOTALL) for name in ("Description", "UnitType")
}
_OVERVIEWS = (".ovr", ".rrd", ".aux")


@dataclass(frozen=True, slots=True)
class BandTexts:
    """The description and the unit of each band, empty where it has none; `lost` where some cannot be had."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    lost: bool = False


def of_bands(dataset: Dataset, beside: Sequence[str]) -> BandTexts:
    """What the bands are called, and their units.

    Lost are names that are not UTF-8 where GDAL would look at overviews beside the raster, which nobody may.
    """
    try:
        return BandTexts(_filled(dataset.descriptions), _filled(dataset.units))
    except UnicodeDecodeError:
        foreign = tags(dataset, domain="OVERVIEWS") or any(
            name.lower().endswith(_OVERVIEWS) for name in beside
        )
        return BandTexts(*((("",) * dataset.count,) * 2), lost=True) if foreign else _as_vrt(dataset)


def _filled(found: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(text or "" for text in found)


def _as_vrt(dataset: Dataset) -> BandTexts:
    with MemoryFile(ext=".vrt") as wrapper:  # type: ignore[no-untyped-call]
        rasterio.shutil.copy(dataset, wrapper.name, driver="VRT")
        bands = _BAND.findall(lossless(wrapper.read()))
    names, units = ([_element(band, pattern) for band in bands] for pattern in _ELEMENTS.values())
    return BandTexts(tuple(names), tuple(units))


def _element(band: str, pattern: re.Pattern[str]) -> str:
    found = pattern.search(band)
    return unescaped(found.group(1)) if found else ""


def domains(dataset: Dataset, band: int = 0) -> dict[str, dict[str, str]]:
    """The metadata of the raster or of a band by domain; `UNNAMED` alone where a domain's own name is not UTF-8."""
    try:
        names = dataset.tag_namespaces(band)
    except UnicodeDecodeError:
        return {UNNAMED: {}}
    return {name: tags(dataset, band, name) for name in names}


def tags(dataset: Dataset, band: int = 0, domain: str | None = None) -> dict[str, str]:
    """The items of one metadata domain."""
    with _undecoded() as missing:
        found = dict(dataset.tags(band, ns=domain))
    for item in missing:
        name, _, value = lossless(item).partition("=")
        found[name] = value
    return found


class _Undecoded(logging.Handler):
    """Collects the bytes of the items that rasterio says it could not decode."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.items: list[bytes] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take the item out of what is said."""
        self.items += [part for part in record.args or () if isinstance(part, bytes)]


@contextmanager
def _undecoded() -> Iterator[list[bytes]]:
    """What rasterio warns of meanwhile, and nobody else hears; also where all logs are switched off."""
    handler, log, disabled = _Undecoded(), logging.getLogger("rasterio._base"), logging.root.manager.disable
    log.addHandler(handler)
    log.propagate = False
    if disabled:  # to switch them on and off makes every logger forget its level
        logging.disable(logging.NOTSET)
    try:
        yield handler.items
    finally:
        if disabled:
            logging.disable(disabled)
        log.propagate = True
        log.removeHandler(handler)
