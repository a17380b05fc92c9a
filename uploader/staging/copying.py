"""Copies a group out of a drop folder while hashing it: it is the one that was seen, before and after, or no copy."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from uploader.core.byte_sizes import format_size
from uploader.core.errors import FileTooLarge, NoSpace, SourceChanged, SourceUnreadable
from uploader.core.file_group import GroupFile, content, parts
from uploader.core.model import Fingerprint, Sighting
from uploader.core.path_text import raw, shown
from uploader.staging.checksums import Checksums, Hashing
from uploader.system import file_content
from uploader.system import files as fs


@dataclass(frozen=True, slots=True)
class ClaimedCopy:
    """What was claimed: the group's content hash in hex and its bytes, the raster's hashes, the copies by suffix."""

    content: str
    size: int
    raster: Checksums
    copies: dict[str, str] = field(default_factory=dict)


def copy_group(
    members: list[GroupFile], source: int, target: Path, sighting: Sighting, stop: threading.Event
) -> ClaimedCopy:
    """Copy all parts of a group from the open folder `source`; the caller makes them last.

    Raises SourceChanged, SourceUnreadable, NoSpace, Interrupted.
    """
    copied = [(member, _copy_member(member, source, target, stop)) for member in members]
    digests = [(member.suffix, found.sha256.hex()) for member, found in copied if member.counts]
    return ClaimedCopy(
        content=content(members[0].name, digests),
        size=sighting.size,
        raster=copied[0][1],
        copies={member.suffix: member.copy for member in members},
    )


def content_of(sighting: Sighting, stop: threading.Event) -> str:
    """The content hash of a group as it lies in its drop folder now. Raises as `copy_group`, but for NoSpace."""
    members, digests = parts(sighting), []
    with source_folder(sighting.path, sighting.folder, sighting.path.rpartition(b"/")[0]) as source:
        for member in members:
            with _reading(member.name), fs.opened(member.name, source) as fd:
                digests.append((member.suffix, file_content.digest(fd, stop)))
    return content(members[0].name, digests)


def _copy_member(member: GroupFile, source: int, target: Path, stop: threading.Event) -> Checksums:
    """Copy one file."""
    hashing = Hashing()
    with _reading(member.name), fs.opened(member.name, source) as reading:
        require(member, fs.fingerprint(os.fstat(reading)))
        with writing(target), (target / member.copy).open("x+b", buffering=0) as copy:
            size = file_content.take(reading, copy.fileno(), stop, hashing)
    if size != member.fingerprint.size:
        raise _changed(member.name)
    return hashing.result()


def require(member: GroupFile, found: Fingerprint | None) -> None:
    """Raises SourceChanged where this is not the file that was seen."""
    if found != member.fingerprint:
        raise _changed(member.name)


@contextmanager
def source_folder(path: bytes, folder: str, directory: bytes) -> Iterator[int]:
    """The folder that the group lies in."""
    with _reading(path), fs.directory(raw(folder), directory) as fd:
        yield fd


@contextmanager
def _reading(name: bytes) -> Iterator[None]:
    """Translate what the system says while a source is read."""
    try:
        yield
    except OSError as error:
        if error.errno in fs.ABSENT:
            raise _changed(name) from error
        raise SourceUnreadable(
            f"{shown(name)} cannot be read: {fs.words(error)}.", "Check its owner and rights, and the disk."
        ) from error


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Translate what the system says while staging is written to: whatever it is, the file is not to blame."""
    try:
        yield
    except file_content.ReadError:
        raise
    except OSError as error:
        reason = f"Staging cannot be written at {place}: {fs.words(error)}"
        if error.errno == errno.EFBIG:
            raise FileTooLarge(f"{reason}{_at_most()}.", _OTHER_DISK) from error
        raise NoSpace(f"{reason}.", "Free some space there, or check its rights.") from error


_OTHER_DISK = (
    "Raise the limit, or name another disk in `[staging] dir`: FAT, for one, takes no file of 4 GiB or more."
)


def _at_most() -> str:
    """How large a file this process may write, where the limit is its own; no file system tells its own one."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return "" if most == resource.RLIM_INFINITY else f"; this process may write {format_size(most)}"


def remove(path: Path) -> None:
    """Remove a folder; what a link in its place points to stays."""
    with suppress(FileNotFoundError):
        if stat.S_ISLNK(os.lstat(path).st_mode):  # most often there is nothing, which this tells soonest
            path.unlink()
        else:
            shutil.rmtree(path)


def _changed(name: bytes) -> SourceChanged:
    return SourceChanged(
        f"{shown(name)} is no longer the file that was seen.", "It is taken when it is quiet again."
    )
