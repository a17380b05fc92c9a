"""What the converter is shown of a raster that people name: the raster where it lies, its sidecars as copies.

The raster itself is read through a link under a name of ours, so that GDAL never sees the name that people gave it, and
the confined child can open this one file of their folder. It is theirs all the while: whether it changed is asked
when it was read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uploader.core.errors import NoSpace, SourceChanged, SourceUnreadable
from uploader.core.model import Fingerprint
from uploader.core.path_text import shown as text
from uploader.system import file_content
from uploader.system import files as fs
from uploader.system.own_status import own_status

_CONVERT_AGAIN = "Convert it again when nobody writes to it any more."


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A raster in a private folder, with its sidecars."""

    path: Path
    """Its name there."""
    linked: bool
    """It is a link there, not a copy."""
    file: Path
    """Where it really lies."""
    seen: Fingerprint
    """What it was before any of it was read."""

    def require_unchanged(self) -> None:
        """Raises SourceChanged where it is no longer the file that was seen."""
        try:
            now = fs.fingerprint(self.file.stat())
        except OSError as error:
            reason = f"{text(str(self.file))} was removed while it was read."
            raise SourceChanged(reason, "Put it there again.") from error
        if now != self.seen:
            raise SourceChanged(f"{text(str(self.file))} changed while it was read.", _CONVERT_AGAIN)


def shown_source(source: Path, room: Path) -> ShownSource:
    """Make the folder `room`, with the raster and its sidecars under safe names in it.

    Raises SourceUnreadable, SourceChanged, and NoSpace where a copy does not fit.
    """
    from uploader.core.file_group import copy_names

    room.mkdir(mode=0o700)
    try:
        beside = _sidecars(source)
        sizes = [(suffix, file.stat().st_size) for suffix, file in beside]
        raster, *names = (room / name for name in copy_names(os.fsencode(source.name), sizes))
        shown = _shown(source, raster)
        for (_, file), copy in zip(beside, names, strict=True):
            file_content.duplicate(file, copy)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            reason = f"There is no room beside DST for a copy of {source}."
            raise NoSpace(reason, "Name another DST.") from error
        raise SourceUnreadable(f"{source} cannot be read: {error.strerror}.", "Check its rights.") from error
    return shown


def _sidecars(source: Path) -> Sequence[tuple[str, Path]]:
    """Suffix and path of each file beside the raster that belongs to it; links are none."""
    from uploader.core.naming import sidecar_suffix

    name = os.fsencode(source.name)
    with os.scandir(source.absolute().parent) as entries:
        return [
            (suffix, Path(entry.path))
            for entry in entries
            if (suffix := sidecar_suffix(name, os.fsencode(entry.name)))
            and entry.is_file(follow_symlinks=False)
        ]


def _shown(source: Path, path: Path) -> ShownSource:
    """A link to the raster, or its copy where the confined child could not open it."""
    with source.open("rb") as reading:  # the child could not say in the system's words why it cannot be read
        status = os.fstat(reading.fileno())
        file = source.resolve()
        linked = _openable(file, status)
        if linked:
            path.symlink_to(file)
        else:
            file_content.duplicate(source, path)
    return ShownSource(path, linked, file if linked else source, fs.fingerprint(status))


def _openable(file: Path, status: os.stat_result) -> bool:
    """Whether the child can open the file by this path: it has none of our descriptors, nor rights beyond a user's.

    Root's child keeps the right to read what root may not.
    """
    try:
        there = os.path.samestat(file.stat(), status)
    except OSError:
        return False
    return there and (os.geteuid() == 0 or not int(own_status("CapEff"), 16))
