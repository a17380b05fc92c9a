"""The hidden folder in which a group waits between its disappearance and its disposal.

    drop/a.tif            →  drop/.uploader-<16 hex of sha256("a.tif")>/a.tif
    drop/a.tfw            →  drop/.uploader-<16 hex of sha256("a.tif")>/a.tfw

Nobody writes to a name in it, so what was looked at there is what is deleted. The names are kept, so that whatever
happens to us a person finds the files; the folder's name is computed, so that a repeat finds it. The raster goes in
first and comes out last: a raster without its sidecars is never seen.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from uploader.core import naming
from uploader.core.file_group import parts
from uploader.core.model import Fingerprint, Sighting
from uploader.core.path_text import raw, shown
from uploader.system import files as fs
from uploader.system.failpoints import failpoint
from uploader.system.tree_walk import walk

PUT_BACK_TRIES = 1000


@dataclass(frozen=True, slots=True)
class HiddenFile:
    """One file of a group, as it was uploaded. `suffix` is that of a `Sidecar`, of the raster its extension."""

    name: bytes
    suffix: bytes
    fingerprint: Fingerprint
    needed: bool = True
    """Without it, or with another in its place, the group is not what was uploaded: it is part of the content."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A hidden folder found at start: whose it is where that can be told, and the names in it."""

    directory: bytes
    hidden: bytes
    raster: bytes
    names: tuple[bytes, ...]

    @property
    def path(self) -> bytes:
        """The raster's path below the drop folder; empty where the raster itself is no longer in there."""
        whole = self.directory + b"/" + self.raster if self.directory else self.raster
        return whole if self.raster else b""


def members(sighting: Sighting) -> list[HiddenFile]:
    """The group, raster first."""
    return [
        HiddenFile(part.name, raw(part.suffix), part.fingerprint, part.counts) for part in parts(sighting)
    ]


def untouched(seen: Fingerprint | None, uploaded: Fingerprint) -> bool:
    """Whether a file that was never moved is the one that was uploaded.

    The device is left out: numbers of LVM, NFS and Btrfs may differ after a restart, the rest does not by chance.
    """
    return seen is not None and _facts(seen) == _facts(uploaded) and seen.ctime_ns == uploaded.ctime_ns


def same(seen: Fingerprint | None, uploaded: Fingerprint) -> bool:
    """Whether a file that we renamed is the one that was uploaded: renaming alone changes the ctime."""
    return seen is not None and _facts(seen) == _facts(uploaded)


def answers(member: HiddenFile, name: bytes, seen: Fingerprint) -> bool:
    """Whether what has this name is the member.

    Where case does not matter, a file answers to other spellings as well, by FUSE with another inode for each.
    """
    of = member.fingerprint
    return seen.inode == of.inode or (
        name.lower() == member.name.lower() and replace(seen, inode=of.inode) == of
    )


def _facts(fp: Fingerprint) -> tuple[int, int, int]:
    return fp.inode, fp.size, fp.mtime_ns


def open_hidden(raster: bytes, visible: int) -> int | None:
    """The hidden folder of this raster, if there is one."""
    try:
        return fs.open_below(naming.hidden(raster), visible)
    except OSError as error:
        if error.errno in fs.ABSENT:
            return None
        raise


def finish_hiding(hidden: int, visible: int) -> None:
    """Remove names from the drop folder that a crash left beside those in the hidden folder.

    Where a rename is a hard link and an unlink, the file had both names in between.
    """
    for name in fs.listing(hidden):
        if fs.one_file(name, visible, name, hidden):
            os.unlink(name, dir_fd=visible)


def make_hidden(raster: bytes, visible: int) -> int:
    """The hidden folder of this raster, made where it is not there yet."""
    with suppress(FileExistsError):
        os.mkdir(naming.hidden(raster), 0o700, dir_fd=visible)
    return fs.open_below(naming.hidden(raster), visible)


def remove_hidden(hidden: bytes, visible: int) -> None:
    """Remove a hidden folder if it is empty, and make the folder around it durable."""
    with suppress(OSError):
        os.rmdir(hidden, dir_fd=visible)
    fs.sync_names(visible)


def restore(raster: bytes, hidden: int, visible: int) -> bytes:
    """Everything in the hidden folder comes back, replacing nothing; returns the raster's name.

    Where a name was taken meanwhile the whole group gets a number. May be repeated after a crash.
    """
    present = fs.listing(hidden)
    stem = naming.split(raster)[0]
    number = _free_number(stem, present, visible)
    # By this order the raster is seen last, with its sidecars beside it.
    for name in sorted(present, key=lambda name: (name == raster, name)):
        _bring_back(name, hidden, _renamed(name, stem, number), visible)
        failpoint("dispose.restoring")
    return _renamed(raster, stem, number)


def _renamed(name: bytes, stem: bytes, number: int) -> bytes:
    if not stem or not name.startswith(stem):
        return naming.numbered(name, number, 0)
    return naming.numbered(stem, number, naming.LONGEST_SUFFIX) + name[len(stem) :]


def _free_number(stem: bytes, present: list[bytes], visible: int) -> int:
    for number in range(1, PUT_BACK_TRIES):
        if not any(fs.exists(_renamed(name, stem, number), visible) for name in present):
            return number
    raise FileExistsError(shown(stem))


def _bring_back(name: bytes, hidden: int, new: bytes, visible: int) -> None:
    """Rename out of the hidden folder; whoever took the name in the last instant keeps it."""
    stem, extension = naming.split(new)
    for number in range(1, PUT_BACK_TRIES):
        with suppress(FileExistsError):
            fs.rename_noreplace(
                name, hidden, naming.numbered(stem, number, len(extension)) + extension, visible
            )
            return
    raise FileExistsError(shown(new))


def leftovers(folder: str, stop: threading.Event) -> Iterator[Leftover]:
    """Hidden folders that a disposal left behind. Those of files whose disposal is repeated are among them.

    What cannot be read is left out; links are not followed.
    """
    for place in walk(raw(folder), b"", stop):
        if place.error is not None:
            continue
        with suppress(OSError):
            with os.scandir(place.fd) as entries:
                below = [raw(e.name) for e in entries if e.is_dir(follow_symlinks=False)]
            place.below = [name for name in below if not naming.ignored(name)]
            for name in below:
                if name.startswith(naming.HIDDEN):
                    yield _leftover(place.path, name, place.fd)


def _leftover(directory: bytes, hidden: bytes, visible: int) -> Leftover:
    fd = fs.open_below(hidden, visible)
    try:
        present = tuple(fs.listing(fd))
    finally:
        os.close(fd)
    raster = next((name for name in present if naming.hidden(name) == hidden), b"")
    return Leftover(directory, hidden, raster, present)


def put_back(folder: str, leftover: Leftover) -> bytes:
    """Everything in a hidden folder comes back to where it was; returns the raster's relative path, or empty.

    For hidden folders of which the journal knows nothing. Raises OSError.
    """
    with fs.directory(raw(folder), leftover.directory) as visible:
        hidden = fs.open_below(leftover.hidden, visible)
        try:
            finish_hiding(hidden, visible)
            name = restore(leftover.raster, hidden, visible)
            remove_hidden(leftover.hidden, visible)
        finally:
            os.close(hidden)
    if not leftover.raster:
        return b""
    return leftover.directory + b"/" + name if leftover.directory else name
