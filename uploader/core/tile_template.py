"""The address of a map's tiles, with {z}, {x} and {y} where their zoom, column and row belong.

It must name one origin, for a page tells browsers by that origin which pictures they may load.
"""

from __future__ import annotations

import re
from collections import Counter

from uploader.core.address_policy import split

PLACEHOLDERS = ("{z}", "{x}", "{y}")

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_UNSAFE = re.compile(r"[^!-~]|[\"'<>`\\^|]")


def mistake(template: str) -> str:
    """What is wrong with a template, for the person who wrote it; empty where nothing is."""
    url = split(template)
    if url is None or url.scheme not in {"http", "https"} or _UNSAFE.search(template):
        return 'is no address of map tiles; write it as "https://tiles.example.org/{z}/{x}/{y}.png"'
    if not _HOST.fullmatch(url.hostname or "") or "@" in url.netloc or url.netloc.endswith(":"):
        return "needs one host by its name, without user and placeholders, for the page may ask that one only"
    found = Counter(re.findall(r"\{.*?\}|[{}]", template))
    if missing := [name for name in PLACEHOLDERS if not found[name]]:
        return f"has no {' and no '.join(missing)}; each tile's zoom, column and row stand there"
    if foreign := sorted(found.keys() - set(PLACEHOLDERS)):
        return f"has {' and '.join(foreign)}, which nothing stands for; {{z}}, {{x}} and {{y}} are filled in"
    if url.fragment:
        return 'has a "#", and what follows it is never sent; leave it out'
    return ""


def origin(template: str) -> str:
    """Scheme, host and port of a template that is right; empty where there is none."""
    url = split(template)
    return f"{url.scheme}://{url.netloc.lower()}" if url is not None else ""


def address(template: str, zoom: int, column: int, row: int) -> str:
    """The address of one tile."""
    values = zip(PLACEHOLDERS, (zoom, column, row), strict=True)
    for name, value in values:
        template = template.replace(name, str(value))
    return template
