"""Which files of a satellite delivery belong to which raster: their names follow the product, not the raster's stem.

GDAL finds these files by the raster's name, so a raster of a family keeps its name in the private copy. Names are
bytes; they are read as Latin-1 here, which holds every byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from uploader.core.path_text import lossless
from uploader.core.product_table import (
    CUT,
    FAMILIES,
    READERS,
    STEM_TEXTS,
    ProductFamily,
    Role,
    SidecarKind,
    over_names,
)

KEPT_BYTES = 200
"""Bytes of a stem that is kept in the private copy; a longer one leaves no room for what is added to it."""

MOST_BYTES = 512 << 10
"""Bytes of a sidecar that GDAL is shown: its readers take four times as long for twice as many words."""

UNREAD = "unread-"
"""How the name of a copy begins that no reader shall find."""

_NAME_BYTES = 255
_FIRST = (1, 1)
_UNSAFE = re.compile(r"[^A-Za-z0-9._+=@-]|^[.-]")
_LITERAL = re.compile(r"[^{}]+(?![^{]*\})")

_MARK = "/"
"""How the suffix of a product's sidecar begins; the name follows. No suffix of a stem has a slash."""


@dataclass(frozen=True, slots=True)
class Product:
    """A sidecar that a raster may have: `name` in the drop folder, `copy` beside the private copy.

    `foreign` are the coefficients of a whole product beside a tile that is not its first; `shifted` where GDAL may
    move them.
    """

    name: bytes
    copy: str
    role: Role
    reader: str
    foreign: bool = False
    shifted: bool = False

    @property
    def own(self) -> str:
        """The copy's name where it is not to be read."""
        return UNREAD + _safe(self.name.decode("latin-1"))


def of_raster(stem: bytes) -> tuple[Product, ...]:
    """All sidecars that a raster with this stem may have as one of a product, in every accepted spelling."""
    return tuple(found for family, match in _matches(stem) for found in _products(family, match))


def kept_stem(stem: bytes) -> str | None:
    """What the private copy of a raster of a product is called, safe in every context; None: it is of no product."""
    known = len(stem) <= KEPT_BYTES and next(_matches(stem), None)
    return _safe(stem.decode("latin-1")) if known else None


def raster_keys(stem: bytes) -> frozenset[bytes]:
    """What `sidecar_keys` says of the sidecars that a raster with this stem may have."""
    return frozenset(
        _key(family, kind, _literal(kind, match)) for family, match in _matches(stem) for kind in family.kinds
    )


@lru_cache(maxsize=4096)
def sidecar_keys(name: bytes) -> frozenset[bytes]:
    """By the shape of its name: the products that a file may belong to as a sidecar. No key is a file's name.

    The name of each ends with one of `ENDINGS`, whatever the case.
    """
    text = name.decode("latin-1")
    return frozenset(
        _key(family, kind, match.group(1) if match.re.groups else "")
        for family, kind, shape in _SHAPES
        if (match := shape.fullmatch(text))
    )


def suffix(name: bytes) -> str:
    """The suffix of a sidecar that is named after its product."""
    return _MARK + lossless(name)


def is_product(suffix: str) -> bool:
    """Whether a sidecar is named after its product, by its suffix."""
    return suffix.startswith(_MARK)


def too_long(suffix: str, size: int) -> bool:
    """Whether a sidecar of so many bytes, of a product or with metadata in words, is kept from GDAL's readers."""
    return size > MOST_BYTES and (is_product(suffix) or suffix.lower() in STEM_TEXTS)


def counting(stem: bytes, suffixes: Iterable[str]) -> frozenset[str]:
    """Those sidecars of a raster that change what GDAL reports of it besides metadata in words: place, RPC, bands.

    Only they make up the content of a group.
    """
    given = frozenset(suffixes)
    if not given:  # most rasters lie alone, and need not be looked for in all products
        return given
    known = {suffix(found.name): found for found in of_raster(stem)}
    products = {text: known[text] for text in given if text in known}
    rpc = any(found.role == Role.RPC for found in products.values())

    def counts(text: str) -> bool:
        if not is_product(text):
            return text.lower() not in STEM_TEXTS
        found = products.get(text)
        if found is None or (found.foreign and not found.shifted):
            return False
        return found.role == Role.RPC or (found.role == Role.GUIDE and rpc)

    return frozenset(filter(counts, given))


@dataclass(frozen=True, slots=True)
class Unread:
    """Names of sidecars whose content GDAL did not report: metadata, and coefficients that are another raster's."""

    metadata: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def unread(stem: str, beside: Iterable[str], reported: str, *, metadata: bool, rpc: bool) -> Unread:
    """What of the sidecars beside a private copy is not in GDAL's view of it.

    `reported` is the reader that GDAL tells of (METADATATYPE), or nothing; `metadata` and `rpc` say whether any came.
    """
    known = {found.copy: found for found in of_raster(stem.encode("latin-1", "replace"))}
    words, lost, foreign = dict[str, str](), [], []
    for name in sorted(beside):
        found, text = known.get(name), name.removeprefix(stem).lower()
        if name.startswith(UNREAD):
            lost.append(name.removeprefix(UNREAD))
        elif found and found.foreign and not found.shifted:
            foreign.append(name)
        elif found and found.role == Role.RPC:
            lost += [] if rpc else [name]
        elif found:
            words[name] = found.reader
        elif name.startswith(stem) and text in STEM_TEXTS:
            words[name] = STEM_TEXTS[text]
    reader = reported or next((reader for reader in READERS if reader in words.values()), "")
    kept = reader if metadata and reader not in CUT else None
    lost += [name for name, wanted in words.items() if wanted != kept]
    return Unread(tuple(sorted(lost)), tuple(foreign))


@dataclass(frozen=True, slots=True)
class TileCoefficients:
    """The coefficients of a whole product beside a tile of it: the file's name, the tile's row and column from 1."""

    name: str
    row: int
    column: int


def shiftable(stem: str, beside: Collection[str]) -> TileCoefficients | None:
    """Coefficients that GDAL may have moved to the tile that they lie beside; None where the tile needs no move."""
    for family, match in _matches(stem.encode("latin-1", "replace")):
        copies = {found.copy for found in _products(family, match) if found.foreign and found.shifted}
        name = next((name for name in beside if name in copies), None)
        own = {
            found.copy for found in _products(family, match) if found.role == Role.RPC and not found.foreign
        }
        if name and own.isdisjoint(beside):
            return TileCoefficients(name, *_place(match))
    return None


def _matches(stem: bytes) -> Iterator[tuple[ProductFamily, re.Match[str]]]:
    """The families that a raster may be of; the first two that share a reader say the same."""
    text, seen = stem.decode("latin-1"), set[str]()
    for family in FAMILIES:
        if family.reader not in seen and (match := family.raster.fullmatch(text)):
            seen.add(family.reader)
            yield family, match


def _products(family: ProductFamily, match: re.Match[str]) -> Iterator[Product]:
    groups = match.groupdict() | {"stem": match.string}
    tile = _place(match)
    for kind in family.kinds:
        foreign = kind.whole and tile != _FIRST
        for template in _spellings(kind.name):
            name = template.format_map(groups)
            copy = kind.copy.format_map(groups) if kind.copy and not foreign else name
            yield Product(
                name.encode("latin-1"),
                _safe(copy if len(copy) <= _NAME_BYTES else name),
                kind.role,
                family.reader if kind.read else "",
                foreign,
                family.shifts,
            )


def _place(match: re.Match[str]) -> tuple[int, int]:
    """Row and column of the tile that a raster is; of one that is no tile, those of the first."""
    groups = match.groupdict()
    return int(groups.get("row") or 1), int(groups.get("column") or 1)


@lru_cache(maxsize=256)
def _spellings(template: str) -> tuple[str, ...]:
    """A template as it is, with its extension and with all of its own letters in either case."""
    base, dot, extension = template.rpartition(".")
    lower = _LITERAL.sub(lambda own: own.group().lower(), template)
    upper = _LITERAL.sub(lambda own: own.group().upper(), template)
    ends = (base + dot + extension.lower(), base + dot + extension.upper())
    return tuple(dict.fromkeys((template, *ends, lower, upper)))


def _literal(kind: SidecarKind, match: re.Match[str]) -> str:
    """The part of a sidecar's name that is the raster's."""
    return _subject(kind.name).format_map(match.groupdict())


@lru_cache(maxsize=256)
def _subject(template: str) -> str:
    start, end = template.find("{"), template.rfind("}")
    return template[start : end + 1] if start >= 0 else ""


def _key(family: ProductFamily, kind: SidecarKind, subject: str) -> bytes:
    return f"/{family.name}/{kind.name}/{subject}".encode("latin-1")


def _shape(kind: SidecarKind) -> re.Pattern[str]:
    """The names that a template may stand for, whatever the case of its own letters."""
    subject = _subject(kind.name)
    if not subject:
        return over_names(re.escape(kind.name))
    before, _, after = kind.name.partition(subject)
    return over_names(f"{re.escape(before)}({kind.product}){re.escape(after)}")


_SHAPES = tuple((family, kind, _shape(kind)) for family in FAMILIES for kind in family.kinds)
ENDINGS = tuple({kind.name.rpartition("}")[2].lower().encode() for _, kind, _ in _SHAPES})
"""How the names of products' sidecars end, in lower case."""


def _safe(text: str) -> str:
    """The text with every character replaced, one by one, that could mean something to somebody."""
    return _UNSAFE.sub("_", text)
