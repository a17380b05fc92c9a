"""The files of a drop folder that are not taken, each with the rule that leaves it: the other side of a scan."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from uploader.core import naming
from uploader.core.archives import is_archive
from uploader.core.scene_rules import SKIPPED, UNMATCHED, LeftOut
from uploader.folders import FolderSpec
from uploader.folders.grouping import companion, stems
from uploader.folders.spec import joined
from uploader.system.tree_walk import WalkedFolder, walk

WORDS = {
    "unfinished": "It is not whole yet, or not said to be.",
    "refused": "It would be rejected.",
    "failed": "Its head could not be looked into.",
    "name": "Its name is no text, so its head is not read.",
    "ignored": "Its name is that of a hidden or temporary file, or of a folder that is not entered.",
    "excluded": "A pattern of `exclude` fits it.",
    "no_pattern": "No pattern of `include` or `passthrough` fits it.",
    "rule": SKIPPED.reason,
    "no_rule": UNMATCHED.reason,
    "alone": "Its name is that of a sidecar, and the raster is not there.",
    "archive": "It is an archive that is not opened. List *.zip, *.tar or *.tar.gz in `include`, or unpack it.",
    "opened": "It is an archive, and its rasters are told besides.",
    "unreadable": "It cannot be read.",
    "odd": "It is a link, a pipe, a socket or a device.",
}
"""By code: why a file is left, or does not get further."""


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file, or a folder with all below it, that is left. `path` is relative to its drop folder."""

    path: bytes
    code: str
    reason: str


def left_files(folder: FolderSpec, stop: threading.Event) -> Iterator[LeftFile]:
    """All that is not taken, but for sidecars, which travel, and folders that cannot be read, of which a scan tells."""
    for place in walk(folder.root, b"", stop):
        if place.error is not None:
            continue
        if folder.closed(place.fd):
            yield _left(place.path, "ignored")
            continue
        yield from _in_folder(folder, place)


def _in_folder(folder: FolderSpec, place: WalkedFolder) -> Iterator[LeftFile]:
    """One folder, listed twice: what may be a sidecar waits until it is known which rasters there are."""
    unclear: list[bytes] = []
    with os.scandir(place.fd) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            path = joined(place.path, name)
            if entry.is_dir(follow_symlinks=False):
                if folder.enters_below(place.path, name):
                    place.below.append(name)
                else:
                    yield _left(path, "ignored")
            elif folder.wants(path):
                if not entry.is_file(follow_symlinks=False):
                    yield _left(path, "odd")
            elif companion(folder, name):
                unclear.append(name)
            else:
                yield _judged(folder, path, name)
    owners = _owners(folder, place, unclear)
    for name in unclear:
        if owners.isdisjoint(stems(folder, name)):
            yield _judged(folder, joined(place.path, name), name)


def _owners(folder: FolderSpec, place: WalkedFolder, names: list[bytes]) -> set[bytes]:
    """Of what files of these names may belong to: what belongs to a raster that is taken."""
    asked = {stem for name in names for stem in stems(folder, name)}
    owners: set[bytes] = set()
    if asked:
        with os.scandir(place.fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if folder.wants(path := joined(place.path, name)) and not folder.alone(path):
                    owners |= asked.intersection(naming.owned(name))
    return owners


def _judged(folder: FolderSpec, path: bytes, name: bytes) -> LeftFile:
    """Why a file that is no companion of a raster is not wanted; the first of these reasons that holds."""
    if naming.ignored(name):
        return _left(path, "ignored")
    if naming.matches(path, folder.section.exclude):
        return _left(path, "excluded")
    if is_archive(name):
        return _left(path, "archive")
    placed = folder.placed(path)
    if isinstance(placed, LeftOut):
        return LeftFile(path, "rule" if placed.by_rule else "no_rule", placed.reason)
    return _left(path, "alone" if companion(folder, name) else "no_pattern")


def _left(path: bytes, code: str) -> LeftFile:
    return LeftFile(path, code, WORDS[code])
