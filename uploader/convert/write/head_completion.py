"""What a result's head gets that GDAL does not write: statistics, domains, and what the source's own head says.

GDAL's COG driver keeps the raster's own metadata and drops the rest, although the file could hold it. So room for
it is reserved while GDAL writes (`reserve`), and filled in afterwards (`complete`); no byte of the pixels moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from uploader.convert.job import BandStatistics
from uploader.convert.pyramid.pixel_coverage import sizes
from uploader.convert.read import rpc
from uploader.convert.read.facts import Facts
from uploader.convert.read.statistics_tags import STATISTICS_KEYS, to_tags
from uploader.convert.tiff import gdal_metadata, ifd, tag_table
from uploader.convert.tiff.gdal_metadata import MetadataItem
from uploader.convert.write import restored_tags
from uploader.convert.write.cog_driver import RESERVED
from uploader.convert.write.source_heads import first_image
from uploader.core.errors import ConversionFailed

_STATISTICS_BYTES = 600
_HEAD_BYTES = 1024
_ENTRY_BYTES = 32
_ROLE_BYTES = 100
_LEVELS = 24
"""More than any raster has: its sides are halved that often."""
_SMALLEST_TILE = 64
_ROW_MAJOR = b"BLOCK_ORDER=ROW_MAJOR\n"


@dataclass(frozen=True, slots=True)
class Additions:
    """What goes into the head. `source` is the source's own head, or None where it is no TIFF, or goes on as it is."""

    facts: Facts
    items: tuple[MetadataItem, ...] = ()
    tags: ifd.Entries = field(default_factory=dict)
    children: Mapping[int, ifd.Entries] = field(default_factory=dict)
    source: ifd.Tiff | None = None
    moved: bool = False
    """The result's head is the source's own already."""
    nodata: bytes = b""
    """The text of a nodata value that the type cannot have, where the source declares one."""


def additions(source: Path, facts: Facts) -> Additions:
    """What the source has beyond what GDAL writes. Of a file that is no TIFF its domains alone."""
    items = [
        item
        for band, domains in ((0, facts.domains), *((band.index, band.domains) for band in facts.bands))
        for domain, found in domains.items()
        if gdal_metadata.placeable(domain)
        for item in gdal_metadata.items(found, band, domain)
    ]
    head = first_image(source)
    if head is None:
        return Additions(facts, tuple(items))
    copied, below = restored_tags.copied(head)
    if tag_table.RPC in copied and not rpc.are(
        head.doubles(head.directories[0], tag_table.RPC).tolist(), dict(facts.rpcs)
    ):
        del copied[tag_table.RPC]  # a sidecar says something else
    return Additions(facts, tuple(items), copied, below, head)


def reserve(added: Additions) -> int:
    """How many bytes of head `complete` will need at most."""
    text = len(gdal_metadata.with_items(b"", added.items))
    values = [*added.tags.values(), *(e for entries in added.children.values() for e in entries.values())]
    copied = sum(len(entry.data) + _ENTRY_BYTES for entry in values)
    bands = len(added.facts.bands)
    return (
        _HEAD_BYTES
        + text
        + copied
        + bands * (_STATISTICS_BYTES + _ROLE_BYTES)
        + _images(added) * _of_an_image(added)
    )


def _images(added: Additions) -> int:
    """How many there are at most, the raster among them: colours of 16 bits are 400 KiB in each."""
    if added.source is None:
        return _LEVELS
    return 1 + len(sizes(added.facts.width, added.facts.height, _SMALLEST_TILE))


def _of_an_image(added: Additions) -> int:
    """Bytes that the raster and each level may need besides."""
    if added.source is None:
        return 2 * _ENTRY_BYTES + 2 * len(added.facts.bands)
    image = added.source.directories[0]
    colours = image.entries.get(ifd.COLOUR_MAP)
    inks = sum(len(image.entries[tag].data) for tag in tag_table.INKS if tag in image.entries)
    return 8 * _ENTRY_BYTES + 4 * len(added.facts.bands) + inks + (len(colours.data) if colours else 0)


def complete(result: Path, added: Additions, statistics: tuple[BandStatistics, ...]) -> None:
    """Fill in the head of a COG; may be repeated, with statistics that are known by then.

    Raises ConversionFailed when there is no room, or the file is not laid out as it should be.
    """
    numbers = [item for n, band in enumerate(statistics, 1) for item in gdal_metadata.items(to_tags(band), n)]
    try:
        ifd.edit(result, lambda head: completed(head, added, numbers))
    except (ifd.Malformed, ifd.NoRoom) as error:
        raise ConversionFailed(f"The head of the result cannot be completed: {error}.") from error


def completed(head: ifd.Tiff, added: Additions, statistics: list[MetadataItem]) -> ifd.Tiff:
    """The same structure with the additions in it."""
    put = {} if added.moved else dict(restored_tags.samples(added.source, added.facts, head))
    first = _first(head, head.directories[0], added, put)
    shared = {tag: first.entries.get(tag) for tag in (ifd.NODATA, *tag_table.INKS)}
    others = tuple(_level(head, each, put | shared) for each in head.directories[1:])
    after = replace(head, directories=(first, *others))

    text = first.entries[ifd.GDAL_METADATA].data if ifd.GDAL_METADATA in first.entries else b""
    if put:
        text = restored_tags.renamed(text, head, after)
    text = gdal_metadata.without(text, STATISTICS_KEYS | {RESERVED}, {item.domain for item in added.items})
    text = gdal_metadata.with_items(text, (*added.items, *statistics))
    entries = dict(first.entries)
    entries.pop(ifd.GDAL_METADATA, None)
    if text:
        entries[ifd.GDAL_METADATA] = ifd.Entry(ifd.ASCII, len(text), text)
    return replace(after, ghost=_true_hints(head), directories=(replace(first, entries=entries), *others))


def _true_hints(head: ifd.Tiff) -> bytes:
    """GDAL says that tiles lie in the order of their numbers also where those of all bands alternate; they do not."""
    if _ROW_MAJOR not in head.ghost:
        return head.ghost
    offsets = (head.numbers(each, ifd.TILE_OFFSETS) for each in head.directories)
    if all((np.diff(places[places > 0].astype(np.int64)) > 0).all() for places in offsets):
        return head.ghost
    return head.ghost.replace(_ROW_MAJOR, b" " * (len(_ROW_MAJOR) - 1) + b"\n")


def _first(
    head: ifd.Tiff, image: ifd.Directory, added: Additions, put: Mapping[int, ifd.Entry | None]
) -> ifd.Directory:
    """The raster's own directory: what GDAL wrote goes before what the source's head says only where a PAM file may."""
    image = _level(head, image, put, first=True)
    entries = dict(image.entries)
    if added.source is not None:
        over = {} if restored_tags.has_pam(added.facts) else dict(added.tags)
        entries = dict(added.tags) | entries | over
        for tag in restored_tags.superfluous(added.source) & entries.keys():
            del entries[tag]
        if ifd.NODATA in over:  # word for word: what GDAL makes of an odd text it makes of it again
            entries[ifd.NODATA] = over[ifd.NODATA]
        if tag_table.RPC in added.tags:  # GDAL rounds them to fifteen digits
            entries[tag_table.RPC] = added.tags[tag_table.RPC]
    if added.nodata:
        entries.setdefault(ifd.NODATA, ifd.Entry(ifd.ASCII, len(added.nodata) + 1, added.nodata + b"\0"))
    return replace(image, entries=entries, children=dict(added.children) | dict(image.children))


def _level(
    head: ifd.Tiff, image: ifd.Directory, put: Mapping[int, ifd.Entry | None], *, first: bool = False
) -> ifd.Directory:
    """What is said of every level, but not of masks; a place is said of the raster alone."""
    entries = dict(image.entries)
    if not first:
        entries = {tag: entry for tag, entry in entries.items() if tag not in tag_table.PLACES}
    if not head.number(image, ifd.SUBFILE) & ifd.MASK:
        entries = {t: e for t, e in (entries | dict(put)).items() if e is not None}
    return replace(image, entries=entries)
