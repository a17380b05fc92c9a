"""A member of an archive as its reader tells it, and what is said of one that is not taken."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from uploader.core.errors import RasterRefused
from uploader.core.path_text import shown

PIECE = 1 << 20
"""Bytes that are read at once."""

UNPACK = "Unpack it yourself where you trust it, and drop what is in it; or put it together anew."
SEVERAL = "Put its rasters into several archives, or drop them as they are."
_SHOWN = 200


class Source(Protocol):
    """What the bytes of a member are read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, this many at most; none at the end."""


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One entry. `name` is as the archive spells it, `size` the bytes that it declares.

    `fault` is why it must not be there, as the end of a sentence; empty where it may. A folder has no content.
    """

    name: str
    size: int
    fault: str
    folder: bool
    opened: Callable[[], AbstractContextManager[Source]]
    """Its content from the beginning; only before the next member is asked for."""


def refused(name: str, fault: str) -> RasterRefused:
    """The error of an archive that has such a member."""
    called = shown(name).replace("\0", "\\0")
    called = called if len(called) <= _SHOWN else f"{called[:_SHOWN]}..."
    return RasterRefused(f'The archive is not opened: "{called}" in it {fault}.', UNPACK)
