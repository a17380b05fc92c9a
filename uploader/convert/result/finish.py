"""What a result's head gets that GDAL does not write: statistics, metadata domains, Exif, what white means.

GDAL's COG driver keeps the raster's own metadata and drops the rest, although the file could hold it. So room for
it is reserved while GDAL writes (`reserve`), and filled in afterwards (`complete`); no byte of the pixels moves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from uploader.convert.job import BandStatistics
from uploader.convert.raster.facts import NODATA, Facts
from uploader.convert.raster.statistics import STATISTICS_KEYS, to_tags
from uploader.convert.result import metadata, tiff
from uploader.convert.result.cog import RESERVED
from uploader.convert.result.metadata import Item
from uploader.core.errors import ConversionFailed

_MIN_IS_WHITE = 0
_KEPT = (700, 33723, 34377, 34675)
"""XMP, IPTC, Photoshop and ICC: opaque to TIFF, without offsets in them."""

_KEPT_BYTES = 16 << 20
_PAM_NODATA = re.compile(rb"<NoDataValue[^>]*>\s*(-?\d+)\s*</NoDataValue>")
_DIGITS = re.compile(rb"\s*(-?\d+)\s*\0?$")
_FLOAT_DIGITS = 1 << 53
_STATISTICS_BYTES = 600
_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Additions:
    """What goes into the head: metadata items, tags that are missing there, directories, what white means."""

    items: tuple[Item, ...] = ()
    tags: tiff.Entries = field(default_factory=dict)
    children: Mapping[int, tiff.Entries] = field(default_factory=dict)
    white_is_zero: bool = False


def additions(source: Path, facts: Facts) -> Additions:
    """What the source has beyond what GDAL writes. Of a file that is no TIFF, or an odd one, its domains alone."""
    items = [
        item
        for band, domains in ((0, facts.domains), *((band.index, band.domains) for band in facts.bands))
        for domain, tags in domains.items()
        if metadata.placeable(domain)
        for item in metadata.items(tags, band, domain)
    ]
    found = structure(source)
    if found is None:
        return Additions(tuple(items))
    first = found.directories[0]
    own = {tag: tiff.turned(first.entries[tag], found.order, "<") for tag in _KEPT if tag in first.entries}
    below = {
        parent: {tag: tiff.turned(entry, found.order, "<") for tag, entry in entries.items()}
        for parent, entries in first.children.items()
        if tiff.INTEROPERABILITY not in entries
    }
    return Additions(
        items=tuple(items),
        tags={tag: entry for tag, entry in own.items() if len(entry.data) <= _KEPT_BYTES},
        children=below,
        white_is_zero=facts.white_is_zero,
    )


def wide_nodata(source: Path, facts: Facts) -> str:
    """The nodata value of 64-bit integers with all its digits, which the view of a raster that is read lacks.

    Empty where there is none. Whether it is the right one is seen when the masks are compared.
    """
    band = next((band for band in facts.bands if band.mask & NODATA and "int64" in band.dtype), None)
    if band is None:
        return ""
    if band.nodata is not None and abs(band.nodata) < _FLOAT_DIGITS:
        return str(int(band.nodata))
    beside = next((name for name in facts.sidecars if name.lower().endswith(".aux.xml")), None)
    found = _PAM_NODATA.search(source.with_name(beside).read_bytes()) if beside else None
    head = structure(source)
    if found is None and head is not None and tiff.NODATA in head.directories[0].entries:
        found = _DIGITS.match(head.directories[0].entries[tiff.NODATA].data)
    return found.group(1).decode() if found else ""


def structure(source: Path) -> tiff.Tiff | None:
    """How a TIFF is built; None for other files, and for odd ones."""
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return tiff.read(handle)
    except tiff.Malformed:
        return None
    finally:
        os.close(handle)


def reserve(added: Additions, bands: int) -> int:
    """How many bytes of head `complete` will need at most."""
    text = len(metadata.with_items(b"", added.items))
    values = [*added.tags.values(), *(e for entries in added.children.values() for e in entries.values())]
    return _HEAD_BYTES + text + bands * _STATISTICS_BYTES + sum(len(entry.data) + 32 for entry in values)


def complete(result: Path, added: Additions, statistics: tuple[BandStatistics, ...]) -> None:
    """Fill in the head of a COG; may be repeated, with statistics that are known by then.

    Raises ConversionFailed when there is no room, or the file is not laid out as it should be.
    """
    numbers = [item for n, band in enumerate(statistics, 1) for item in metadata.items(to_tags(band), n)]
    try:
        tiff.edit(result, lambda head: completed(head, added, numbers))
    except (tiff.Malformed, tiff.NoRoom) as error:
        raise ConversionFailed(f"The head of the result cannot be completed: {error}.") from error


def completed(head: tiff.Tiff, added: Additions, statistics: list[Item]) -> tiff.Tiff:
    """The same structure with the additions in it."""
    first, *others = head.directories
    text = first.entries[tiff.GDAL_METADATA].data if tiff.GDAL_METADATA in first.entries else b""
    text = metadata.without(text, STATISTICS_KEYS | {RESERVED}, {item.domain for item in added.items})
    text = metadata.with_items(text, (*added.items, *statistics))
    entries = dict(added.tags) | dict(first.entries)
    entries.pop(tiff.GDAL_METADATA, None)
    if text:
        entries[tiff.GDAL_METADATA] = tiff.Entry(tiff.ASCII, len(text), text)
    first = replace(first, entries=entries, children=dict(added.children) | dict(first.children))
    return replace(head, directories=tuple(_image(head, each, added) for each in (first, *others)))


def _image(head: tiff.Tiff, image: tiff.Directory, added: Additions) -> tiff.Directory:
    """What is said of every level, but not of masks."""
    entries = dict(image.entries)
    if head.number(image, tiff.SUBFILE) & tiff.MASK:
        return image
    if added.white_is_zero:
        entries[tiff.PHOTOMETRIC] = head.entry(tiff.SHORT, [_MIN_IS_WHITE])
    return replace(image, entries=entries)
