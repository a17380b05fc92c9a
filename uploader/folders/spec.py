"""What watching needs to know of a drop folder, and which of its names that takes in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

from uploader.config import Folder
from uploader.core import naming
from uploader.core.model import Sighting
from uploader.core.scene_rules import LeftOut, Placement
from uploader.system import files as fs

_RASTERS = ("*.jp2",)
"""What else than `include` says is called like a raster of a scene."""


@dataclass(frozen=True, slots=True)
class FolderSpec:
    """A drop folder as it is watched: its section of the configuration, and what follows from that."""

    section: Folder
    private_too: bool = False
    """Also folders that bear the token of an archive are looked into: a person has named them."""

    @property
    def path(self) -> str:
        """The absolute path as text."""
        return str(self.section.path)

    @property
    def root(self) -> bytes:
        """The path as the file system spells it."""
        return os.fsencode(self.path)

    def wants(self, path: bytes) -> bool:
        """Whether a file of this relative path is a raster to take, or an archive to open, by its name alone."""
        return self.section.takes(path) or self.opens(path)

    def opens(self, path: bytes) -> bool:
        """Whether a file of this relative path is an archive that is opened."""
        return self.section.opens(path) and not naming.ignored(path.rpartition(b"/")[2])

    def would_tell(self, path: bytes) -> bool:
        """Whether a file that is not wanted may be missed: it is not excluded, and no temporary or hidden file."""
        hidden = naming.ignored(path.rpartition(b"/")[2])
        return not hidden and not naming.matches(path, self.section.exclude)

    def fits_no_rule(self, path: bytes) -> bool:
        """Whether a file that is not wanted has the name of a raster, and its folder's scenes have no rule for it."""
        if not self.section.scenes or not naming.matches(path, (*self.section.include, *_RASTERS)):
            return False
        placed = self.placed(path)
        return isinstance(placed, LeftOut) and not placed.by_rule

    def placed(self, path: bytes) -> Placement | LeftOut | None:
        """What a file is in its scene, or why its rules leave it; None where the folder has no scenes."""
        return self.section.placed(path)

    def passes(self, path: bytes) -> bool:
        """Whether a file of this relative path is uploaded as it is."""
        return self.section.passes(path)

    def alone(self, path: bytes) -> bool:
        """Whether nothing beside a file of this relative path belongs to it: it is no raster, as far as we look."""
        return self.passes(path) or self.opens(path)

    def enters(self, directory: bytes) -> bool:
        """Whether files below this relative folder count; the folder itself is the empty path."""
        above, _, name = directory.rpartition(b"/")
        if not directory:
            return True
        return not any(naming.ignored(part) for part in above.split(b"/")) and self.enters_below(above, name)

    def enters_below(self, directory: bytes, name: bytes) -> bool:
        """The same of a subfolder of a folder that counts."""
        if not self.section.recursive or naming.ignored(name):
            return False
        archive = self.section.archive_dir
        if archive is None:
            return True
        absolute = self.root.rstrip(b"/") + b"/" + joined(directory, name) + b"/"
        return not absolute.startswith(os.fsencode(archive).rstrip(b"/") + b"/")

    def closed(self, fd: int) -> bool:
        """Whether an open folder bears the token of what is no drop folder. Raises OSError."""
        return not self.private_too and fs.exists(naming.TOKEN, fd)

    def marker(self, raster: bytes) -> bytes:
        """The name of a raster's ready marker; empty where the folder has none."""
        template = self.section.ready_marker
        return naming.marker(template, raster) if template else b""


class OddityKind(StrEnum):
    """What there is to tell of an entry that is in order."""

    LINK = "ignored_link"
    """It has the name of a raster and is a link, which is never followed."""
    SPECIAL = "ignored_special"
    """It has the name of a raster and is a pipe, a socket or a device."""
    ARCHIVE = "ignored_archive"
    """It holds other files, and no pattern names it; or it is of a kind that is not opened."""
    NO_RULE = "no_rule"
    """No rule of its folder's scenes fits it, although it has the name of a raster."""
    PRIVATE = "private"
    """A folder that is an archive, a staging or a state directory, by the token in it; it is not looked into."""
    DEEP = "deep_folders"
    """A folder below uncommonly many others."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that a person may take for a raster or a folder like others, and that is not. `path` is relative."""

    path: bytes
    kind: OddityKind


@dataclass(frozen=True, slots=True)
class LookProblem:
    """Why a folder or file could not be looked at; the scan went on. `path` is relative, empty for the drop folder."""

    path: bytes
    reason: str
    errno: int = 0


Found = Sighting | LookProblem | Oddity
"""What a scan tells of an entry."""


def joined(directory: bytes, name: bytes) -> bytes:
    """The relative path of an entry of a relative folder."""
    return directory + b"/" + name if directory else name
