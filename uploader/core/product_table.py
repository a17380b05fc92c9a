"""Facts: the files that satellite deliveries put beside their rasters, and under which names GDAL looks for them.

They are those of GDAL's readers of such metadata (`gcore/mdreader`, 3.10 to 3.12) and of the providers' own names.
`products` reads this table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a sidecar is for."""

    TEXT = "text"  # metadata in words: nothing hangs on it
    RPC = "rpc"  # rational polynomial coefficients
    GUIDE = "guide"  # metadata in words, by which GDAL finds or shifts the coefficients beside it


@dataclass(frozen=True, slots=True)
class SidecarKind:
    """One kind of sidecar: `name` and `copy` are templates over the groups of the family's pattern.

    `copy` is the name under which GDAL's reader looks for it; empty where that is its own.
    """

    name: str
    role: Role
    copy: str = ""
    whole: bool = False
    """It describes the whole product, of which the raster may be one tile."""
    read: bool = True
    """GDAL has a reader for it."""
    product: str = ".+"
    """What the raster's part of the name looks like, where the rest of it is a common one."""


@dataclass(frozen=True, slots=True)
class ProductFamily:
    """The rasters of one provider, by their stems; `reader` is how GDAL calls its reader (METADATATYPE)."""

    name: str
    raster: re.Pattern[str]
    reader: str
    kinds: tuple[SidecarKind, ...]
    shifts: bool = False
    """GDAL moves the coefficients of the whole product to the tile."""


def over_names(pattern: str) -> re.Pattern[str]:
    """An expression over names, to which case does not matter and a newline is a letter like any other."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_TILE = r"(?P<tile>R(?P<row>\d{1,4})C(?P<column>\d{1,4}))"

_KOMPSAT = r"(?:K\d[A-Z]?|MSC)_.+"

FAMILIES: tuple[ProductFamily, ...] = (
    ProductFamily(
        "airbus",  # Pleiades, Pleiades Neo, SPOT 6 and 7: DIMAP version 2 and 3
        over_names(rf"IMG_(?P<product>.+)_{_TILE}"),
        "DIMAP",
        (
            SidecarKind("DIM_{product}_{tile}.XML", Role.GUIDE),
            SidecarKind("DIM_{product}.XML", Role.GUIDE),
            SidecarKind("RPC_{product}_{tile}.XML", Role.RPC),
            SidecarKind("RPC_{product}.XML", Role.RPC, whole=True),
        ),
        shifts=True,
    ),
    ProductFamily("spot", over_names("IMAGERY"), "DIMAP", (SidecarKind("METADATA.DIM", Role.TEXT),)),
    ProductFamily(
        "alos",  # AVNIR-2 and PRISM, bands in files of their own, or one file
        over_names(r"IMG(?:-\d\d)?-(?P<product>.+)"),
        "ALOS",
        (
            SidecarKind("HDR-{product}.txt", Role.GUIDE),
            SidecarKind("summary.txt", Role.GUIDE),
            SidecarKind("RPC-{product}.txt", Role.RPC),
        ),
    ),
    ProductFamily(
        "maxar",  # WorldView, GeoEye-1, QuickBird: tiles of a product with a .TIL
        over_names(rf"(?P<head>.+)[_-]{_TILE}-(?P<tail>.+)"),
        "DG",
        (
            SidecarKind("{head}-{tail}.IMD", Role.TEXT, copy="{stem}.IMD"),
            SidecarKind("{head}-{tail}.RPB", Role.RPC, copy="{stem}.RPB", whole=True),
            SidecarKind("{head}-{tail}.XML", Role.RPC, copy="{stem}.XML", whole=True),
            SidecarKind("{head}-{tail}.TIL", Role.TEXT, read=False),
        ),
    ),
    ProductFamily(
        "landsat",  # by the identifiers of collections and of the scenes before them: any raster of the product
        over_names(
            r"(?P<product>L[A-Z]\d\d_L\w{3}_\d{6}_\d{8}_\d{8}_\d\d_\w\w|L[A-Z]\d{14}[A-Z]{3}\d\d)"
            r"(?P<rest>(?:(?!_B)[\w-])*)(?:_B.*)?"
        ),
        "ODL",
        (SidecarKind("{product}_MTL.txt", Role.TEXT, copy="{product}{rest}_MTL.txt"),),
    ),
    ProductFamily(
        "bands",  # the same for every name, as GDAL has it
        over_names(r"(?P<product>(?:(?!_B).)+)_B(?:\d|QA).*"),
        "ODL",
        (SidecarKind("{product}_MTL.txt", Role.TEXT),),
    ),
    ProductFamily(
        "geoeye",
        over_names(r"(?P<product>po_\d+)_(?:rgb|pan)_.+"),
        "GE",
        (SidecarKind("{product}_metadata.txt", Role.TEXT),),
    ),
    ProductFamily(
        "ikonos",
        over_names(r"(?P<product>po_\d+)_(?:red|grn|blu|nir|bgrn|rgbn)_.+"),
        "GE",
        (SidecarKind("{product}_metadata.txt", Role.TEXT, copy="{stem}_metadata.txt"),),
    ),
    ProductFamily(
        "kompsat",
        over_names(rf"(?P<product>{_KOMPSAT})"),
        "KARI",
        (SidecarKind("{product}.txt", Role.TEXT, product=_KOMPSAT),),
    ),
    ProductFamily(
        "eros",
        over_names(r"(?P<product>[^.]+)\.1[A-Z][^.]*"),
        "EROS",
        (SidecarKind("{product}.pass", Role.TEXT), SidecarKind("{product}.rpc", Role.RPC)),
    ),
    ProductFamily(
        "planet",
        over_names(r"(?P<product>\d{8}_\d{6}(?:_\d\d)?_[0-9a-z]{4})_(?P<asset>\d[AB]_[0-9a-z]+).*"),
        "RE",
        (
            SidecarKind("{product}_{asset}_metadata.xml", Role.TEXT, copy="{stem}_metadata.xml"),
            SidecarKind("{product}_metadata.json", Role.TEXT, read=False),
        ),
    ),
)

READERS = ("DG", "OV", "GE", "ODL", "DIMAP", "MSP", "RE", "KARI", "EROS", "ALOS")
"""GDAL's readers in the order in which it asks them: the first that finds its files is the only one."""

CUT = frozenset({"", "RE"})
"""Readers of which nothing can be kept: none, and one whose keys have colons, at which GDAL cuts them."""

STEM_TEXTS = {
    ".imd": "DG",
    ".pvl": "OV",
    "_metadata.txt": "GE",
    "_metadata.xml": "RE",
    ".pass": "EROS",
    ".dim": "",
}
"""Sidecars named after the raster's stem that are metadata in words alone, with GDAL's reader; empty: it has none."""
