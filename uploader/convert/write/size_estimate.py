"""How large a COG will be, by the head of its source: measured ratios. Pure; nothing but a forecast leans on it.

Measured on the rasters of `benchmarks/rasters.py` (photographs, reflectances, heights, classes), written in each of
these ways and converted. Real ones lie up to a half on either side, those from JPEG further.
"""

from __future__ import annotations

from collections.abc import Mapping

from uploader.convert.job import Method
from uploader.convert.read.facts import Facts

_EFFORTS: Mapping[str, float] = {"fast": 1.0, "balanced": 0.97, "small": 0.94}
"""What `convert.level` changes for images; heights and classes gain more."""

_GROWTH: Mapping[str, float] = {
    "DEFLATE": 1.34,
    "LZW": 0.9,
    "ZSTD": 1.05,
    "LZMA": 1.4,
    "LERC": 1.3,
    "PACKBITS": 0.8,
}
"""By lossless compression of the source: what each of its bytes becomes, with overviews."""

_LOSSY: Mapping[str, tuple[float, float]] = {
    "JPEG": (12.0, 0.6),
    "YCBCR JPEG": (12.0, 0.6),
    "WEBP": (12.0, 0.6),
    "JXL": (8.0, 0.8),
    "JPEG2000": (7.5, 0.8),
}
"""By compression that loses: what each byte becomes, and at most each byte of the pixels. One without loss is below."""

_PLAIN: Mapping[str, float] = {"classes": 0.19, "float": 0.63, "int": 0.83}
"""Of a source that is not compressed: what each byte of the pixels becomes."""

_LEVELS = 4 / 3
"""What overviews add: a quarter, and a quarter of that, and so on."""


def estimated(facts: Facts, method: Method, effort: str, compression: str, *, whole: bool) -> int:
    """Bytes of the result, give or take; exact where the file is sent as it is.

    `whole`: where tiles are moved, those of its overviews are, too.
    """
    if method == "passthrough":
        return facts.file_bytes
    if method == "rewrite":
        return facts.file_bytes if whole else int(facts.file_bytes * _LEVELS)
    if compression == "none":
        return int(facts.raw_bytes * _LEVELS)
    return int(_compressed(facts) * _EFFORTS[effort])


def source_compression(facts: Facts) -> str:
    """How the source is compressed, as GDAL calls it; of other formats than TIFF by the format. Empty: it is not."""
    if facts.driver.startswith("JP2"):
        return "JPEG2000"
    return facts.compression or ("JPEG" if facts.driver == "JPEG" else "")


def _compressed(facts: Facts) -> float:
    told = source_compression(facts).upper()
    if told in _LOSSY:
        growth, most = _LOSSY[told]
        return min(growth * facts.file_bytes, most * facts.raw_bytes)
    if told in _GROWTH:
        return _GROWTH[told] * facts.file_bytes
    kind = "classes" if facts.palette else "float" if "float" in facts.dtypes[0] else "int"
    return _PLAIN[kind] * facts.raw_bytes
