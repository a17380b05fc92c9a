"""Lists an archive, and unpacks what is wanted of it: one pass, in which every entry is judged before any is written.

Runs in the child. A member's name is never that of a file: what is written goes where the job says. Sizes that an
archive declares are bounded, and not believed: what comes out is counted.
"""

from __future__ import annotations

import json
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO

from uploader.convert.archive_job import ArchiveJob, entries_to_json
from uploader.convert.archives import tar_members, zip_members
from uploader.convert.archives.member import PIECE, SEVERAL, UNPACK, ArchiveMember, refused
from uploader.core.archives import MOST_ENTRIES, TOLD_BYTES, ArchiveEntry, most_bytes, plain, twice
from uploader.core.errors import NoSpace, RasterRefused, RasterUnreadable

_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, struct.error, EOFError, OSError),
    *(ValueError, LookupError, OverflowError, NotImplementedError, RuntimeError),
)
"""What the readers raise of an archive that is none, or not whole."""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def listed(job: ArchiveJob) -> list[ArchiveEntry]:
    """The files in an archive. Raises RasterRefused where it has what none should have, RasterUnreadable."""
    with _reading(job.source) as (file, size):
        found = [entry for entry, _ in _judged(_members(job.kind, file, size), size)]
    if len(json.dumps(entries_to_json(found))) > TOLD_BYTES:
        raise RasterRefused("The archive is not opened: the names in it are too long together.", SEVERAL)
    return found


def unpacked(job: ArchiveJob) -> int:
    """Write the wanted members below the target; returns their bytes.

    Raises as `listed`, and NoSpace where they do not fit; what was written until then is the caller's to remove.
    """
    assert job.target is not None
    left, missing = job.room, dict(job.wanted)
    with _reading(job.source) as (file, size):
        for entry, member in _judged(_members(job.kind, file, size), size):
            places = [job.target / place for place in missing.pop(entry.number, ())]
            if places:
                left -= _written(member, places[0], left // len(places)) * len(places)
            for another in places[1:]:
                _copied(places[0], another)
    if missing:
        raise RasterUnreadable("The archive holds other files than it did.", "It is looked at again.")
    return job.room - left


def _members(kind: str, file: BinaryIO, size: int) -> Iterator[ArchiveMember]:
    if kind == "zip":
        return zip_members.members(file)
    return tar_members.members(file, size, compressed=kind == "tar.gz")


def _judged(
    members: Iterator[ArchiveMember], archive_bytes: int
) -> Iterator[tuple[ArchiveEntry, ArchiveMember]]:
    """The files among the members, each when all that was met until then is in order."""
    names, total, most = list[str](), 0, most_bytes(archive_bytes)
    for number, member in enumerate(members):
        if number >= MOST_ENTRIES:
            raise RasterRefused(
                f"The archive is not opened: it has more than {MOST_ENTRIES:,} entries.",
                SEVERAL,
            )
        if member.fault and not (member.folder and not plain(member.name)):
            raise refused(member.name, member.fault)
        if member.folder:
            continue
        total += member.size
        if total > most:
            raise RasterRefused(
                f"The archive is not opened: its {archive_bytes:,} bytes say that they hold more than {most:,}.",
                UNPACK,
            )
        entry = ArchiveEntry(number, plain(member.name), member.size)
        names.append(entry.name)
        yield entry, member
    if found := twice(names):
        raise refused(found, "has the name of another member, case aside, or of a folder")


def _written(member: ArchiveMember, target: Path, room: int) -> int:
    """Write one member; returns its bytes."""
    written = 0
    with member.opened() as content, _new(target) as out:
        while piece := content.read(PIECE):
            written += len(piece)
            if written > room:
                raise _no_room()
            _write(out, piece)
    if written != member.size:
        fault = f"has {written:,} bytes, and not the {member.size:,} that the archive says"
        raise RasterUnreadable(
            f'The archive is damaged: "{plain(member.name)}" in it {fault}.', "Copy it again."
        )
    return written


def _copied(written: Path, target: Path) -> None:
    """The same once more: an archive may be one that is read only forward."""
    with written.open("rb") as content, _new(target) as out:
        while piece := content.read(PIECE):
            _write(out, piece)


@contextmanager
def _new(target: Path) -> Iterator[int]:
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        out = os.open(target, _CREATE, 0o600)
    except OSError as error:
        raise _no_room(error) from error
    try:
        yield out
    finally:
        os.close(out)


def _write(out: int, piece: bytes) -> None:
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[os.write(out, rest) :]
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError | None = None) -> NoSpace:
    why = f" ({error.strerror})" if error else ""
    return NoSpace(f"There is no room in staging for what the archive holds{why}.", "Free some space there.")


@contextmanager
def _reading(source: Path) -> Iterator[tuple[BinaryIO, int]]:
    """An archive and its bytes; what its reader says of a damaged one is told as RasterUnreadable."""
    try:
        with source.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    except _DAMAGED as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise RasterUnreadable(f"The archive cannot be read: {why}.", "Copy it again, whole.") from error
