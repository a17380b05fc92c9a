"""The XML text in which GDAL keeps metadata inside a TIFF (tag 42112), taken apart and put together as text.

Metadata of odd rasters holds bytes that GDAL writes and reads but no XML parser takes, so none is used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from uploader.convert.tiff.xml_text import escaped, escaped_value
from uploader.core.path_text import raw

_ITEM = re.compile(rb'[ \t]*<Item name="([^"]*)"([^>]*)(?:/>|>[^<]*</Item>)\r?\n?')
_DOMAIN = re.compile(rb'domain="([^"]*)"')
_SAMPLE = re.compile(rb'sample="(\d+)"')
_ROLE = re.compile(rb'role="([^"]*)"')
_VALUE = re.compile(rb">([^<]*)</Item>")
_OPEN, _CLOSE = b"<GDALMetadata>\n", b"</GDALMetadata>\n"

INTERPRETED = frozenset({
    "OVERVIEWS", "SUBDATASETS", "DERIVED_SUBDATASETS", "GEOLOCATION", "LOCATION", "PYRAMIDS",
    "IMAGE_STRUCTURE", "COLOR_PROFILE", "RPC", "EXIF", "TIFF",
})  # fmt: skip
"""Domains to which GDAL gives a meaning: some name other files, the others are facts with a place of their own."""


@dataclass(frozen=True, slots=True)
class MetadataItem:
    """One item; `band` counts from 1, 0 is the raster."""

    name: str
    value: str
    band: int = 0
    domain: str = ""
    role: str = ""
    """Of which property of a band it is the value, where it is none of the metadata."""


def placeable(domain: str) -> bool:
    """Whether a domain can go into the text: GDAL does nothing with it but keep it."""
    return domain not in INTERPRETED and not domain.startswith(("xml:", "json:"))


def items(tags: Mapping[str, str], band: int = 0, domain: str = "") -> Iterable[MetadataItem]:
    """All items of one domain."""
    return (MetadataItem(name, value, band, domain) for name, value in sorted(tags.items()))


def without(text: bytes, names: Collection[str], domains: Collection[str] = ()) -> bytes:
    """The text without the items of these names that belong to no domain, and without those of these domains."""

    def kept(match: re.Match[bytes]) -> bytes:
        domain = _DOMAIN.search(match.group(2))
        found, of = (domain.group(1), domains) if domain else (match.group(1), names)
        return b"" if found.decode("utf-8", "replace") in of else match.group()

    return _ITEM.sub(kept, text)


def roles(text: bytes, role: str) -> dict[int, str]:
    """What bands, counted from 0, have as the value of a property."""
    found: dict[int, str] = {}
    for item in _ITEM.finditer(text):
        of, sample, value = (each.search(item.group()) for each in (_ROLE, _SAMPLE, _VALUE))
        if of and of.group(1) == role.encode() and sample and value:
            found[int(sample.group(1))] = value.group(1).decode("utf-8", "replace")
    return found


def without_role(text: bytes, role: str) -> bytes:
    """The text without the items of a property."""

    def kept(match: re.Match[bytes]) -> bytes:
        of = _ROLE.search(match.group(2))
        return b"" if of and of.group(1) == role.encode() else match.group()

    return _ITEM.sub(kept, text)


def names(text: bytes) -> set[tuple[bytes, bytes, bytes]]:
    """Which items there are: name, band and domain.

    Left out are empty ones, statistics, properties of bands, and domains with a meaning of their own, which are named
    as such.
    """
    found = set()
    for item in _ITEM.finditer(text):
        name, attributes = item.groups()
        value = _VALUE.search(item.group())
        if value is None or not value.group(1):
            continue
        sample, domain = _SAMPLE.search(attributes), _DOMAIN.search(attributes)
        of = domain.group(1) if domain else b""
        own = _ROLE.search(attributes) or name.startswith(b"STATISTICS_")
        if not own and _is_text(of) and placeable(of.decode()):
            found.add((name, sample.group(1) if sample else b"", of))
    return found


def _is_text(name: bytes) -> bool:
    """Whether a name is UTF-8: domains of other names are named as domains."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def with_items(text: bytes, more: Iterable[MetadataItem]) -> bytes:
    """The text with these items at its end. GDAL escapes values twice, so they are."""
    start, _, _ = text.rstrip(b"\0").rpartition(b"</GDALMetadata>")
    added = b"".join(_written(item) for item in more)
    if not added and not _ITEM.search(start):
        return b""
    return (start or _OPEN) + added + _CLOSE + b"\0"


def _written(item: MetadataItem) -> bytes:
    sample = f' sample="{item.band - 1}"' if item.band else ""
    domain = f" domain={_quoted(item.domain)}" if item.domain else ""
    domain += f' role="{item.role}"' if item.role else ""
    text = f"  <Item name={_quoted(item.name)}{sample}{domain}>{escaped(escaped_value(item.value))}</Item>\n"
    return raw(text)


def _quoted(text: str) -> str:
    return f'"{escaped_value(text)}"'
