"""Whether the COG is the source: every pixel, also under the mask, and every fact.

A difference is either `broken` (the raster is refused: nothing may be changed) or `lost` (GeoTIFF cannot carry it:
it is named). The facts are compared by pure functions; the pixels are read in pieces of both files.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.errors import RasterioError

from uploader.convert.cog import XMP, packet_of
from uploader.convert.facts import ALL_VALID, ALPHA, NODATA, PER_DATASET, BandFacts, Facts
from uploader.convert.job import RasterWarning
from uploader.convert.opening import Dataset
from uploader.convert.plan import OWN_DOMAINS, codes
from uploader.convert.statistics import STATISTICS_KEYS
from uploader.convert.windows import Piece, pieces, sampled

_RELATIVE = 1e-12
_DERIVED = NODATA | ALPHA | ALL_VALID

_DOMAIN_CODES = {
    "IMD": "imd_lost",
    "IMAGERY": "imd_lost",  # GDAL's digest of the same
    "COLOR_PROFILE": "icc_lost",
    "xml:XMP": "xmp_lost",
    "EXIF": "exif_lost",
}
_EMPTY_TAGS = frozenset({"AREA_OR_POINT"})
"""Items that GDAL shows where the file says nothing: their default is no fact."""

_WRITER_TAGS = STATISTICS_KEYS | {"OVR_RESAMPLING_ALG"}


@dataclass(frozen=True, slots=True)
class Differences:
    """`broken` are sentences; `lost` are warnings."""

    broken: tuple[str, ...]
    lost: tuple[RasterWarning, ...]


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
    if not _same_crs(source.crs, result.crs) and not _named_crs(source.crs, result.crs, beside):
        yield "the coordinate reference system"
    if not _near(source.transform or (), result.transform or ()):
        yield "the geotransform"
    if len(source.gcps) != len(result.gcps) or not all(map(_near, source.gcps, result.gcps)):
        yield "the ground control points"
    if source.gcps and not _same_crs(source.gcp_crs, result.gcp_crs) and "GCPList" not in beside:
        yield "the coordinate reference system of the ground control points"
    if not _same_rpcs(dict(source.rpcs), dict(result.rpcs)):
        yield "the rational polynomial coefficients"


def _broken_bands(source: Facts, result: Facts) -> Iterator[str]:
    for before, after in zip(source.bands, result.bands, strict=False):
        for name, same in _band_checks(before, after):
            if not same:
                yield f"the {name} of band {before.index}"


def _band_checks(before: BandFacts, after: BandFacts) -> Iterable[tuple[str, bool]]:
    return (
        ("nodata value", _same_number(before.nodata, after.nodata)),
        ("colour table", before.colours == after.colours or _nodata_transparent(before) == after.colours),
        ("colour interpretation", _same_colour(before, after)),
        ("description", before.description == after.description),
        ("unit", before.unit == after.unit),
        ("scale", _same_number(before.scale, after.scale)),
        ("offset", _same_number(before.offset, after.offset)),
        ("kind of mask", before.mask == after.mask or (before.mask, after.mask) == (0, PER_DATASET)),
    )


def _nodata_transparent(band: BandFacts) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The colour table as GDAL reads it from TIFF, which holds no alpha: opaque, but for the nodata value."""
    return tuple((value, (*rgba[:3], 0 if value == band.nodata else rgba[3])) for value, rgba in band.colours)


def _same_colour(before: BandFacts, after: BandFacts) -> bool:
    """What is undefined may be called gray: TIFF must say something of its first band."""
    return before.interpretation == after.interpretation or (
        before.interpretation == "undefined" and after.interpretation == "gray"
    )


def _lost(source: Facts, result: Facts, beside: frozenset[str]) -> Iterator[RasterWarning]:
    if source.pages > 1:
        yield RasterWarning("extra_pages", f"It has {source.pages} pages; only the first was converted.")
    if not _same_crs(source.crs, result.crs) and _named_crs(source.crs, result.crs, beside):
        yield RasterWarning(
            "crs_not_expressible", "Its coordinate reference system has no exact form in GeoTIFF's keys."
        )
    if source.prj_unreadable:
        yield RasterWarning(
            "prj_unreadable", "The .prj beside it holds no reference system that can be read."
        )
    if any(name.lower().endswith(".aux") for name in source.sidecars):
        yield RasterWarning(
            "aux_unread",
            "The ERDAS .aux beside it is not read: a nodata value, names or a reference system that only it holds are "
            "not in the result.",
        )
    if source.categories or "CategoryNames" in beside:
        yield RasterWarning("category_names_lost", "The names of its categories have no place in GeoTIFF.")
    if source.attribute_table or "GDALRasterAttributeTable" in beside:
        yield RasterWarning("attribute_table_lost", "Its raster attribute table has no place in GeoTIFF.")
    if any(
        before.colours != after.colours for before, after in zip(source.bands, result.bands, strict=False)
    ):
        yield RasterWarning("nodata_colour", "The colour of its nodata value is transparent in the result.")
    yield from _lost_domains(source, result)
    yield from _lost_tags(source, result)


def _lost_domains(source: Facts, result: Facts) -> Iterator[RasterWarning]:
    gone = {name for name, tags in source.domains.items() if result.domains.get(name) != tags}
    gone = {name for name in gone if not (name in OWN_DOMAINS and _carried(name, source, result))}
    for before, after in zip(source.bands, result.bands, strict=False):
        gone |= set(before.domains) - set(after.domains)
    for code in sorted({_DOMAIN_CODES.get(name, "domain_lost") for name in gone}):
        names = {name for name in gone if _DOMAIN_CODES.get(name, "domain_lost") == code}
        yield RasterWarning(code, f"Its metadata ({codes(names)}) has no place in GeoTIFF.")


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


def compare_pixels(source: Dataset, result: Dataset, facts: Facts, *, sample: bool) -> str:
    """The first difference of pixels or mask, in words; empty when there is none.

    Every bit counts, so NaN equals NaN and -0.0 is not 0.0. With `sample` some pieces stand for all.
    """
    everything = list(pieces(facts))
    for piece in sampled(everything) if sample else everything:
        where = f"near column {piece.column}, row {piece.row}"
        before = source.read(list(piece.bands), window=piece.place)
        after = result.read(list(piece.bands), window=piece.place)
        if not _same_bits(before, after):
            return f"pixels {where}"
        if not _same_masks(source, result, facts, piece):
            return f"the mask {where}"
    return ""


def _same_masks(source: Dataset, result: Dataset, facts: Facts, piece: Piece) -> bool:
    """Masks made of nodata or alpha follow from the pixels; the others are data of their own."""
    own = [index for index in piece.bands if not facts.bands[index - 1].mask & _DERIVED]
    if own and all(facts.bands[index - 1].mask & PER_DATASET for index in own):
        own = own[:1] if piece.bands[0] == 1 else []
    return all(np.array_equal(_valid(source, index, piece), _valid(result, index, piece)) for index in own)


def _valid(dataset: Dataset, index: int, piece: Piece) -> Any:
    """Masks of bits are read as 0 and 1 or as 0 and 255, depending on who holds them: zero or not is what counts."""
    return dataset.read_masks(index, window=piece.place) != 0


def _same_bits(before: Any, after: Any) -> bool:
    if before.dtype != after.dtype or before.shape != after.shape:
        return False
    left, right = np.ascontiguousarray(before), np.ascontiguousarray(after)
    return bool(np.array_equal(left.reshape(-1).view(np.uint8), right.reshape(-1).view(np.uint8)))


def _same_crs(before: str, after: str) -> bool:
    if before == after:
        return True
    if not before or not after:
        return False
    try:
        return bool(CRS.from_wkt(before) == CRS.from_wkt(after))
    except (RasterioError, ValueError):
        return False


def _named_crs(before: str, after: str, beside: frozenset[str]) -> bool:
    """Whether a difference is GeoTIFF's own doing, so that naming it is enough.

    Either GDAL had to put the whole of it into a file beside the result; or both name the same registered system,
    and differ only in how its definition was spelled in the source.
    """
    if "SRS" in beside:
        return True
    named = [_registered(text) for text in (before, after)]
    return named[0] is not None and named[0] == named[1]


def _registered(text: str) -> tuple[str, str] | None:
    """The code and the projection formula of a system that says it is in a register."""
    if not text:
        return None
    try:
        system = CRS.from_wkt(text)
        code = re.search(r'(?:AUTHORITY|ID)\["EPSG",\s*"?(\d+)"?\]\]$', system.to_wkt())
        return (code.group(1), system.to_proj4()) if code else None
    except (RasterioError, ValueError, AttributeError):
        return None


def _same_rpcs(before: dict[str, str], after: dict[str, str]) -> bool:
    """Coefficients are numbers with digits to spare; the two error terms are optional and may appear as -1 or 0."""
    keys = {key for key in before if key not in ("ERR_BIAS", "ERR_RAND")}
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


def _same_number(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return before == after or (math.isnan(before) and math.isnan(after))
