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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from uploader.core import naming
from uploader.core.archives import is_archive
from uploader.core.model import Sighting
from uploader.folders.grouping import ambiguous, companion, group, has_owner, stems
from uploader.folders.spec import FolderSpec, Found, LookProblem, Oddity, OddityKind, joined
from uploader.system import files as fs
from uploader.system.tree_walk import WalkedFolder, walk

LIST_FROM = 32
"""Looks into one folder from which on it is listed once, instead of asking for each possible sidecar by name."""

ENTRY_BYTES = 64
"""What an entry adds to the size of its folder at most, on most file systems: a folder beyond it is not begun with."""

DEEP = 100
"""Levels of folders from which on it is told how deep they lie."""

SORTED = 50_000
"""Names of a folder that are sorted together: some megabytes. In the order of most file systems, which is none, each
file of a large folder would change another page of the journal."""

LISTED = 40
"""Entries of a folder that are listed for each look at most: asking for a file's sidecars by name costs as much."""


@dataclass(slots=True)
class _Listing:
    """What the first pass over one folder remembers of it."""

    companions: set[bytes] = field(default_factory=set)
    """Names that a sidecar, a ready marker or a control file may have."""
    folders: list[bytes] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    whole: bool = True
    """Nothing was left out."""


def scan(folder: FolderSpec, stop: threading.Event) -> Iterator[Found]:
    """Every raster of the folder with its sidecars, in no order, and what is to be told of the rest.

    Errors on a file or a subfolder are yielded and do not end the scan. Ends early when `stop` is set.
    """
    return (found for found in paced(folder, stop) if found is not None)


def paced(folder: FolderSpec, stop: threading.Event) -> Iterator[Found | None]:
    """`scan`, with a None after each folder: what was found so far can be gone on with."""
    for place in walk(folder.root, b"", stop):
        if place.error is not None:
            if not place.path or place.error.errno not in fs.ABSENT:
                yield _trouble(place.path, place.error)
            continue
        try:
            if folder.closed(place.fd):
                yield Oddity(place.path, OddityKind.PRIVATE)
                continue
            listing = _first_pass(folder, place.path, place.fd)
            place.below = listing.folders
            yield from listing.oddities
            yield from _rasters(folder, place.path, place.fd, listing, stop)
        except OSError as error:
            yield _trouble(place.path, error)
        if place.depth == DEEP:
            yield Oddity(place.path, OddityKind.DEEP)
        yield None


def paths_below(folder: FolderSpec, directory: bytes, stop: threading.Event) -> Iterator[bytes]:
    """The relative paths of all rasters below a folder by their names alone; what cannot be read is left out."""
    if not folder.enters(directory):
        return
    for place in walk(folder.root, directory, stop):
        if place.error is None:
            with suppress(OSError):
                yield from _paths_in(folder, place)


def _paths_in(folder: FolderSpec, place: WalkedFolder) -> Iterator[bytes]:
    """The rasters in one folder; those of its subfolders that count are to be entered."""
    if folder.closed(place.fd):
        return
    with os.scandir(place.fd) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            if entry.is_dir(follow_symlinks=False):
                place.below += [name] if folder.enters_below(place.path, name) else []
            elif folder.wants(path := joined(place.path, name)):
                yield path


def look(folder: FolderSpec, path: bytes) -> Sighting | None:
    """One raster and its group by lstat; None where it is gone, ignored or not a regular file. Raises OSError."""
    directory, _, name = path.rpartition(b"/")
    if not (folder.enters(directory) and folder.wants(path)):
        return None
    try:
        with fs.directory(folder.root, directory) as fd:
            if companion(folder, name) and has_owner(folder, directory, name, fd):
                return None
            found = group(folder, directory, name, fd)
            if found is not None and ambiguous(found):
                # Where case does not matter, only a listing tells how a name is spelled.
                listing = _first_pass(folder, directory, fd)
                return group(folder, directory, name, fd, listing.companions)
            return found
    except OSError as error:
        if error.errno in fs.ABSENT and Path(folder.path).is_dir():
            return None
        raise


def look_all(
    folder: FolderSpec, paths: Iterable[bytes], stop: threading.Event
) -> Iterator[tuple[bytes, Sighting | LookProblem | None]]:
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
    asked = {stem for name in companions for stem in stems(folder, name)}
    try:
        with fs.directory(folder.root, directory) as fd, os.scandir(fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if not asked.isdisjoint(naming.owned(name)) and folder.wants(joined(directory, name)):
                    yield joined(directory, name)
    except OSError:
        return


def _looked(folder: FolderSpec, path: bytes, glance: _Listing | None) -> Sighting | LookProblem | None:
    directory, _, name = path.rpartition(b"/")
    try:
        if glance is None or not folder.wants(path) or companion(folder, name):
            return look(folder, path)
        with fs.directory(folder.root, directory) as fd:
            return group(folder, directory, name, fd, glance.companions)
    except OSError as error:
        return _trouble(path, error)


def _glance(folder: FolderSpec, directory: bytes, most: int) -> _Listing | None:
    """The listing of a folder; None where it has more entries than this, or cannot be listed."""
    try:
        with fs.directory(folder.root, directory) as fd:
            if os.fstat(fd).st_size > most * ENTRY_BYTES:
                return None
            listing = _first_pass(folder, directory, fd, most)
            return listing if listing.whole else None
    except OSError:
        return None


def _first_pass(folder: FolderSpec, directory: bytes, fd: int, most: int = sys.maxsize) -> _Listing:
    listing = _Listing()
    with os.scandir(fd) as entries:
        for number, entry in enumerate(entries):
            if number >= most:
                listing.whole = False
                break
            name = os.fsencode(entry.name)
            if entry.is_dir(follow_symlinks=False):
                listing.folders += [name] if folder.enters_below(directory, name) else []
                continue
            if companion(folder, name):
                listing.companions.add(name)
    return listing


def _rasters(
    folder: FolderSpec, directory: bytes, fd: int, listing: _Listing, stop: threading.Event
) -> Iterator[Found]:
    """The second pass: the rasters. Names that could be sidecars as well wait until it is clear whose."""
    clear: list[bytes] = []
    unclear: list[bytes] = []
    owners: set[bytes] = set()
    asked = {
        stem
        for name in listing.companions
        if folder.wants(joined(directory, name))
        for stem in stems(folder, name)
    }
    with os.scandir(fd) as entries:
        for entry in entries:
            if stop.is_set():
                return
            name = os.fsencode(entry.name)
            if not folder.wants(joined(directory, name)):
                yield from _left(folder, joined(directory, name), entry)
                continue
            if not entry.is_file(follow_symlinks=False):
                yield from _odd(joined(directory, name), entry)
                continue
            if companion(folder, name):
                unclear.append(name)
                continue
            if asked and not folder.alone(joined(directory, name)):
                owners.update(asked.intersection(naming.owned(name)))
            clear.append(name)
            if len(clear) >= SORTED:
                yield from _sighted(folder, directory, clear, fd, listing, stop=stop)
                clear = []
    clear += (name for name in unclear if owners.isdisjoint(stems(folder, name)))
    yield from _sighted(folder, directory, clear, fd, listing, stop=stop)


def _left(folder: FolderSpec, path: bytes, entry: os.DirEntry[str]) -> Iterator[Oddity]:
    """That a file which is not wanted holds others, or that a rule may have been meant for it."""
    kind = OddityKind.ARCHIVE if is_archive(path) else OddityKind.NO_RULE
    meant = kind is OddityKind.ARCHIVE or folder.fits_no_rule(path)
    if meant and folder.would_tell(path) and entry.is_file(follow_symlinks=False):
        yield Oddity(path, kind)


def _odd(path: bytes, entry: os.DirEntry[str]) -> Iterator[Oddity]:
    """Why something is left alone whose name is that of a raster; folders are entered."""
    if entry.is_symlink():
        yield Oddity(path, OddityKind.LINK)
    elif not entry.is_dir(follow_symlinks=False):
        yield Oddity(path, OddityKind.SPECIAL)


def _sighted(
    folder: FolderSpec,
    directory: bytes,
    names: list[bytes],
    fd: int,
    listing: _Listing,
    *,
    stop: threading.Event,
) -> Iterator[Found]:
    """These rasters of a folder, by their names: neighbours in the order lie together in the journal, too."""
    for name in sorted(names):
        if stop.is_set():
            return
        try:
            found = group(folder, directory, name, fd, listing.companions)
        except OSError as error:
            yield _trouble(joined(directory, name), error)
            continue
        if found is not None:
            yield found


def _trouble(path: bytes, error: OSError) -> LookProblem:
    return LookProblem(path, fs.words(error), error.errno or 0)
