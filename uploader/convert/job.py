"""What one conversion is asked and what it answers; both cross a pipe as one line of JSON.

Nothing here touches a file or a library: parent and child share these nouns and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from uploader.convert.quicklook import Quicklook

Method = Literal["passthrough", "rewrite", "encode", "cog_driver"]
METHODS: tuple[Method, ...] = ("passthrough", "rewrite", "encode", "cog_driver")

COMPRESSIONS = frozenset({"deflate", "zstd", "lzw", "lzma", "lerc", "lerc_deflate", "lerc_zstd", "none"})
"""What `Job.compression` may be: lossless methods of GDAL's COG driver."""

ON_MISSING_CRS = ("warn", "reject")
EFFORTS = ("fast", "balanced", "small")
"""What `Job.effort` may be: how much time is given for a smaller file."""

VERIFICATIONS = ("full", "sample", "off")
CATEGORICAL = ("auto", "yes", "no")

_GIB = 1 << 30
_LONGEST_FACT = 300
_NUMBERS_OF_A_TRANSFORM = 6
_MOST = 1 << 63


@dataclass(frozen=True, slots=True)
class Job:
    """One conversion: from a raster in its private working folder to a COG.

    `source` lies in a folder that holds nothing but the raster and its renamed sidecars. At `target` the COG
    appears whole or not at all. Sizes in bytes, `timeout_seconds` of wall clock.
    """

    source: Path
    target: Path
    categorical: str = "auto"
    compression: str = "deflate"
    effort: str = "fast"
    strict: bool = False
    crs: str = ""
    """Declared for a raster without a reference system: a code, WKT or a PROJ string; empty: nothing is."""
    nodata: str = ""
    """Declared for a raster without nodata value, mask and alpha: a number; empty: nothing is."""
    on_missing_crs: str = "warn"
    verify: str = "full"
    max_pixels: int = 400_000_000_000
    max_bands: int = 4096
    min_free_bytes: int = 2 * _GIB
    memory_limit: int = 4 * _GIB
    timeout_seconds: float = 3600.0
    name: str = ""
    """What the raster is called in its folder: it may say that it is a quality band."""
    preview: int = 0
    """Pixels on the longer side of a picture of both, which appears beside the target; 0: none is drawn."""
    quicklook: bool = False
    """The child also tells where the raster lies and how it looks."""
    linked: bool = False
    """`source` is a link of ours to where the raster lies, to which others may write; its sidecars are copies."""
    alone: bool = False
    """A worker elsewhere converts nothing else beside it; on this machine whoever asks for it sees to that."""

    def __post_init__(self) -> None:
        """Refuse words that are not in the tables above, before a child is bothered with them."""
        words = (
            ("categorical", self.categorical, CATEGORICAL),
            ("compression", self.compression, COMPRESSIONS),
            ("effort", self.effort, EFFORTS),
            ("verify", self.verify, VERIFICATIONS),
            ("on_missing_crs", self.on_missing_crs, ON_MISSING_CRS),
        )
        for name, value, known in words:
            if value not in known:
                raise ValueError(f"{name} is one of {', '.join(sorted(known))}, not {value!r}")

    def to_json(self) -> dict[str, Any]:
        """The job as plain JSON types; paths travel as text with surrogates escaped."""
        return asdict(self) | {"source": str(self.source), "target": str(self.target)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Job:
        """The inverse of `to_json`."""
        return cls(**(data | {"source": Path(data["source"]), "target": Path(data["target"])}))


@dataclass(frozen=True, slots=True)
class RasterWarning:
    """Something that the COG does not carry, or that is odd about the raster.

    `code` is for programs, `text` for people (one sentence).
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class BandStatistics:
    """Exact statistics of one band's valid, finite pixels; None where the band has none.

    `std` is that of the population. Of complex numbers the real part counts, as GDAL does it.
    `valid_percent` is 0 to 100, of all pixels.
    """

    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    valid_percent: float


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one raster. `seconds` of wall clock in the child, `peak_bytes` of its resident memory."""

    method: Method
    categorical: bool
    warnings: tuple[RasterWarning, ...] = ()
    bands: tuple[BandStatistics, ...] = ()
    seconds: float = 0.0
    peak_bytes: int = 0
    sampled: bool = False
    """It was sent as it is after a part of it was looked at: then the statistics are those that it carries."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Width, height, bands, dtype and the like, for people; nothing decides on them."""
    declared: dict[str, str] = field(default_factory=dict)
    """What the raster did not say itself and the job said for it: `crs`, `nodata`, as they were given."""
    quicklook: Quicklook | None = None
    """Where it lies and how it looks, where the job asked for it; None: not, or the child did not get that far."""

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON types, without the quicklook."""
        told = asdict(replace(self, quicklook=None))
        del told["quicklook"]
        return told

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Report:
        """Read a child's answer; the child may be confused, so every field is checked.

        Raises ValueError, TypeError, KeyError or AttributeError on anything that is not a report.
        """
        method = data["method"]
        if method not in METHODS:
            raise ValueError("unknown method")
        return cls(
            method=method,
            categorical=bool(data["categorical"]),
            warnings=tuple(RasterWarning(str(w["code"]), str(w["text"])) for w in data["warnings"]),
            bands=tuple(_band(b) for b in data["bands"]),
            seconds=float(data["seconds"]),
            peak_bytes=int(data["peak_bytes"]),
            sampled=bool(data["sampled"]),
            facts={str(name): _fact(str(name), value) for name, value in dict(data["facts"]).items()},
            declared={str(key): str(value) for key, value in dict(data["declared"]).items()},
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the head of one raster says of its conversion, before any pixel is read. Sizes in bytes.

    `sizes` are those of the COG by what `Job.effort` may be: estimates, but where the file is sent as it is.
    `categorical` is None where only the pixels tell. `doubts` are sentences about what only they decide.
    """

    method: Method
    categorical: bool | None
    sizes: Mapping[str, int]
    compression: str = ""
    """Of the source, as GDAL calls it; empty: none."""
    doubts: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """As in `Report.facts`."""

    def to_json(self) -> dict[str, Any]:
        """The forecast as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Forecast:
        """Read a child's answer, every field checked. Raises ValueError, TypeError, KeyError or AttributeError."""
        if data["method"] not in METHODS or data["categorical"] not in (True, False, None):
            raise ValueError("no method or kind")
        sizes = {effort: int(data["sizes"][effort]) for effort in EFFORTS}
        if any(not 0 <= size < _MOST for size in sizes.values()):
            raise ValueError("no size")
        return cls(
            method=data["method"],
            categorical=data["categorical"],
            sizes=sizes,
            compression=str(data["compression"]),
            doubts=tuple(str(each) for each in data["doubts"]),
            facts=dict(data["facts"]),
        )


def _band(data: dict[str, Any]) -> BandStatistics:
    low, high, mean, std = (_number(data[name]) for name in ("min", "max", "mean", "std"))
    return BandStatistics(low, high, mean, std, _number(data["valid_percent"]) or 0.0)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _fact(name: str, value: Any) -> Any:
    """A text or a number, or the six numbers of a transform."""
    if name == "transform":
        if len(value) != _NUMBERS_OF_A_TRANSFORM or None in value:
            raise ValueError("not a transform")
        return [_number(one) for one in value]
    return value[:_LONGEST_FACT] if isinstance(value, str) else _number(value)
