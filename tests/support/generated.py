"""A seeded table of rasters as the world makes them: every type, validity, layout and kind of place, in all pairs.

`table(500, seed)` lists cases, which `generated_files` writes. What GeoTIFF (or this GDAL) cannot hold at all is
not listed, but counted by its reason.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil

TYPES: dict[str, tuple[str, int]] = {
    "1 bit": ("uint8", 1), "4 bits": ("uint8", 4), "uint8": ("uint8", 0), "int8": ("int8", 0),
    "12 bits": ("uint16", 12), "uint16": ("uint16", 0), "int16": ("int16", 0), "uint32": ("uint32", 0),
    "int32": ("int32", 0), "uint64": ("uint64", 0), "int64": ("int64", 0), "half": ("float32", 16),
    "float16": ("float16", 0), "float32": ("float32", 0), "float64": ("float64", 0),
    "complex_int16": ("complex_int16", 0), "complex64": ("complex64", 0), "complex128": ("complex128", 0),
}  # fmt: skip
"""What a sample is: rasterio's name of the type, and the bits in the file where they are fewer."""

VALIDITIES = (
    "none", "nodata", "nan", "odd nodata", "mask", "mask beside", "mask per band", "alpha", "palette",
    "nodata per band",
)  # fmt: skip
LAYOUTS = (
    "striped",
    "one strip",
    "tiled",
    "planar strips",
    "planar tiles",
    "big tiles with overviews",
    "cog",
)

_LOCAL = 'LOCAL_CS["site grid",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
_LAEA = "+proj=laea +lat_0=47.25 +lon_0=13.75 +x_0=1000 +y_0=2000 +ellps=bessel +units=m +no_defs"
SYSTEMS: dict[str, Any] = {
    "nowhere": None, "transform only": None, "UTM": "EPSG:32633", "degrees": "EPSG:4326", "conic": "EPSG:31287",
    "polar": "EPSG:3031", "web": "EPSG:3857", "feet": "EPSG:2263", "compound": "EPSG:7415", "custom": _LAEA,
    "local": _LOCAL, "rotated": "EPSG:25833", "south up": "EPSG:32733", "gcps": "EPSG:4326", "rpcs": None,
    "world file": "EPSG:32633",
}  # fmt: skip
PLACES = tuple(SYSTEMS)

_PHOTOMETRICS = ("gray", "miniswhite", "rgb", "cmyk", "cielab", "ycbcr")
_LOSSLESS = ("none", "deflate", "lzw", "packbits", "zstd", "lzma")


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    number: int
    seed: int
    type: str
    validity: str
    layout: str
    place: str
    bands: int
    photometric: str
    compression: str
    width: int
    height: int
    named: bool
    big_endian: bool

    @property
    def dtype(self) -> str:
        """Rasterio's name of the type."""
        return TYPES[self.type][0]

    @property
    def bits(self) -> int:
        """Bits of a sample where they are fewer than the type's; else 0."""
        return TYPES[self.type][1]

    @property
    def name(self) -> str:
        """All of it in one line."""
        bands = f"{self.bands} {self.photometric}"
        parts = (self.type, self.validity, self.layout, self.place, bands, self.compression)
        return f"{self.number:03} {', '.join(parts)}"


def table(count: int, seed: int) -> tuple[list[Case], Counter[str]]:
    """So many cases, and how many combinations were passed over for which reason.

    Types, validities and layouts are walked as a shuffled product; places, photometrics and the rest go around
    beside it. The same count and seed give the same table.
    """
    random = np.random.default_rng(seed)
    product = list(itertools.product(TYPES, VALIDITIES, LAYOUTS))
    cases: list[Case] = []
    skipped: Counter[str] = Counter()
    while len(cases) < count:
        for at in random.permutation(len(product)):
            case = _case(len(cases), product[at], random)
            reason = impossible(case)
            if reason:
                skipped[reason] += 1
            elif len(cases) < count:
                cases.append(case)
    return cases, skipped


def _case(number: int, kind: tuple[str, str, str], random: np.random.Generator) -> Case:
    sample, validity, layout = kind
    photometric = str(random.choice(_PHOTOMETRICS, p=(0.5, 0.1, 0.2, 0.08, 0.06, 0.06)))
    if validity == "palette" or sample not in ("uint8", "uint16"):
        photometric = "gray" if photometric != "miniswhite" or validity == "palette" else photometric
    least = 2 if layout.startswith("planar") or validity.endswith("per band") else 1
    bands = {"rgb": 3, "cmyk": 4, "cielab": 3, "ycbcr": 3, "miniswhite": least}.get(
        photometric, least + int(random.integers(0, 3))
    )
    bands = 1 if validity == "palette" and least == 1 else bands
    sizes = random.integers(33, 200, 2) if random.random() < 0.7 else random.integers(300, 700, 2)
    return Case(
        number=number,
        seed=int(random.integers(1 << 30)),
        type=sample,
        validity=validity,
        layout=layout,
        place=str(random.choice(PLACES)),
        bands=bands,
        photometric=photometric,
        compression="jpeg" if photometric == "ycbcr" else str(random.choice(_LOSSLESS)),
        width=int(sizes[0]),
        height=int(sizes[1]),
        named=bool(random.random() < 0.5),
        big_endian=bool(random.random() < 0.1),
    )


def impossible(case: Case) -> str:
    """Why there is no such GeoTIFF, or this GDAL cannot write one; empty when there is."""
    floating = "float" in case.type or case.type == "half"
    rules = (
        (case.type == "float16" and "float16" not in rasterio.dtypes.dtype_rev, "this GDAL has no float16"),
        (case.validity == "palette" and case.dtype not in ("uint8", "uint16"), "palettes index 8 or 16 bits"),
        (case.validity == "palette" and case.bands > 1, "a palette is of one band"),
        (case.validity == "palette" and case.type == "12 bits", "no palette of 12 bits"),
        (case.validity == "nan" and not floating and "complex" not in case.type, "integers have no NaN"),
        (case.validity == "odd nodata" and "complex" in case.type, "nodata of complex samples is their real part"),
        (case.validity == "alpha" and "complex" in case.type, "no alpha of complex numbers"),
        (case.validity == "alpha" and case.photometric in ("ycbcr", "cielab"), "no alpha beside YCbCr or Lab"),
        (case.photometric == "ycbcr" and case.type != "uint8", "JPEG is of 8 bits"),
        (case.photometric == "ycbcr" and case.layout.startswith("planar"), "YCbCr is not planar"),
        (case.photometric == "cielab" and case.type != "uint8", "Lab is of 8 bits"),
        (case.type == "half" and case.layout in ("big tiles with overviews", "cog"), "no overviews of half floats"),
        (
            case.layout == "big tiles with overviews" and case.validity == "nodata" and case.compression == "none"
            and case.dtype in ("int64", "uint64"),
            "GDAL does not end when it writes these overviews",
        ),
        (case.layout == "cog" and case.big_endian, "GDAL writes no such COG"),
        (case.layout == "cog" and case.photometric not in ("gray", "rgb"), "GDAL writes no such COG"),
        (case.layout == "cog" and case.validity in ("mask beside", "mask per band"), "GDAL writes no such COG"),
        (case.layout == "cog" and case.compression == "packbits", "GDAL writes no such COG"),
    )  # fmt: skip
    return next((reason for wrong, reason in rules if wrong), "")
