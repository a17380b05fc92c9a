"""Whether the facts of the COG are those of the source; of its pixels `pixel_comparison` tells.

A difference is either `broken` (the raster is refused: nothing may be changed) or `lost` (GeoTIFF cannot carry it:
it is named). Pure.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator

import numpy as np

from uploader.convert.job import RasterWarning
from uploader.convert.read import product_metadata, rpc
from uploader.convert.read.facts import PER_DATASET, BandFacts, Facts
from uploader.convert.read.reference_systems import height_unit, named_alike, same
from uploader.convert.read.statistics_tags import STATISTICS_KEYS
from uploader.convert.tiff import ifd
from uploader.convert.write import head_comparison
from uploader.convert.write.cog_driver import XMP, packet_of
from uploader.convert.write.differences import Differences
from uploader.convert.write.method_choice import OWN_DOMAINS, codes
from uploader.convert.write.unread_metadata import unread

_RELATIVE = 1e-12
_ONE_TILE = 512
_FLOAT32_MAX = float(np.finfo(np.float32).max)

_DOMAIN_CODES = {
    "IMD": "imd_lost",
    "IMAGERY": "imd_lost",  # GDAL's digest of the same
    "COLOR_PROFILE": "icc_lost",
    "xml:XMP": "xmp_lost",
    "EXIF": "exif_lost",
}
_EMPTY_TAGS = frozenset({"AREA_OR_POINT"})
"""Items that GDAL shows where the file says nothing: their default is no fact."""

WAY_OUT = "Change what is named, for example with gdal_edit or gdal_translate."
"""What helps with a raster of which something other than the pixels cannot be kept exact."""

PIXELS_WAY_OUT = (
    "Write its pixels anew, for example with `gdal_translate -co COMPRESS=DEFLATE`, and drop the new file."
)
"""What helps with one of which the pixels or the mask are read otherwise than before."""

_TEXTS = frozenset({"description", "unit"})
_BLACK = (0, 0, 0, 255)
_WRITER_TAGS = STATISTICS_KEYS | {"OVR_RESAMPLING_ALG"}


Colours = tuple[tuple[int, tuple[int, ...]], ...]
"""Value and colour of each entry, by value."""


def unkeepable(source: Facts, head: ifd.Tiff | None) -> tuple[str, str]:
    """What no COG could hold, and the way out, before anything is written; empty when there is nothing.

    `head` is that of a TIFF.
    """
    space = head_comparison.decoded(head, [band.interpretation for band in source.bands]) if head else ""
    if space:
        return (
            f"Its samples are {space} colours, and GDAL reads red, green and blue: they cannot be kept as they are.",
            "Convert it to RGB first, for example with tiff2rgba.",
        )
    values = [band.nodata for band in source.bands]
    if any(not _same_number(values[0], value) for value in values[1:]):
        shown = codes(dict.fromkeys("none" if value is None else f"{value:g}" for value in values))
        return (
            f"Its bands have different nodata values ({shown}), and a GeoTIFF has one for all.",
            "Give all bands one nodata value, or write each band into a file of its own.",
        )
    if "float16" in source.dtypes[1:] and max(source.width, source.height) > _ONE_TILE:
        return (
            "It has several bands of half floats, of which GDAL makes no overviews.",
            "Write it as float32, or each band into a file of its own.",
        )
    return "", ""


def compare_facts(source: Facts, result: Facts, beside: frozenset[str]) -> Differences:
    """All differences but those of pixels. `beside` is what GDAL put into a file of its own next to the result."""
    broken = [
        *_broken_shape(source, result),
        *_broken_place(source, result, beside),
        *_broken_bands(source, result),
    ]
    return Differences(tuple(broken), tuple(_lost(source, result, beside)))


def _broken_shape(source: Facts, result: Facts) -> Iterator[str]:
    if (source.width, source.height) != (result.width, result.height):
        yield f"the size, {source.width} x {source.height}, became {result.width} x {result.height}"
    if source.dtypes != result.dtypes:
        yield f"the bands, {codes(set(source.dtypes))}, became {codes(set(result.dtypes))}"


def _broken_place(source: Facts, result: Facts, beside: frozenset[str]) -> Iterator[str]:
    if not same(source.crs, result.crs) and not named_alike(source.crs, result.crs, beside):
        yield "the coordinate reference system"
    if not _near(source.transform or (), result.transform or ()):
        yield "the geotransform"
    if len(source.gcps) != len(result.gcps) or not all(map(_near, source.gcps, result.gcps)):
        yield "the ground control points"
    if source.gcps and not same(source.gcp_crs, result.gcp_crs) and "GCPList" not in beside:
        yield "the coordinate reference system of the ground control points"
    if not _same_rpcs(dict(source.rpcs), dict(result.rpcs)):
        yield "the rational polynomial coefficients"


def _broken_bands(source: Facts, result: Facts) -> Iterator[str]:
    heights = height_unit(result.crs)
    for before, after in zip(source.bands, result.bands, strict=False):
        for name, kept in _band_checks(before, after, heights):
            if not kept and not (source.texts_lost and name in _TEXTS):
                yield f"the {name} of band {before.index}"


def _band_checks(before: BandFacts, after: BandFacts, heights: str) -> Iterable[tuple[str, bool]]:
    """`heights` is the unit of the vertical system, which GDAL reads for each band of a TIFF that has none."""
    return (
        ("nodata value", _same_number(_held(before), _held(after))),
        ("colour table", _opaque(_filled(before, after)) == _opaque(after.colours)),
        ("colour interpretation", _same_colour(before, after)),
        ("description", before.description == after.description),
        ("unit", after.unit in (before.unit, before.unit or heights)),
        ("scale", _same_number(before.scale, after.scale)),
        ("offset", _same_number(before.offset, after.offset)),
        ("kind of mask", before.mask == after.mask or (before.mask, after.mask) == (0, PER_DATASET)),
    )


def _opaque(colours: Colours) -> list[tuple[int, tuple[int, ...]]]:
    """The colours alone: TIFF has no place for how transparent each of them is, so that is named."""
    return [(value, rgba[:3]) for value, rgba in colours]


def _filled(before: BandFacts, after: BandFacts) -> Colours:
    """The colour table as TIFF holds it, which has an entry for each possible value: what is not given is black."""
    known = {value for value, _ in before.colours}
    return tuple(
        sorted((*before.colours, *((v, _BLACK) for v, _ in after.colours if known and v not in known)))
    )


def _nodata_transparent(before: BandFacts, after: BandFacts) -> Colours:
    """The colour table as GDAL reads it from TIFF, which holds no alpha: opaque, but for the nodata value."""
    table = _filled(before, after)
    return tuple((value, (*rgba[:3], 0 if value == before.nodata else rgba[3])) for value, rgba in table)


def _same_colour(before: BandFacts, after: BandFacts) -> bool:
    """What is undefined may be called gray, or what its colour table says: TIFF must say something of a first band."""
    allowed = {before.interpretation}
    if before.interpretation == "undefined":
        allowed |= {"gray", "palette"} if before.colours else {"gray"}
    return after.interpretation in allowed


def _lost(source: Facts, result: Facts, beside: frozenset[str]) -> Iterator[RasterWarning]:
    if source.pages > 1:
        yield RasterWarning("extra_pages", f"It has {source.pages} pages; only the first was converted.")
    if not same(source.crs, result.crs) and named_alike(source.crs, result.crs, beside):
        yield RasterWarning(
            "crs_not_expressible", "Its coordinate reference system has no exact form in GeoTIFF's keys."
        )
    yield from unread(source)
    yield from product_metadata.warnings(source)
    if source.categories or "CategoryNames" in beside:
        yield RasterWarning("category_names_lost", "The names of its categories have no place in GeoTIFF.")
    if source.attribute_table or "GDALRasterAttributeTable" in beside:
        yield RasterWarning("attribute_table_lost", "Its raster attribute table has no place in GeoTIFF.")
    yield from _lost_colours(source, result)
    yield from _lost_domains(source, result)
    yield from _lost_tags(source, result)


def _lost_colours(source: Facts, result: Facts) -> Iterator[RasterWarning]:
    pairs = list(zip(source.bands, result.bands, strict=False))
    changed = [(before, after) for before, after in pairs if _filled(before, after) != after.colours]
    if any(_nodata_transparent(before, after) == after.colours for before, after in changed):
        yield RasterWarning("nodata_colour", "The colour of its nodata value is transparent in the result.")
    if any(_nodata_transparent(before, after) != after.colours for before, after in changed):
        yield RasterWarning(
            "colour_alpha_lost", "How transparent the colours of its palette are has no place in GeoTIFF."
        )


def _lost_domains(source: Facts, result: Facts) -> Iterator[RasterWarning]:
    gone = {name for name, tags in source.domains.items() if result.domains.get(name) != tags}
    gone = {name for name in gone if not (name in OWN_DOMAINS and _carried(name, source, result))}
    for before, after in zip(source.bands, result.bands, strict=False):
        gone |= {name for name, tags in before.domains.items() if after.domains.get(name) != tags}
    for code in sorted({_DOMAIN_CODES.get(name, "domain_lost") for name in gone}):
        names = {name for name in gone if _DOMAIN_CODES.get(name, "domain_lost") == code}
        yield RasterWarning(
            code, f"Its metadata in the domain {codes(names)} is not in the result as it was."
        )


def _carried(name: str, source: Facts, result: Facts) -> bool:
    """Whether the part that matters survived: the profile itself, the packet whatever its white space."""
    before, after = source.domains[name], result.domains.get(name, {})
    if name == XMP:
        packets = packet_of(source), packet_of(result)
        return all(packets) and _canonical(packets[0]) == _canonical(packets[1])
    return name == "COLOR_PROFILE" and before.get("SOURCE_ICC_PROFILE") == after.get("SOURCE_ICC_PROFILE")


def _canonical(packet: str) -> str:
    return ET.canonicalize(packet, strip_text=True)


def _lost_tags(source: Facts, result: Facts) -> Iterator[RasterWarning]:
    gone = _changed(source.tags, result.tags)
    for before, after in zip(source.bands, result.bands, strict=False):
        gone |= _changed(before.tags, after.tags)
    if gone:
        yield RasterWarning(
            "tag_lost", f"The metadata items {codes(gone)} are not in the result as they were."
        )


def _changed(before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]) -> set[str]:
    kept = dict(after)
    gone = {key for key, value in before if value and kept.get(key) != value and key not in _WRITER_TAGS}
    return {key for key in gone if not (key in _EMPTY_TAGS and key not in kept)}


def _same_rpcs(before: dict[str, str], after: dict[str, str]) -> bool:
    """Coefficients are numbers with digits to spare; the two error terms are optional and may appear as -1 or 0."""
    keys = {key for key in before if key not in rpc.ERRORS}
    if bool(before) != bool(after):
        return False
    return all(_near(_numbers(before[key]), _numbers(after.get(key, ""))) for key in keys)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split())
    except ValueError:
        return ()


def _near(before: tuple[float, ...], after: tuple[float, ...]) -> bool:
    return len(before) == len(after) and all(
        math.isclose(x, y, rel_tol=_RELATIVE, abs_tol=_RELATIVE) for x, y in zip(before, after, strict=True)
    )


def _held(band: BandFacts) -> float | None:
    """The nodata value as the type holds it: of float32 GDAL reads 0.1 with the digits of either type."""
    narrow = band.dtype == "float32" and band.nodata is not None and abs(band.nodata) <= _FLOAT32_MAX
    return float(np.float32(band.nodata)) if narrow else band.nodata


def _same_number(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return before == after or (math.isnan(before) and math.isnan(after))
