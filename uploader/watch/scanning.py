"""The scan: everything that lies in a drop folder, as sightings. It is the truth; events are only a hint to it.

It streams: a folder of a million files is never held in memory, only the names of its sidecars are. Links are never
followed. File systems mounted below the folder belong to it and are scanned.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from uploader import filesystem as fs
from uploader.core import control_files, names
from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.watch.spec import FolderSpec, Trouble

LIST_FROM = 32
"""Looks into one folder from which on it is listed once, instead of asking for each possible sidecar by name."""

ENTRY_BYTES = 64
"""What an entry adds to the size of its folder at most, on most file systems: a folder beyond it is not begun with."""

LISTED = 40
"""Entries of a folder that are listed for each look at most: asking for a file's sidecars by name costs as much."""


@dataclass(slots=True)
class _Listing:
    """What the first pass over one folder remembers of it."""

    companions: set[bytes] = field(default_factory=set)
    """Names that a sidecar, a ready marker or a control file may have."""
    folders: list[bytes] = field(default_factory=list)
    whole: bool = True
    """Nothing was left out."""


def scan(folder: FolderSpec, stop: threading.Event) -> Iterator[Sighting | Trouble]:
    """Every raster of the folder with its sidecars, in no order, and what could not be looked at.

    Errors on a file or a subfolder are yielded and do not end the scan. Ends early when `stop` is set.
    """
    yield from scan_below(folder, b"", stop)


def scan_below(folder: FolderSpec, directory: bytes, stop: threading.Event) -> Iterator[Sighting | Trouble]:
    """`scan` of one folder below the drop folder, and of what lies below it."""
    pending = [directory] if folder.enters(directory) else []
    while pending and not stop.is_set():
        below = pending.pop()
        try:
            fd = fs.open_directory(folder.root, below)
        except OSError as error:
            if not below or error.errno not in fs.ABSENT:
                yield _trouble(below, error)
            continue
        try:
            listing = _first_pass(folder, fd)
            pending.extend(p for name in listing.folders if folder.enters(p := _join(below, name)))
            yield from _rasters(folder, below, fd, listing, stop)
        except OSError as error:
            yield _trouble(below, error)
        finally:
            os.close(fd)


def paths_below(folder: FolderSpec, directory: bytes, stop: threading.Event) -> Iterator[bytes]:
    """The relative paths of all rasters below a folder by their names alone; what cannot be read is left out."""
    pending = [directory] if folder.enters(directory) else []
    while pending and not stop.is_set():
        below = pending.pop()
        try:
            with fs.directory(folder.root, below) as fd, os.scandir(fd) as entries:
                for entry in entries:
                    path = _join(below, os.fsencode(entry.name))
                    if entry.is_dir(follow_symlinks=False):
                        pending.extend([path] if folder.enters(path) else [])
                    elif folder.wants(path):
                        yield path
        except OSError:
            continue


def look(folder: FolderSpec, path: bytes) -> Sighting | None:
    """One raster and its group by lstat; None where it is gone, ignored or not a regular file. Raises OSError."""
    directory, _, name = path.rpartition(b"/")
    if not (folder.enters(directory) and folder.wants(path)):
        return None
    try:
        with fs.directory(folder.root, directory) as fd:
            if companion(folder, name) and _has_owner(folder, directory, name, fd):
                return None
            found = _group(folder, directory, name, fd)
            if found is not None and _ambiguous(found):
                # Where case does not matter, only a listing tells how a name is spelled.
                return _group(folder, directory, name, fd, _first_pass(folder, fd))
            return found
    except OSError as error:
        if error.errno in fs.ABSENT and Path(folder.path).is_dir():
            return None
        raise


def look_all(
    folder: FolderSpec, paths: Iterable[bytes], stop: threading.Event
) -> Iterator[tuple[bytes, Sighting | Trouble | None]]:
    """`look` for many paths, each answered once with an error as a value; folders with many of them are listed once."""
    by_directory: dict[bytes, list[bytes]] = defaultdict(list)
    for path in paths:
        by_directory[path.rpartition(b"/")[0]].append(path)
    for directory, inside in by_directory.items():
        glance = _glance(folder, directory, LISTED * len(inside)) if len(inside) >= LIST_FROM else None
        for path in inside:
            if stop.is_set():
                return
            yield path, _looked(folder, path, glance)


def rasters_of(folder: FolderSpec, directory: bytes, companions: set[bytes]) -> Iterator[bytes]:
    """The rasters in a folder to which files of these names may belong as sidecars, markers or control files."""
    stems = {stem for name in companions for stem in _stems(folder, name)}
    try:
        with fs.directory(folder.root, directory) as fd, os.scandir(fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if not stems.isdisjoint(names.owned(name)) and folder.wants(_join(directory, name)):
                    yield _join(directory, name)
    except OSError:
        return


def companion(folder: FolderSpec, name: bytes) -> bool:
    """Whether a file of this name may be a sidecar, a ready marker or a control file."""
    return bool(control_files.owners(name) or (not names.ignored(name) and _stems(folder, name)))


def _ambiguous(sighting: Sighting) -> bool:
    """Whether one sidecar answered to two spellings."""
    return len({s.fingerprint.inode for s in sighting.sidecars}) < len(sighting.sidecars)


def _has_owner(folder: FolderSpec, directory: bytes, name: bytes, fd: int) -> bool:
    """Whether a file that could be taken as a raster is a companion of another one instead."""
    stems = _stems(folder, name)
    with os.scandir(fd) as entries:
        return any(
            not stems.isdisjoint(names.owned(other))
            and folder.wants(_join(directory, other))
            and not companion(folder, other)
            and not folder.passes(_join(directory, other))
            and entry.is_file(follow_symlinks=False)
            for entry in entries
            for other in [os.fsencode(entry.name)]
        )


def _looked(folder: FolderSpec, path: bytes, glance: _Listing | None) -> Sighting | Trouble | None:
    directory, _, name = path.rpartition(b"/")
    try:
        if glance is None or not folder.wants(path) or companion(folder, name):
            return look(folder, path)
        with fs.directory(folder.root, directory) as fd:
            return _group(folder, directory, name, fd, glance)
    except OSError as error:
        return _trouble(path, error)


def _glance(folder: FolderSpec, directory: bytes, most: int) -> _Listing | None:
    """The listing of a folder; None where it has more entries than this, or cannot be listed."""
    try:
        with fs.directory(folder.root, directory) as fd:
            if os.fstat(fd).st_size > most * ENTRY_BYTES:
                return None
            listing = _first_pass(folder, fd, most)
            return listing if listing.whole else None
    except OSError:
        return None


def _first_pass(folder: FolderSpec, fd: int, most: int = sys.maxsize) -> _Listing:
    listing = _Listing()
    with os.scandir(fd) as entries:
        for number, entry in enumerate(entries):
            if number >= most:
                listing.whole = False
                break
            name = os.fsencode(entry.name)
            if entry.is_dir(follow_symlinks=False):
                listing.folders.append(name)
                continue
            if companion(folder, name):
                listing.companions.add(name)
    return listing


def _rasters(
    folder: FolderSpec, directory: bytes, fd: int, listing: _Listing, stop: threading.Event
) -> Iterator[Sighting | Trouble]:
    """The second pass: the rasters. Names that could be sidecars as well wait until it is clear whose."""
    unclear: list[bytes] = []
    owners: set[bytes] = set()
    asked = {
        stem
        for name in listing.companions
        if folder.wants(_join(directory, name))
        for stem in _stems(folder, name)
    }
    with os.scandir(fd) as entries:
        for entry in entries:
            if stop.is_set():
                return
            name = os.fsencode(entry.name)
            if not folder.wants(_join(directory, name)) or not entry.is_file(follow_symlinks=False):
                continue
            if companion(folder, name):
                unclear.append(name)
                continue
            if asked and not folder.passes(_join(directory, name)):
                owners.update(asked.intersection(names.owned(name)))
            yield from _sighted(folder, directory, name, fd, listing)
    for name in unclear:
        if owners.isdisjoint(_stems(folder, name)):
            yield from _sighted(folder, directory, name, fd, listing)


def _sighted(
    folder: FolderSpec, directory: bytes, name: bytes, fd: int, listing: _Listing
) -> Iterator[Sighting | Trouble]:
    try:
        found = _group(folder, directory, name, fd, listing)
    except OSError as error:
        yield _trouble(_join(directory, name), error)
        return
    if found is not None:
        yield found


def _group(
    folder: FolderSpec, directory: bytes, raster: bytes, fd: int, listing: _Listing | None = None
) -> Sighting | None:
    """The raster and what lies beside it; without a listing each possible name is asked for."""
    own = fs.lstat_regular(raster, fd)
    if own is None:
        return None

    def there(name: bytes) -> Fingerprint | None:
        if listing is not None and name not in listing.companions:
            return None
        # A hundred names are possible and hardly one is there: asking is ten times cheaper than failing.
        return fs.lstat_regular(name, fd) if os.access(name, os.F_OK, dir_fd=fd) else None

    path = _join(directory, raster)
    if listing is not None and not listing.companions:
        return Sighting(folder.path, path, own)
    possible = [] if folder.passes(path) else names.sidecar_names(raster)
    sidecars = [Sidecar(name, suffix, seen) for name, suffix in possible if (seen := there(name))]
    ordered = tuple(sorted(sidecars, key=_by_name))
    marked = bool(folder.ready_marker) and there(folder.marker(raster)) is not None
    arriving = (name for part in (raster, *map(_by_name, ordered)) for name in control_files.of(part))
    control = next((name for name in arriving if there(name)), b"")
    return Sighting(folder.path, path, own, ordered, marked, control)


def _by_name(sidecar: Sidecar) -> bytes:
    return sidecar.name


def _stems(folder: FolderSpec, name: bytes) -> frozenset[bytes]:
    """The stems or names of rasters that a file of this name may accompany."""
    found = names.owner_stems(name)
    for owner in control_files.owners(name):
        found |= {owner} | names.owner_stems(owner)
    if folder.ready_marker:
        found |= names.marked_by(folder.ready_marker, name)
    return found


def _join(directory: bytes, name: bytes) -> bytes:
    return directory + b"/" + name if directory else name


def _trouble(path: bytes, error: OSError) -> Trouble:
    return Trouble(path, fs.words(error), error.errno or 0)
