"""The heads of two TIFFs compared tag by tag: what GDAL's view of a raster hides, and what changes what samples mean.

Pure. `tags` says what must become of each tag; here values are made comparable (defaults filled in, byte order and the
width of integers aside), and a difference is `broken` (the raster is refused) or `lost` (it is named).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from uploader.convert.job import RasterWarning
from uploader.convert.tiff import gdal_metadata, ifd, tag_table
from uploader.convert.tiff.tag_table import TagRule
from uploader.convert.write.differences import Differences
from uploader.convert.write.method_choice import codes

Value = tuple[Any, ...] | bytes

_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_FLOATS = {11: "f", 12: "d"}
_FRACTIONS = {5: "I", 10: "i"}

_COLOURS: Mapping[int, int] = {2: 3, 6: 3, 8: 3, 9: 3, 10: 3, 32845: 3}
"""How many samples are colours, by photometric interpretation; where it is not in the table, one."""

SEPARATED, YCBCR, RGB, PALETTE = 5, 6, 2, 3
_LINEAR_RAW = 34892
_JPEGS = frozenset({6, 7, 34933})
_DEFAULTS: Mapping[int, Value] = {
    ifd.SAMPLES: (1,),
    ifd.PHOTOMETRIC: (1,),
    tag_table.ORIENTATION: (1,),
    290: (2,),
    296: (2,),
    332: (1,),
    334: (4,),
}
_SPACES: Mapping[int, str] = {
    SEPARATED: "CMYK", YCBCR: "YCbCr", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv",
}  # fmt: skip
_BREAKING = frozenset({TagRule.LEVELS, TagRule.EQUAL, TagRule.KEPT})
_COLOURED = frozenset({ifd.PHOTOMETRIC, ifd.COLOUR_MAP, ifd.EXTRA_SAMPLES})
_LISTED = 8
_CODES = {ifd.EXIF: "exif_lost", ifd.GPS: "exif_lost", 700: "xmp_lost", 34675: "icc_lost"}


def value(head: ifd.Tiff, entry: ifd.Entry) -> Value:
    """What an entry says: numbers as such, texts without their end, other bytes as they are."""
    if entry.type in _INTEGERS and entry.type != 1:
        return struct.unpack(f"{head.order}{entry.count}{_INTEGERS[entry.type]}", entry.data)
    if entry.type in _FLOATS:
        return struct.unpack(f"{head.order}{entry.count}{_FLOATS[entry.type]}", entry.data)
    if entry.type in _FRACTIONS:
        parts = struct.unpack(f"{head.order}{2 * entry.count}{_FRACTIONS[entry.type]}", entry.data)
        return tuple(_fraction(*pair) for pair in zip(parts[::2], parts[1::2], strict=True))
    return entry.data.rstrip(b"\0") if entry.type == ifd.ASCII else entry.data


def _fraction(numerator: int, denominator: int) -> Fraction | tuple[int, int]:
    return Fraction(numerator, denominator) if denominator else (numerator, denominator)


def meaning(head: ifd.Tiff, image: ifd.Directory, tag: int) -> Value | None:
    """What an image says by a tag, its default where the tag is missing; None where there is neither."""
    entry = image.entries.get(tag)
    found = None if entry is None else _numbers(value(head, entry))
    samples = head.number(image, ifd.SAMPLES, 1)
    if tag == ifd.BITS:
        return _each(found or (1,), samples)
    if tag == ifd.SAMPLE_FORMAT:
        return _each(found or (1,), samples)
    if tag == ifd.EXTRA_SAMPLES:
        return _extra(head, image, found or (), samples)
    return _DEFAULTS.get(tag) if found is None else found


def _numbers(found: Value) -> Value:
    """Bytes that are numbers, where somebody wrote a small number as one."""
    return tuple(found) if isinstance(found, bytes) and len(found) <= 1 else found


def _each(found: Value, samples: int) -> Value:
    """One value for each sample, where one was given for all."""
    return tuple(found) * samples if len(found) == 1 else tuple(found)


def _extra(head: ifd.Tiff, image: ifd.Directory, found: Value, samples: int) -> Value:
    """The kinds of the extra samples: what nobody named is unspecified."""
    photometric = head.number(image, ifd.PHOTOMETRIC, 1)
    if photometric == _LINEAR_RAW:
        colours = samples - len(found)
    elif photometric == SEPARATED:
        colours = head.number(image, 334, 4)
    else:
        colours = _COLOURS.get(photometric, 1)
    many = max(0, samples - colours)
    return (*(0,) * (many - len(found)), *tuple(found)[len(found) - min(many, len(found)) :])


def decoded(head: ifd.Tiff, names: Sequence[str]) -> str:
    """Which colours the samples are where GDAL shows others, going by what it calls the bands; else empty."""
    image = head.directories[0]
    kind = _SPACES.get(head.number(image, ifd.PHOTOMETRIC, 1), "")
    more = head.number(image, ifd.SAMPLES, 1) != len(names)
    return kind if kind and (more or (names[0] == "red" and kind != _SPACES[YCBCR])) else ""


def compare(
    source: ifd.Tiff, result: ifd.Tiff, *, texts_beside: bool = False, colours_beside: bool = False
) -> Differences:
    """What the result's head says otherwise than the source's first image.

    `texts_beside`, `colours_beside`: a `.aux.xml` says more than the source's head, which then is no measure.
    """
    before, after = source.directories[0], result.directories[0]
    aside = _COLOURED if colours_beside else frozenset[int]()
    known = {
        *before.entries,
        *before.children,
        *(t for t, r in tag_table.RULES.items() if r in _BREAKING),
    } - aside
    changed = {tag for tag in known if not _kept(source, result, tag)}
    broken = {tag for tag in changed if tag_table.rule(tag) in _BREAKING} | (set(uneven(result)) - aside)
    named = (changed - broken) | before.unread
    titles = {tag: tag_table.title(tag) for tag in named}
    if ifd.GDAL_METADATA in before.entries and not texts_beside and (items := _items_lost(before, after)):
        titles[ifd.GDAL_METADATA] = f"{codes(items)} of {tag_table.title(ifd.GDAL_METADATA)}"
    return Differences(
        tuple(f"the {tag_table.title(tag)}" for tag in sorted(broken)), tuple(_warnings(titles))
    )


def _warnings(titles: Mapping[int, str]) -> Iterator[RasterWarning]:
    """Of tags that are lost, by what each is called."""
    by_code: dict[str, list[str]] = {}
    for tag, title in sorted(titles.items()):
        by_code.setdefault(_CODES.get(tag, "tag_lost"), []).append(title)
    for code, found in by_code.items():
        listed = ", ".join(found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        yield RasterWarning(code, f"The head of the file says more than the result: {listed}{more}.")


def _kept(source: ifd.Tiff, result: ifd.Tiff, tag: int) -> bool:
    before, after = source.directories[0], result.directories[0]
    if tag_table.rule(tag) in (TagRule.FREE, TagRule.FACTS, TagRule.TEXT):
        return True
    if tag in before.children:
        return _same_children(source, result, tag)
    photometric = source.number(before, ifd.PHOTOMETRIC, 1)
    if tag in tag_table.OF_YCBCR and photometric == YCBCR:
        return True
    old, new = meaning(source, before, tag), meaning(result, after, tag)
    decoded = tag == ifd.PHOTOMETRIC and (old, new) == ((YCBCR,), (RGB,))
    return old == new or (decoded and source.number(before, ifd.COMPRESSION, 1) in _JPEGS)


def _same_children(source: ifd.Tiff, result: ifd.Tiff, tag: int) -> bool:
    before = source.directories[0].children[tag]
    after = result.directories[0].children.get(tag, {})
    return {t: value(source, e) for t, e in before.items()} == {t: value(result, e) for t, e in after.items()}


def uneven(head: ifd.Tiff) -> Iterator[int]:
    """Tags that do not say of every level, masks aside, what they say of the raster."""
    first, *others = head.directories
    levels = [each for each in others if not head.number(each, ifd.SUBFILE) & ifd.MASK]
    for tag in (*(tag for tag, rule in tag_table.RULES.items() if rule is TagRule.LEVELS), ifd.NODATA):
        if any(meaning(head, each, tag) != meaning(head, first, tag) for each in levels):
            yield tag


def _items_lost(before: ifd.Directory, after: ifd.Directory) -> set[str]:
    """Which items of GDAL's text are nowhere in the result: it passes over what it cannot read."""
    mine = after.entries.get(ifd.GDAL_METADATA)
    left = gdal_metadata.names(mine.data if mine else b"")
    gone = gdal_metadata.names(before.entries[ifd.GDAL_METADATA].data) - left
    return {name.decode(errors="replace") for name, _, _ in gone}


def unsound(head: ifd.Tiff) -> str:
    """Why a head is none that a result may have, in a few words; empty when it may."""
    others = head.directories[1:]
    if any(
        head.number(each, ifd.TILE_WIDTH) != head.number(each, ifd.TILE_HEIGHT) for each in head.directories
    ):
        return "tiles that are not square"
    if any(tag in each.entries for each in head.directories for tag in tag_table.POINTERS):
        return "tags that hold offsets"
    if any(tag in tag_table.PLACES for each in others for tag in each.entries):
        return "a place on a level"
    if next(uneven(head), None) is not None:
        return "levels that are said to be of another kind"
    if b"KNOWN_INCOMPATIBLE_EDITION=YES" in head.ghost:
        return "a note on the layout that is no longer true"
    return ""
