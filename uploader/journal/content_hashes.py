"""The hash of a file's content as a column has it: 32 bytes, where the rest of the program has 64 digits of hex."""

from __future__ import annotations

import re

_SHA256 = re.compile(r"[0-9a-f]{64}")


def stored(content: str | None) -> bytes | str | None:
    """What is written of a hash; a text that is none stays as it is."""
    return bytes.fromhex(content) if content is not None and _SHA256.fullmatch(content) else content


def told(column: bytes | str | None) -> str | None:
    """The hash in hex; journals before schema 7 have it so already."""
    return column.hex() if isinstance(column, bytes) else column
