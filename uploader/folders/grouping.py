"""Which files belong to a raster: its sidecars, its ready marker and control files, as they lie beside it."""

from __future__ import annotations

import os
from collections.abc import Collection

from uploader.core import control_files, naming
from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.folders.spec import FolderSpec, joined
from uploader.system import files as fs


def companion(folder: FolderSpec, name: bytes) -> bool:
    """Whether a file of this name may be a sidecar, a ready marker or a control file."""
    return bool(stems(folder, name)) and (bool(control_files.owners(name)) or not naming.ignored(name))


def ambiguous(sighting: Sighting) -> bool:
    """Whether one sidecar may have answered to two spellings; by FUSE each of them may have an inode of its own."""
    return len({sidecar.name.lower() for sidecar in sighting.sidecars}) < len(sighting.sidecars)


def has_owner(folder: FolderSpec, directory: bytes, name: bytes, fd: int) -> bool:
    """Whether a file that could be taken as a raster is a companion of another one instead."""
    asked = stems(folder, name)
    with os.scandir(fd) as entries:
        return any(
            not asked.isdisjoint(naming.owned(other))
            and folder.wants(joined(directory, other))
            and not companion(folder, other)
            and not folder.alone(joined(directory, other))
            and entry.is_file(follow_symlinks=False)
            for entry in entries
            for other in [os.fsencode(entry.name)]
        )


def group(
    folder: FolderSpec, directory: bytes, raster: bytes, fd: int, companions: Collection[bytes] | None = None
) -> Sighting | None:
    """A raster as it lies in an open folder, with what lies beside it; None without it.

    `companions` are the names that a listing found; without them each possible name is asked for.
    """
    own = fs.lstat_regular(raster, fd)
    if own is None:
        return None

    def there(name: bytes) -> Fingerprint | None:
        if companions is not None and name not in companions:
            return None
        # A hundred names are possible and hardly one is there: asking is ten times cheaper than failing.
        return fs.lstat_regular(name, fd) if os.access(name, os.F_OK, dir_fd=fd) else None

    path = joined(directory, raster)
    if companions is not None and not companions:
        return Sighting(folder.path, path, own)
    possible = [] if folder.alone(path) else naming.sidecar_names(raster)
    sidecars = [Sidecar(name, suffix, seen) for name, suffix in possible if (seen := there(name))]
    ordered = tuple(sorted(sidecars, key=_by_name))
    marked = bool(folder.section.ready_marker) and there(folder.marker(raster)) is not None
    arriving = (name for part in (raster, *map(_by_name, ordered)) for name in control_files.of(part))
    control = next((name for name in arriving if there(name)), b"")
    return Sighting(folder.path, path, own, ordered, marked, control)


def _by_name(sidecar: Sidecar) -> bytes:
    return sidecar.name


def stems(folder: FolderSpec, name: bytes) -> frozenset[bytes]:
    """The stems or names of rasters that a file of this name may accompany."""
    found = naming.owner_stems(name)
    for owner in control_files.owners(name):
        found |= {owner} | naming.owner_stems(owner)
    if folder.section.ready_marker:
        found |= naming.marked_by(folder.section.ready_marker, name)
    return found
