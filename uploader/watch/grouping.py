"""Which files belong to a raster: its sidecars and its ready marker, as they lie beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from uploader import filesystem as fs
from uploader.core import names
from uploader.core.model import Sidecar, Sighting
from uploader.watch.spec import FolderSpec, joined


def companion(folder: FolderSpec, name: bytes) -> bool:
    """Whether a file of this name may be a sidecar or a ready marker."""
    return not names.ignored(name) and bool(stems(folder, name))


def ambiguous(sighting: Sighting) -> bool:
    """Whether one sidecar answered to two spellings."""
    return len({s.fingerprint.inode for s in sighting.sidecars}) < len(sighting.sidecars)


def has_owner(folder: FolderSpec, directory: bytes, name: bytes, fd: int) -> bool:
    """Whether a file that could be taken as a raster is a companion of another one instead."""
    asked = stems(folder, name)
    with os.scandir(fd) as entries:
        return any(
            not asked.isdisjoint(owns(other))
            and folder.wants(joined(directory, other))
            and not companion(folder, other)
            and not folder.passes(joined(directory, other))
            and entry.is_file(follow_symlinks=False)
            for entry in entries
            for other in [os.fsencode(entry.name)]
        )


def possible(folder: FolderSpec, raster: bytes) -> Iterator[tuple[bytes, str]]:
    """Every name that may be a companion of the raster; the marker has no suffix."""
    yield from names.sidecar_names(raster)
    if folder.ready_marker:
        yield folder.marker(raster), ""


def group(
    folder: FolderSpec, directory: bytes, raster: bytes, fd: int, companions: list[tuple[bytes, str]]
) -> Sighting | None:
    """A raster as it lies in an open folder, with those of the possible companions that are there; None without it."""
    own = fs.lstat_regular(raster, fd)
    if own is None:
        return None
    sidecars, marked = [], False
    alone = folder.passes(joined(directory, raster))
    for name, suffix in companions:
        if suffix and alone:
            continue
        # A hundred names are possible and hardly one is there: asking is ten times cheaper than failing.
        seen = fs.lstat_regular(name, fd) if os.access(name, os.F_OK, dir_fd=fd) else None
        if seen is None:
            continue
        if suffix:
            sidecars.append(Sidecar(name, suffix, seen))
        else:
            marked = True
    ordered = tuple(sorted(sidecars, key=_by_name))
    return Sighting(folder.path, joined(directory, raster), own, ordered, marked)


def _by_name(sidecar: Sidecar) -> bytes:
    return sidecar.name


def stems(folder: FolderSpec, name: bytes) -> frozenset[bytes]:
    """The stems or names of rasters that a file of this name may accompany."""
    found = names.owner_stems(name)
    if folder.ready_marker:
        found |= names.marked_by(folder.ready_marker, name)
    return found


def owns(raster: bytes) -> tuple[bytes, bytes, bytes]:
    """What `stems` of this raster's companions may say."""
    return (raster, names.split(raster)[0], names.ANY)
