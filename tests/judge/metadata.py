"""GDAL's metadata in a TIFF (tag 42112): each item, by its name, band, role and domain."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from tests.judge.findings import Finding
from tests.judge.heads import Value

Item = tuple[str, str, str, str]
"""Domain, band, role and name."""

_CODE = 42112
_STATISTICS = ("STATISTICS_", "OVR_RESAMPLING_ALG")
_OF_THE_FILE = "image_structure"
"""A domain that says how a file is laid out, which a result is free to change."""
_SEEN_ELSEWHERE = frozenset({"colorinterp"})
"""Roles that GDAL shows as something else, which is compared there."""


def items(value: Value | None) -> dict[Item, str] | None:
    """All items but statistics; None where the text is no XML."""
    if value is None or not value.text:
        return {}
    root = _parsed(value.text)
    if root is None:
        return None
    found = {}
    for item in root.iter("Item"):
        name = item.get("name", "")
        domain, role = item.get("domain", "").lower(), item.get("role", "").lower()
        if not (name.startswith(_STATISTICS) or domain == _OF_THE_FILE or role in _SEEN_ELSEWHERE):
            key = domain, item.get("sample", ""), role, name
            found[key] = "".join(item.itertext()).strip()
    return found


def _parsed(text: bytes) -> ET.Element | None:
    """The XML, also where its bytes are Latin-1 although it does not say so."""
    for encoding in ("utf-8", "latin-1"):
        try:
            return ET.fromstring(text.decode(encoding))
        except (ET.ParseError, ValueError):
            continue
    return None


def compared(before: Value, after: Value | None) -> Iterator[Finding]:
    """Each item that is not in the result as it was."""
    old, new = items(before), items(after)
    if old is None:
        if not after or before.text != after.text:
            yield Finding(
                "tag 42112: its text is no XML, and is not there as it was", words=("42112", "GDALMetadata")
            )
        return
    for key, text in old.items():
        if (new or {}).get(key) != text and text:
            domain, sample, _role, name = key
            where = f" of band {int(sample) + 1}" if sample.isdigit() else ""
            inside = f" in the domain {domain}" if domain else ""
            codes = ("domain_lost",) if domain else ()
            codes += ("imd_lost",) if domain in ("imd", "imagery") else ()
            yield Finding(
                f"metadata item {name}{where}{inside}: {text[:60]!r} is lost", words=(name,), codes=codes
            )
