"""What of a source's head goes into the result's: the tags that GDAL writes otherwise, or does not write.

Pure. GDAL's COG driver takes three or four bytes a pixel for colours and every alpha for a straight one, and gives a
colour eight bits. Only tags are put right here; where the samples themselves were changed, `heads` finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from uploader.convert.read.facts import Facts
from uploader.convert.tiff import gdal_metadata, ifd, tag_table
from uploader.convert.tiff.gdal_metadata import MetadataItem
from uploader.convert.tiff.tag_table import TagRule
from uploader.convert.write import head_comparison

_OF_SAMPLES = (ifd.PHOTOMETRIC, ifd.SAMPLE_FORMAT, ifd.EXTRA_SAMPLES, ifd.COLOUR_MAP)
"""In this order: which samples are extra follows from the photometric interpretation."""

_RGB = ("red", "green", "blue")
_INKS = ("cyan", "magenta", "yellow", "black")
_COPIED_BYTES = 16 << 20
_COPIED = frozenset({TagRule.EQUAL, TagRule.KEPT, TagRule.NAMED})
_WORD_FOR_WORD = frozenset({tag_table.RPC, ifd.NODATA})
_SHAPE = frozenset({256, 257})
_BLACK_AND_WHITE = ((0, (0, 0, 0, 255)), (1, (255, 255, 255, 255)))
"""The colours that GDAL makes up for single bits."""
_ROLE = "colorinterp"
_INTERPRETATION = "COLORINTERP"


def has_pam(facts: Facts) -> bool:
    """Whether a `.aux.xml` lies beside the raster: what it says goes before what the head says."""
    return any(name.lower().endswith(".aux.xml") for name in facts.sidecars)


def palette_beside(source: ifd.Tiff, facts: Facts) -> bool:
    """Whether the colours come from beside the raster, so that the head says nothing of them."""
    made_up = all(band.bits == 1 and band.colours == _BLACK_AND_WHITE for band in facts.bands)
    beside = has_pam(facts) and ifd.COLOUR_MAP not in source.directories[0].entries
    return facts.palette and beside and not made_up


def copied(source: ifd.Tiff) -> tuple[dict[int, ifd.Entry], Mapping[int, ifd.Entries]]:
    """Entries of the first image that mean the same in any TIFF, and its Exif and GPS directories; low byte first."""
    first = source.directories[0]
    mine = {
        tag: ifd.turned(entry, source.order, "<")
        for tag, entry in first.entries.items()
        if (tag_table.rule(tag) in _COPIED or tag in _WORD_FOR_WORD)
        and tag not in _SHAPE
        and _movable(source, tag, entry)
    }
    below = {
        parent: {tag: ifd.turned(entry, source.order, "<") for tag, entry in entries.items()}
        for parent, entries in first.children.items()
        if ifd.INTEROPERABILITY not in entries
    }
    return mine, below


def _movable(source: ifd.Tiff, tag: int, entry: ifd.Entry) -> bool:
    """Whether the value alone says it all: no offset into the file, and not too long for a head."""
    of_ycbcr = (
        tag in tag_table.OF_YCBCR
        and source.number(source.directories[0], ifd.PHOTOMETRIC, 1) == head_comparison.YCBCR
    )
    pointer = tag in tag_table.POINTERS or entry.type in ifd.OFFSETS
    return not of_ycbcr and not pointer and len(entry.data) <= _COPIED_BYTES


def superfluous(source: ifd.Tiff) -> frozenset[int]:
    """Tags that GDAL makes up from a colour profile, and that the source does not have."""
    kept = {tag for tag, rule in tag_table.RULES.items() if rule is TagRule.KEPT}
    return frozenset(kept - set(source.directories[0].entries))


def samples(source: ifd.Tiff | None, facts: Facts, result: ifd.Tiff) -> Mapping[int, ifd.Entry | None]:
    """What every level of the result must say of its samples, where it says something else. None: nothing."""
    written = result.directories[0]
    if source is None:
        wanted = _of_facts(facts)
    else:
        image = source.directories[0]
        photometric = source.number(image, ifd.PHOTOMETRIC, 1)
        changed = source.number(image, ifd.SAMPLES, 1) != result.number(written, ifd.SAMPLES, 1)
        if changed or photometric == head_comparison.YCBCR or palette_beside(source, facts):
            return {}
        wanted = {tag: head_comparison.meaning(source, image, tag) for tag in _OF_SAMPLES}
        # As many as somebody named: of too few readers make what they like.
        if ifd.EXTRA_SAMPLES in image.entries:
            wanted[ifd.EXTRA_SAMPLES] = tuple(source.numbers(image, ifd.EXTRA_SAMPLES).tolist())
    put: dict[int, ifd.Entry | None] = {}
    for tag, value in wanted.items():
        entries = {t: entry for t, entry in (dict(written.entries) | put).items() if entry is not None}
        if not _says(result, replace(written, entries=entries), tag, value):
            put[tag] = result.entry(ifd.SHORT, value) if value else None
    return put


def _says(head: ifd.Tiff, image: ifd.Directory, tag: int, value: head_comparison.Value | None) -> bool:
    """Whether an image says this by a tag; which samples are extra it must say itself, for readers guess."""
    if tag == ifd.EXTRA_SAMPLES:
        return tuple(head.numbers(image, tag).tolist()) == value
    return head_comparison.meaning(head, image, tag) == value


def _of_facts(facts: Facts) -> dict[int, head_comparison.Value | None]:
    """What a raster that is no TIFF says of its samples: what its bands are called."""
    called = tuple(band.interpretation for band in facts.bands)
    if facts.palette:
        return {}
    photometric, colours = 1, 1
    if called[:3] == _RGB:
        photometric, colours = head_comparison.RGB, 3
    elif called[:4] == _INKS:
        photometric, colours = head_comparison.SEPARATED, 4
    extra = tuple(2 if name == "alpha" else 0 for name in called[colours:])
    return {ifd.PHOTOMETRIC: (photometric,), ifd.EXTRA_SAMPLES: extra}


def renamed(text: bytes, before: ifd.Tiff, after: ifd.Tiff) -> bytes:
    """GDAL's text with what the bands are called, where that does not follow from the head as it is now."""
    items = gdal_metadata.roles(text, _ROLE)
    was, now = _called(before), _called(after)
    wanted = {n: items.get(n, name) for n, name in enumerate(was)}
    more = [
        MetadataItem(_INTERPRETATION, name, band=n + 1, role=_ROLE)
        for n, name in wanted.items()
        if n >= len(now) or now[n] != name
    ]
    return gdal_metadata.with_items(gdal_metadata.without_role(text, _ROLE), more)


def _called(head: ifd.Tiff) -> Sequence[str]:
    """What GDAL calls the samples of an image by its head alone; none where the head leaves it to be guessed."""
    image = head.directories[0]
    photometric = head.number(image, ifd.PHOTOMETRIC, 1)
    many = head.number(image, ifd.SAMPLES, 1)
    names: Mapping[int, tuple[str, ...]] = {
        1: ("Gray",), 0: ("Gray",), head_comparison.PALETTE: ("Palette",),
        head_comparison.RGB: ("Red", "Green", "Blue"),
        head_comparison.SEPARATED: ("Cyan", "Magenta", "Yellow", "Black"),
    }  # fmt: skip
    extra = head_comparison.meaning(head, image, ifd.EXTRA_SAMPLES) or ()
    if len(head.numbers(image, ifd.EXTRA_SAMPLES)) not in (0, len(extra)):
        return ()
    colours = [*names.get(photometric, ()), *("Undefined",) * many][: many - len(extra)]
    return [*colours, *("Alpha" if kind in (1, 2) else "Undefined" for kind in extra)]
