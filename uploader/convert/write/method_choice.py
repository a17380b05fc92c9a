"""What is done with a raster, decided from its facts alone: method, kind, and the writer's options.

Pure. The rules that people will ask about are written here and in no other place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from uploader.convert.job import BandStatistics, Method
from uploader.convert.read.facts import ALL_VALID, ITEM_BYTES, NODATA, Facts
from uploader.convert.read.quality_bands import is_bit_mask, is_quality
from uploader.convert.read.statistics import MAX_CLASSES, PixelStatistics
from uploader.convert.read.statistics_tags import embedded, from_tags

OWN_DOMAINS = frozenset({"COLOR_PROFILE", "EXIF", "xml:XMP"})
"""Metadata domains that are tags of TIFF itself: a file that is sent as it is keeps them, and they name no other."""

_COLOURS = frozenset({"red", "green", "blue", "cyan", "magenta", "yellow", "black", "hue", "saturation"})
_SAMPLES_PER_CLASS = 32
_MEBIBYTE = 1 << 20
_BLOCK_SIZES = (512, 256, 128, 64)
_SIZES_TRIED = (512, 256, 1024, 128)
_TILE_BYTES = 16 * _MEBIBYTE
_INTERLEAVE_SINCE = (3, 11)
_MANY_BANDS = 5
"""Of so many bands a reader often wants a few; of fewer it shows them all."""

_PREDICTED = frozenset({"deflate", "zstd", "lzw"})
_UNPREDICTED = frozenset({"int64", "uint64"})
_HALF_AS_FLOAT = (16, "float32")
"""How GDAL before 3.11 shows half floats, for which it has a predictor; later ones have none for them."""
_LERC_TYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
"""The others, and samples of a few bits, come out of LERC changed, or not at all; they are deflated instead."""

JPEG_QUALITY = 90
"""Of overviews that are made for a JPEG."""

_LEVELS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "deflate": {"fast": (1, 6), "balanced": (6, 6), "small": (9, 9)},
    "zstd": {"fast": (3, 9), "balanced": (9, 9), "small": (18, 18)},
}
"""By effort, level for imagery and for classes: noise hardly shrinks with effort, areas of one colour do."""

_GROWTH: Mapping[str, float] = {
    "": 1.7,
    "LZW": 2.5,
    "DEFLATE": 2.5,
    "ZSTD": 3.0,
    "PACKBITS": 1.7,
    "LZMA": 4.0,
}
_LOSSY_GROWTH = 14.0


def is_categorical(facts: Facts, measured: PixelStatistics, choice: str, name: str = "") -> bool:
    """Whether the values are names of classes or sets of flags, not quantities.

    `yes` and `no` force it. Else it is: a palette or named categories; a bit mask or quality band by what it is
    called (`name` in its folder, or its bands); or a single data band of whole numbers (beside an alpha band) that is
    no colour, with 2 to 32 distinct values, or up to 64 sets of flags, each seen 32 times on average. One
    value alone proves nothing: an empty tile of an image has that too. The type proves nothing either: tools for
    rasterizing and map algebra write masks and zones as floats. When in doubt it is classes: of a few steps of a
    quantity the most frequent is a fair overview, but the mean of two classes is a third.
    """
    if choice != "auto":
        return choice == "yes"
    if facts.categories or facts.palette or is_quality(facts, name):
        return True
    data = [band for band in facts.bands if band.interpretation != "alpha"]
    if len(data) != 1 or data[0].interpretation in _COLOURS or measured.distinct is None:
        return False
    if measured.distinct <= 1 or measured.counted < _SAMPLES_PER_CLASS * measured.distinct:
        return False
    return measured.distinct <= MAX_CLASSES or is_bit_mask(measured.values or ())


def counts_classes(facts: Facts, choice: str) -> bool:
    """Whether the distinct values are worth counting at all."""
    data = [band for band in facts.bands if band.interpretation != "alpha"]
    return choice == "auto" and len(data) == 1 and "complex" not in data[0].dtype


def resampling(facts: Facts, *, categorical: bool) -> str:
    """How overviews are made: never a method that makes up classes, or that GDAL lacks for the type.

    Complex numbers have no mode, and the mode of 64-bit integers goes through float64; the nearest is exact.
    """
    dtypes = set(facts.dtypes)
    if any("complex" in dtype for dtype in dtypes):
        return "NEAREST" if categorical else "AVERAGE"
    if categorical or facts.palette or any(band.bits == 1 for band in facts.bands):
        return "NEAREST" if dtypes & {"int64", "uint64"} else "MODE"
    return "AVERAGE"


def predictor(facts: Facts, compression: str, *, categorical: bool) -> str:
    """YES lets GDAL choose 2 or 3 by the type; classes, and what GDAL has none for, get none.

    Of half floats as a type GDAL writes no differences of floats, but of whole numbers, which save an eighth.
    """
    plain = any(
        "complex" in band.dtype
        or band.dtype in _UNPREDICTED
        or (band.bits and (band.bits, band.dtype) != _HALF_AS_FLOAT)
        for band in facts.bands
    )
    if compression not in _PREDICTED or plain or categorical:
        return "NO"
    return "STANDARD" if "float16" in facts.dtypes else "YES"


def tiling(facts: Facts, gdal: tuple[int, int]) -> dict[str, str]:
    """Tiles of 512, unless one tile of so many bands would be a burden for whoever reads it.

    Then bands are kept apart where GDAL can (3.11 and later), else the tiles get smaller. Of five bands and more each
    tile is its own, beside those of the other bands, where GDAL can. Samples of a few bits stay together: GDAL 3.12
    unpacks them wrongly where it lays bands apart.
    """
    sample = sum(ITEM_BYTES[dtype] for dtype in facts.dtypes)
    size = block_size(facts.width, facts.height)
    able = gdal >= _INTERLEAVE_SINCE and not any(band.bits for band in facts.bands)
    if sample * size**2 <= _TILE_BYTES:
        apart = {"INTERLEAVE": "TILE"} if able and facts.count >= _MANY_BANDS else {}
        return {"BLOCKSIZE": str(size)} | apart
    if able:
        return {"BLOCKSIZE": str(size), "INTERLEAVE": "BAND"}
    fitting = (size for size in _BLOCK_SIZES if sample * size**2 <= _TILE_BYTES)
    return {"BLOCKSIZE": str(next(fitting, _BLOCK_SIZES[-1]))}


def block_size(width: int, height: int) -> int:
    """The size of tiles for a raster of this size: 512, but for the sake of validators.

    They take a level that is larger than 512 and exactly one tile wide for untiled: then the next size that
    never meets its own width on the way down is used; 512 after all if there is none.
    """
    return next((size for size in _SIZES_TRIED if not _looks_untiled(width, height, size)), _BLOCK_SIZES[0])


def _looks_untiled(width: int, height: int, size: int) -> bool:
    factor = 1
    while True:
        across, down = -(-width // factor), -(-height // factor)
        if across == size and max(across, down) > _BLOCK_SIZES[0]:
            return True
        if max(across, down) <= size:
            return False
        factor *= 2


def creation_options(
    facts: Facts,
    compression: str,
    *,
    categorical: bool,
    gdal: tuple[int, int],
    threads: int,
    effort: str = "fast",
) -> dict[str, str]:
    """Everything that the COG driver is told."""
    compression = _lossless(facts, compression)
    method = resampling(facts, categorical=categorical)
    options = tiling(facts, gdal) | {
        "COMPRESS": compression.upper(),
        "OVERVIEWS": "IGNORE_EXISTING",
        "RESAMPLING": method,
        "OVERVIEW_RESAMPLING": method,
        "BIGTIFF": "IF_SAFER",
        "ADD_ALPHA": "NO",
        "NUM_THREADS": str(threads),
    }
    if facts.driver != "GTiff" and any(band.bits == 1 and not band.colours for band in facts.bands):
        options["NBITS"] = "8"  # of single bits a TIFF makes black and white, a palette that was not there
    if compression in _PREDICTED:
        options["PREDICTOR"] = predictor(facts, compression, categorical=categorical)
    if compression in _LEVELS:
        options["LEVEL"] = str(_LEVELS[compression][effort][categorical])
    return options


def level_options(
    facts: Facts, compression: str, *, categorical: bool, effort: str = "fast"
) -> dict[str, str]:
    """How GDAL's GeoTIFF driver compresses levels that are made for a base whose tiles stay.

    Exactly, unless the base is a JPEG picture: exact levels would be several times as large as all of it. Where
    JPEG would blur what a sample means (nodata, alpha, classes), they are exact all the same.
    """
    base = facts.compression.upper()
    if "JPEG" in base and _picture(facts, categorical=categorical):
        photometric = {"PHOTOMETRIC": "YCBCR"} if "YCBCR" in base else {}
        return {"COMPRESS": "JPEG", "JPEG_QUALITY": str(JPEG_QUALITY)} | photometric
    if base == "WEBP":
        return {"COMPRESS": "WEBP", "WEBP_LOSSLESS": "YES"}
    compression = _lossless(facts, compression)
    options = {"COMPRESS": compression.upper()}
    chosen = predictor(facts, compression, categorical=categorical)
    if chosen != "NO" and not _beyond_predictors(facts):
        options["PREDICTOR"] = "3" if chosen == "YES" and "float" in facts.dtypes[0] else "2"
    if compression in _LEVELS:
        name = {"deflate": "ZLEVEL", "zstd": "ZSTD_LEVEL"}[compression]
        options[name] = str(_LEVELS[compression][effort][categorical])
    return options


def _picture(facts: Facts, *, categorical: bool) -> bool:
    """Whether the samples are light and nothing else: one band of grey, or three of colour."""
    exact = any(band.interpretation == "alpha" or band.nodata is not None for band in facts.bands)
    return facts.count in (1, 3) and not (categorical or facts.palette or exact)


def _beyond_predictors(facts: Facts) -> bool:
    return any(dtype.endswith("int64") for dtype in facts.dtypes)


def _lossless(facts: Facts, compression: str) -> str:
    packed = any(band.bits for band in facts.bands)
    if compression.startswith("lerc") and (packed or not _LERC_TYPES.issuperset(facts.dtypes)):
        return "deflate"
    return compression


def may_pass(facts: Facts) -> bool:
    """Whether a raster could be sent as it is, as far as its facts tell: nothing beside it, nothing strange in it."""
    foreign = set(facts.domains) - OWN_DOMAINS
    strange = foreign or any(band.domains for band in facts.bands) or facts.sidecars or facts.pages > 1
    said = facts.categories or facts.attribute_table or facts.declared
    return facts.driver == "GTiff" and not strange and not said


def statistics_exact(facts: Facts, measured: PixelStatistics) -> bool:
    """Whether every band carries its statistics, and they are true."""
    pairs = zip(facts.bands, measured.bands, strict=True)
    return all(embedded(dict(band.tags), statistics) for band, statistics in pairs)


def statistics_claimed(facts: Facts) -> bool:
    """Whether every band carries statistics at all."""
    wanted = {"STATISTICS_MINIMUM", "STATISTICS_MAXIMUM", "STATISTICS_MEAN", "STATISTICS_STDDEV"}
    return all(wanted <= {key for key, _ in band.tags} for band in facts.bands)


def statistics_told(facts: Facts) -> tuple[BandStatistics, ...] | None:
    """The statistics that every band carries; None where one lacks them, or they are an estimate."""
    told = tuple(from_tags(dict(band.tags)) for band in facts.bands)
    return None if None in told else tuple(each for each in told if each is not None)


def method(*, passable: bool, exact: bool, valid_cog: bool, shown: bool) -> Method:
    """The decision table; `shown`: its overviews show it. That tiles can be moved (`rewrite`) is found in the head."""
    return "passthrough" if passable and exact and valid_cog and shown else "cog_driver"


_ROUNDED = frozenset({"int8", "int16", "uint32", "int32", "int64", "uint64"})
"""Whole numbers of which GDAL has means as floats, before they are rounded."""


def own_levels(facts: Facts, *, categorical: bool) -> bool:
    """Whether GDAL's overviews would not do.

    It averages colours without regard to their alpha, and complex numbers without regard to which are valid; it rounds
    the mean of most whole numbers after it has seen to it that a mean is not the nodata value; where all is nodata, its
    mode is zero, and where a mask ends within a pixel, its mode may miss what is valid.
    """
    if len(set(facts.dtypes)) != 1 or facts.dtypes[0] == "float16":
        return False
    if any(band.bits and not band.dtype.startswith("uint") for band in facts.bands):
        return False  # half floats
    method = resampling(facts, categorical=categorical)
    if facts.dtypes[0].startswith("complex"):
        return method == "AVERAGE" and any(not band.mask & ALL_VALID for band in facts.bands)
    alpha = facts.count > 1 and any(band.interpretation == "alpha" for band in facts.bands)
    nodata = any(band.nodata not in (None, 0) for band in facts.bands)
    masked = any(not band.mask & (ALL_VALID | NODATA) for band in facts.bands)
    rounded = facts.dtypes[0] in _ROUNDED and any(band.nodata is not None for band in facts.bands)
    return (method == "AVERAGE" and (alpha or rounded)) or (method == "MODE" and (nodata or masked))


def disk_needed(facts: Facts, compression: str) -> int:
    """Bytes of disk for the result and its temporary overviews, at most as far as one can tell."""
    most = int(1.7 * facts.raw_bytes) + _MEBIBYTE
    if compression == "none":
        return most
    return min(
        most, int(_GROWTH.get(facts.compression.upper(), _LOSSY_GROWTH) * facts.file_bytes) + _MEBIBYTE
    )


def codes(names: Iterable[str]) -> str:
    """A few names as people write them."""
    known = sorted(names)
    return ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")  # noqa: PLR2004 - a few
