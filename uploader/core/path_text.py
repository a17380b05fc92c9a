"""The only place that makes text of a name or a path, and a name of text. Names are bytes, and need not be UTF-8.

Neither need be what a raster holds as text, which goes the same way to and fro.
"""

from __future__ import annotations

import re

_LONE = re.compile("[\ud800-\udfff]")
"""Half characters: how Python carries bytes that are not UTF-8, and what JSON from outside may hold."""

_FIRST, _LAST = 0xDC80, 0xDCFF
"""Those of them that stand for one byte each, from 0x80 to 0xFF."""


def lossless(name: bytes) -> str:
    """The name as Python spells it (`os.fsdecode`), from which `raw` makes the same bytes again.

    It may hold half characters, so it is for Python and for JSON only: neither a terminal nor SQLite takes them.
    """
    return name.decode("utf-8", "surrogateescape")


def raw(text: str) -> bytes:
    """The bytes of a name that `lossless` spelled. Raises ValueError where no name is spelled so."""
    return text.encode("utf-8", "surrogateescape")


def shown(name: bytes | str) -> str:
    r"""A name, or a text that holds names, as text that can be stored and sent anywhere: odd bytes become `\xff`."""
    text = lossless(name) if isinstance(name, bytes) else name
    return text if text.isascii() else _LONE.sub(_escaped, text)


def full_path(folder: str, path: bytes) -> bytes:
    """Where a file lies: its path below a drop folder, which is named as `lossless` spells it."""
    return raw(folder).rstrip(b"/") + b"/" + path


def is_text(name: bytes | str) -> bool:
    """Whether `shown` shows it as it is."""
    return shown(name) == (lossless(name) if isinstance(name, bytes) else name)


def _escaped(half: re.Match[str]) -> str:
    code = ord(half[0])
    return f"\\x{code - _FIRST + 0x80:02x}" if _FIRST <= code <= _LAST else f"\\u{code:04x}"
