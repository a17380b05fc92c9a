"""Which files hold others, by their names: they are told, for a person may wait for the rasters in them."""

from __future__ import annotations

ARCHIVES = (
    *(b".zip", b".tar", b".tgz", b".tbz2", b".txz", b".7z", b".rar"),
    *(b".tar.gz", b".tar.bz2", b".tar.xz", b".tar.zst"),
)
"""Endings of their names, in lower case."""


def is_archive(name: bytes) -> bool:
    """Whether a file of this name is one."""
    return name.lower().endswith(ARCHIVES)
