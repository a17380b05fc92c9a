"""Which files beside a raster hold nothing that can be read, although the raster lacks what they would tell.

GDAL takes no notice of a sidecar that it cannot read. That one was read shows in what the raster has; only where it has
nothing of the kind is the file looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from uploader.convert.read.facts import Facts

_NOTES_BYTES = 64 << 20
_ASIDE = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
_TAG = re.compile(rb"""<(/?)([\w:.-]+)(?:"[^"]*"|'[^']*'|[^"'<>])*?(/?)>""")
_WORLD_LINES = 6

Check = Callable[[Facts, bytes], bool]
"""Whether a sidecar of this content can be believed to be read."""


def _notes(_: Facts, content: bytes) -> bool:
    """As GDAL takes XML, which is less strict than any parser: tags pair up, and the first thing is an element."""
    text = _ASIDE.sub(b"", content.removeprefix(b"\xef\xbb\xbf").lstrip())
    if not text.startswith(b"<") or content.lstrip().startswith((b"<?", b"<!")):
        return False
    opened: list[bytes] = []
    for tag in _TAG.finditer(text):
        closing, name, empty = tag.groups()
        if closing and (not opened or opened.pop() != name.lower()):
            return False
        if not closing and not empty:
            opened.append(name.lower())
        if not opened:
            return True
    return False


def _world(facts: Facts, content: bytes) -> bool:
    if facts.transform or facts.gcps:
        return True
    try:
        numbers = [float(part.replace(b",", b".")) for part in content.split()[:_WORLD_LINES]]
    except ValueError:
        return False
    return len(numbers) == _WORLD_LINES


def _polynomials(facts: Facts, _: bytes) -> bool:
    return bool(facts.rpcs)


def _table_of_points(facts: Facts, _: bytes) -> bool:
    return bool(facts.transform or facts.gcps)


CHECKS: tuple[tuple[re.Pattern[str], Check], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), check)
    for pattern, check in (
        (r".*\.aux\.xml", _notes),
        (r".*\.(?:wld|[a-z0-9]{2,5}w)", _world),
        (r".*(?:\.rpb|\.rpc|_rpc\.txt)", _polynomials),
        (r".*\.tab", _table_of_points),
    )
)
"""By what a name ends with. A `.prj`, a mask, overviews, ENVI's header and the words of a product are judged
where they are read."""


def unread(facts: Facts, source: Path) -> tuple[str, ...]:
    """What the names of those in which nothing can be read add to the raster's stem."""
    found = (name for name in facts.sidecars if not _read(facts, source.with_name(name)))
    return tuple(name.removeprefix(source.name).removeprefix(source.stem) for name in found)


def _read(facts: Facts, path: Path) -> bool:
    check = next((check for pattern, check in CHECKS if pattern.fullmatch(path.name)), None)
    if check is None or path.stat().st_size > _NOTES_BYTES:
        return True
    return check(facts, path.read_bytes())
