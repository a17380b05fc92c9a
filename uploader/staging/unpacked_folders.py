"""The private copies of what is unpacked: in the archive's name at first, then each in the name of its own file.

    <root>/<archive id>.tmp/0/source.tif      while the child writes, by the order in which they were asked for
    <root>/<archive id>.out/<key>/source.tif  whole, durable and hashed, before the journal knows their ids
    <root>/<file id>.in/source.tif            once a file of theirs is looked for

A key is made of path and content, so that no copy can be taken for another one, whenever it is found.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from uploader.core.errors import StagedDamaged
from uploader.core.file_group import content, parts
from uploader.core.model import Sighting
from uploader.staging.checksums import Hashing
from uploader.staging.copying import ClaimedCopy, remove, writing
from uploader.system import file_content
from uploader.system import files as fs
from uploader.system.failpoints import failpoint

OUT = ".out"


def begin(begun: Path) -> None:
    """An empty folder for the child to write to. Raises NoSpace."""
    with writing(begun):
        remove(begun)
        begun.mkdir(mode=0o700)


def take_over(
    begun: Path, out: Path, sightings: Sequence[Sighting], stop: threading.Event
) -> list[ClaimedCopy]:
    """Hash what the child wrote, make it last, and keep it by its keys.

    Raises StagedDamaged where the child wrote something else, NoSpace, Interrupted, OSError.
    """
    copies = [_hashed(begun / str(number), sighting, stop) for number, sighting in enumerate(sightings)]
    with writing(out):
        out.mkdir(mode=0o700, exist_ok=True)
        for number, (sighting, copy) in enumerate(zip(sightings, copies, strict=True)):
            home, kept = begun / str(number), out / key(sighting.path, copy.content)
            fs.sync_directory(home)
            remove(kept)  # the same, of an earlier time
            home.rename(kept)
        fs.sync_directory(out)
        remove(begun)
    return copies


def key(path: bytes, content_hash: str) -> str:
    """What the folder of a file of this path and content is called."""
    return hashlib.sha256(path + b"\0" + content_hash.encode()).hexdigest()[:24]


def adopt(out: Path, home: Path, path: bytes, content_hash: str) -> None:
    """Give a file its private copy, where that lies in its archive's name still and it has none. Raises OSError.

    May be repeated, and done by two at once: one rename does it, or finds that there is nothing to do.
    """
    kept = out / key(path, content_hash)
    try:
        kept.rename(home)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}:
            raise
    failpoint("unpack.adopted")


def _hashed(home: Path, sighting: Sighting, stop: threading.Event) -> ClaimedCopy:
    """Raises StagedDamaged where another file lies there than was asked for, or more: it is a child that says so."""
    members, digests, raster = parts(sighting), list[tuple[str, str]](), None
    if {path.name for path in home.iterdir()} != {member.copy for member in members}:
        raise StagedDamaged(f"In {home} lies what nobody asked for.", "It is unpacked again.")
    for member in members:
        hashing = Hashing()
        with fs.opened(os.fsencode(home / member.copy)) as fd:
            file_content.show(fd, stop, hashing)
            os.fsync(fd)
        found = hashing.result()
        if found.size != member.fingerprint.size:
            raise StagedDamaged(f"A file in {home} has {found.size:,} bytes.", "It is unpacked again.")
        raster = raster or found
        if member.counts:
            digests.append((member.suffix, found.sha256.hex()))
    assert raster is not None
    copies = {member.suffix: member.copy for member in members}
    return ClaimedCopy(content(members[0].name, digests), sighting.size, raster, copies)
