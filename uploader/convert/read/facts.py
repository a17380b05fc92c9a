"""What a raster says of itself, apart from its pixels; and whether that is within the limits.

Pure: `examine` fills it in, `plan` and `fidelity` judge by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from uploader.core.product_files import Unread

ALL_VALID, PER_DATASET, ALPHA, NODATA = 1, 2, 4, 8
"""GDAL's mask flags (GMF_*)."""

ITEM_BYTES = {
    "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "uint64": 8, "int64": 8,
    "float16": 2, "float32": 4, "float64": 8, "complex_int16": 4, "complex64": 8, "complex128": 16,
}  # fmt: skip
"""Bytes of one sample, by rasterio's names of the types we take."""

_BLOCK_SHARE = 8
_BOMB_BYTES = 16 << 30
_BOMB_RATIO = 100_000

GCP = tuple[float, float, float, float, float]
"""Row, column, x, y, z of one ground control point."""


@dataclass(frozen=True, slots=True)
class BandFacts:
    """One band: `index` counts from 1; `block` is (rows, columns); `mask` are GDAL's flags."""

    index: int
    dtype: str
    block: tuple[int, int]
    interpretation: str
    mask: int
    nodata: float | None = None
    description: str = ""
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    colours: tuple[tuple[int, tuple[int, ...]], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    domains: dict[str, dict[str, str]] = field(default_factory=dict)
    bits: int = 0
    """NBITS where it is less than the type's own; else 0."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One raster. `file_bytes` is the size of its main file; `transform` are GDAL's six numbers or None.

    `crs` is WKT, from the raster itself or else from a `.prj` beside it.
    """

    driver: str
    width: int
    height: int
    file_bytes: int
    bands: tuple[BandFacts, ...]
    pixel_interleaved: bool = False
    white_is_zero: bool = False
    """The least value is white (of scans and fax); GDAL makes up a colour table that says so."""
    compression: str = ""
    crs: str = ""
    transform: tuple[float, ...] | None = None
    gcps: tuple[GCP, ...] = ()
    gcp_crs: str = ""
    rpcs: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    domains: dict[str, dict[str, str]] = field(default_factory=dict)
    pages: int = 1
    overviews: tuple[int, ...] = ()
    sidecars: tuple[str, ...] = ()
    unread: Unread = field(default_factory=Unread)
    """Sidecars of a product that are not in this view of it."""
    categories: bool = False
    """Some band has names for its values."""
    attribute_table: bool = False
    prj_unreadable: bool = False
    """It has no reference system of its own, and the `.prj` beside it makes no sense."""
    indexed: bool = False
    """The head of a TIFF says that its values are indexes of colours, whether or not these can be read."""
    texts_lost: bool = False
    """Names or units of its bands are not UTF-8, and could not be had."""
    rpcs_unread: tuple[tuple[str, str], ...] = ()
    """Items about rational polynomials that are no part of usable ones."""
    declared: dict[str, str] = field(default_factory=dict)
    """What its folder said for it, `crs` and `nodata`, because it did not say it itself."""
    sidecars_unread: tuple[str, ...] = ()
    """What the names of sidecars in which nothing can be read add to the raster's stem."""

    @property
    def palette(self) -> bool:
        """Whether some band's values are indexes of colours."""
        return self.indexed or (not self.white_is_zero and any(band.colours for band in self.bands))

    @property
    def count(self) -> int:
        """Number of bands."""
        return len(self.bands)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """One type per band."""
        return tuple(band.dtype for band in self.bands)

    @property
    def samples(self) -> int:
        """Values of all its bands together."""
        return self.pixels * len(self.bands)

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def raw_bytes(self) -> int:
        """All samples of all bands, uncompressed."""
        return sum(self.pixels * ITEM_BYTES.get(band.dtype, 16) for band in self.bands)

    @property
    def block_bytes(self) -> int:
        """The most that must be decoded to see one sample."""
        bands = self.bands if self.pixel_interleaved else self.bands[:1]
        return sum(math.prod(band.block) * ITEM_BYTES.get(band.dtype, 16) for band in bands)

    def summary(self) -> dict[str, Any]:
        """A few facts for people."""
        return {
            "format": self.driver,
            "width": self.width,
            "height": self.height,
            "bands": self.count,
            "dtype": self.bands[0].dtype if self.bands else "",
            "crs": title(self.crs),
            **({"transform": list(affine(self.transform))} if self.transform else {}),
            "compression": self.compression,
            "raw_bytes": self.raw_bytes,
            "sidecars": len(self.sidecars),
        }


def affine(numbers: Sequence[float]) -> tuple[float, ...]:
    """GDAL's six numbers in the order of an affine matrix, row by row, as STAC tells them."""
    x, across, skew, y, turn, down = numbers
    return across, skew, x, turn, down, y


def title(crs: str) -> str:
    """A reference system as people call it: its name, and its code where it is in a register."""
    name = re.match(r'\w+\["([^"]{1,120})', crs)
    code = re.search(r'(?:AUTHORITY|ID)\["(\w+)",\s*"?(\w+)"?\]\]$', crs)
    named = name.group(1) if name else ""
    return f"{named} ({code.group(1)}:{code.group(2)})" if code else named


@dataclass(frozen=True, slots=True)
class RasterLimits:
    """What a declared raster may amount to; memory in bytes."""

    max_pixels: int
    max_bands: int
    memory_limit: int


RAISE = "Raise the limit, or write the raster in pieces or with smaller blocks."
"""The way out for what `beyond` says of a limit; what else it says has none."""


def beyond(facts: Facts, bounds: RasterLimits) -> str:
    """Why a raster is not even tried, in one sentence; empty when it is within the limits.

    A limit is named by its key.
    """
    if facts.count == 0:
        return "It holds no raster bands."
    if facts.pixels == 0:
        return "It holds no pixels."
    if facts.pixels > bounds.max_pixels:
        return f"It declares {facts.width} x {facts.height} pixels; limits.max_pixels is {bounds.max_pixels}."
    if facts.count > bounds.max_bands:
        return f"It declares {facts.count} bands; limits.max_bands is {bounds.max_bands}."
    unknown = next((dtype for dtype in facts.dtypes if dtype not in ITEM_BYTES), None)
    if unknown is not None:
        return f"Its samples are of the type {unknown}, which is not taken."
    if facts.block_bytes > bounds.memory_limit // _BLOCK_SHARE:
        return (
            f"One of its strips or tiles holds {facts.block_bytes} bytes; with convert.memory_limit at "
            f"{bounds.memory_limit} at most {bounds.memory_limit // _BLOCK_SHARE} can be taken."
        )
    if facts.raw_bytes > _BOMB_BYTES and facts.raw_bytes > _BOMB_RATIO * facts.file_bytes:
        return f"It declares {facts.raw_bytes} bytes of pixels in a file of {facts.file_bytes}."
    return ""
