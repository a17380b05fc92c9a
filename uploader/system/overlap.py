"""The only place that knows whether one folder lies inside another, under whatever name.

A folder may have several: links, bind mounts, volumes of a container, one export mounted twice. Three ways to tell are
tried: the real path, the inodes along the parents, and the place on the file system that a mount shows.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

_ESCAPED = re.compile(rb"\\([0-7]{3})")

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of the mount table: which folder of which file system is shown where."""

    device: bytes
    root: bytes
    point: bytes


def mounts() -> list[Mount]:
    """The mounts that this process sees, the newest last; none where the system does not tell."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return []
    rows = [line.split(b" ") for line in lines]
    return [Mount(row[2], _plain(row[3]), _plain(row[4])) for row in rows if len(row) > 4]  # noqa: PLR2004


def mounted_below(folder: Path) -> frozenset[Mount]:
    """What is mounted at a folder and below it."""
    real = os.path.realpath(os.fsencode(folder))
    return frozenset(mount for mount in mounts() if _below(mount.point, real))


def _plain(field: bytes) -> bytes:
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), field)


@dataclass(frozen=True, slots=True)
class Spot:
    """A file system, by the number of its device, and a path from its root; no device where nothing is known."""

    device: bytes
    path: bytes

    def inside(self, other: Spot) -> bool:
        """Whether this is the other one, or lies below it."""
        return bool(self.device) and self.device == other.device and _below(self.path, other.path)


NOWHERE = Spot(b"", b"")


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """Where a folder lies: its real path, what it and its parents are, and where it is on its file system."""

    path: bytes
    identity: Identity | None
    """None where there is no such folder."""
    above: frozenset[Identity]
    """It and its parents."""
    spot: Spot
    shown: tuple[Spot, ...]
    """What is mounted below it."""

    @classmethod
    def named(cls, path: Path) -> FolderPlace:
        """What the name alone tells, its links followed. The folder need not exist."""
        return cls(os.path.realpath(os.fsencode(path)), None, frozenset(), NOWHERE, ())

    @classmethod
    def of(cls, path: Path, table: list[Mount]) -> FolderPlace:
        """Look where a folder lies. It need not exist."""
        real = os.path.realpath(os.fsencode(path))
        parts = real.rstrip(b"/").split(b"/")
        line = [b"/".join(parts[:count]) or b"/" for count in range(len(parts), 0, -1)]
        found = [_identity(one) for one in line]
        shown = tuple(Spot(m.device, m.root) for m in table if m.point != real and _below(m.point, real))
        return cls(real, found[0], frozenset(one for one in found if one), _spot(real, table), shown)

    def inside(self, other: FolderPlace) -> bool:
        """Whether this folder, or a part of it, is the other one or is to be seen below it."""
        if _below(self.path, other.path) or other.identity in self.above or self.spot.inside(other.spot):
            return True
        return any(self.spot.inside(shown) or shown.inside(self.spot) for shown in other.shown)

    def same(self, other: FolderPlace) -> bool:
        """Whether both are one folder."""
        return self.path == other.path or (self.identity is not None and self.identity == other.identity)


def _identity(path: bytes) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - bytes
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _spot(path: bytes, table: list[Mount]) -> Spot:
    """The place of a path on its file system."""
    best = Mount(b"", b"", b"")
    for mount in table:
        if _below(path, mount.point) and len(mount.point) >= len(best.point):
            best = mount
    rest = path[len(best.point.rstrip(b"/")) :]
    return Spot(best.device, (best.root.rstrip(b"/") + rest).rstrip(b"/") or b"/")


def _below(path: bytes, parent: bytes) -> bool:
    return path == parent or path.startswith(parent.rstrip(b"/") + b"/")
