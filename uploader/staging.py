"""The private copies: one folder per file, in which nobody else writes, and from which alone is read after the claim.

    <root>/<file id>/in/source.tif     the raster as it was claimed, its sidecars renamed alike beside it
    <root>/<file id>/source            a link to the raster in `in/`, as only its name tells it from its sidecars
    <root>/<file id>/out.tif           what is uploaded

A claim is whole or absent: it is copied into `in.tmp`, made durable, and renamed.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
import shutil
import stat
import threading
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c

from uploader import filesystem as fs
from uploader.core import names
from uploader.core.errors import NoSpace, SourceChanged, SourceUnreadable, StagedDamaged
from uploader.core.model import Fingerprint, Sighting
from uploader.failpoints import failpoint
from uploader.filesystem import Interrupted

__all__ = ["FAILPOINTS", "Claim", "Interrupted", "Measured", "Staging"]

FAILPOINTS = ("claim.begun", "claim.copied", "claim.linked", "claim.renamed", "discard.half")

_EXTENSION = re.compile(rb"\.[A-Za-z0-9]{1,8}")
_PLAIN = ".tif"


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed: the content hash and the bytes of the group, and the copies' names by suffix."""

    content: str
    size: int
    copies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """Size in bytes and both hashes that object stores report."""

    size: int
    md5: bytes
    crc32c: int

    @property
    def md5_base64(self) -> str:
        """The hash as `x-goog-hash` and `Content-MD5` spell it."""
        return base64.b64encode(self.md5).decode("ascii")


@dataclass(frozen=True, slots=True)
class _Member:
    """One file of a group: where it lies in the drop folder, and what its copy is called."""

    name: bytes
    fingerprint: Fingerprint
    suffix: str
    copy: str


class Staging:
    """Private copies below `root`; every method may be called from any thread, one at a time for each file id.

    `min_free_bytes` stay free on the file system when something is copied.
    """

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        self._root = root
        self._min_free = min_free_bytes
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._weights = {path.name: _weight(path) for path in self._folders()}

    def claim(self, file_id: int, folder: str, sighting: Sighting, stop: threading.Event) -> Claim:
        """Copy the group that was sighted in `folder` into staging while hashing it; an earlier claim is replaced.

        Raises SourceChanged where it is not, or does not stay, what was sighted; SourceUnreadable; NoSpace where
        staging cannot take it; Interrupted soon after `stop` is set. After any of these nothing is left of it.
        """
        home = self._home(file_id)
        self._check_room(sighting)
        try:
            with _writing(home):
                self.discard(file_id)
                (home / "in.tmp").mkdir(mode=0o700, parents=True)
            failpoint("claim.begun")
            members = _members(sighting)
            directory = sighting.path.rpartition(b"/")[0]
            with _source(sighting.path, folder, directory) as source:
                claim = _copy_group(members, source, home / "in.tmp", sighting, stop)
            with _source(sighting.path, folder, directory) as source:
                for member in members:
                    _require(member, fs.lstat_regular(member.name, source))
            failpoint("claim.copied")
            with _writing(home):
                self._publish(home, members[0].copy)
        except BaseException:
            self.discard(file_id)
            raise
        self._weigh(file_id)
        return claim

    def _publish(self, home: Path, raster: str) -> None:
        """Let the claim appear, and make it last."""
        fs.sync_directory(str(home / "in.tmp"))
        (home / "source").symlink_to(Path("in") / raster)
        failpoint("claim.linked")
        (home / "in.tmp").rename(home / "in")
        fs.sync_directory(str(home))
        fs.sync_directory(str(self._root))
        failpoint("claim.renamed")

    def source(self, file_id: int) -> Path:
        """The claimed raster. Where there is no claim, a path at which nothing exists."""
        home = self._home(file_id)
        try:
            return home / (home / "source").readlink()
        except OSError:
            return home / "in" / f"source{_PLAIN}"

    def working(self, file_id: int) -> Path:
        """The folder with the claimed raster and its sidecars, and nothing else."""
        return self._home(file_id) / "in"

    def result(self, file_id: int) -> Path:
        """Where the file that is uploaded appears."""
        return self._home(file_id) / "out.tif"

    def measure(self, path: Path, stop: threading.Event) -> Measured:
        """Size and hashes of a file in staging. Raises StagedDamaged where it cannot be read; Interrupted."""
        md5, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
        for piece in _pieces(path, stop):
            md5.update(piece)
            crc = google_crc32c.extend(crc, piece)
            size += len(piece)
        if path.is_relative_to(self._root):
            self._weigh(int(path.relative_to(self._root).parts[0]))
        return Measured(size, md5.digest(), crc)

    def verify(self, path: Path, size: int, crc32c: int, stop: threading.Event) -> None:
        """Raises StagedDamaged where the file is not the one that was measured; Interrupted."""
        crc, found = 0, 0
        for piece in _pieces(path, stop):
            crc = google_crc32c.extend(crc, piece)
            found += len(piece)
        if found != size or crc != crc32c:
            raise StagedDamaged(
                f"The private copy {path} has changed: {found:,} bytes instead of {size:,}, or other content.",
                "It is made again; look at the disk if this repeats.",
            )

    def discard(self, file_id: int) -> None:
        """Remove all of a file's private copies; nothing happens where there are none. Raises OSError."""
        home = self._home(file_id)
        # The link goes first: without it a claim that is half removed is none.
        with suppress(FileNotFoundError):
            (home / "source").unlink()
        failpoint("discard.half")
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        with self._lock:
            self._weights.pop(home.name, None)

    def sweep(self, known: Container[int]) -> int:
        """Remove the private copies of files that are not known; returns how many."""
        strange = [path for path in self._folders() if int(path.name) not in known]
        for path in strange:
            self.discard(int(path.name))
        return len(strange)

    def used(self) -> int:
        """Bytes of all private copies, as of the last claim, measurement and discard of each."""
        with self._lock:
            return sum(self._weights.values())

    def free(self) -> int:
        """Bytes that the file system has left for us. Raises OSError."""
        found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def _home(self, file_id: int) -> Path:
        return self._root / str(file_id)

    def _folders(self) -> list[Path]:
        return [path for path in self._root.iterdir() if path.name.isdecimal()]

    def _weigh(self, file_id: int) -> None:
        home = self._home(file_id)
        weight = _weight(home)
        with self._lock:
            self._weights[home.name] = weight

    def _check_room(self, sighting: Sighting) -> None:
        free = self.free()
        if free - sighting.size < self._min_free:
            raise NoSpace(
                f"Staging has {free:,} bytes free, and {sighting.size:,} are to be copied.",
                "Free some space there, or lower limits.min_free_bytes.",
            )


def _members(sighting: Sighting) -> list[_Member]:
    """The group, raster first. A copy is named `source` and what the name adds to the stem."""
    extension = names.split(sighting.path.rpartition(b"/")[2])[1]
    own = os.fsdecode(extension)
    safe = own if not extension or _EXTENSION.fullmatch(extension) else _PLAIN
    raster = sighting.path.rpartition(b"/")[2]
    group = [_Member(raster, sighting.fingerprint, own, f"source{safe}")]
    for sidecar in sighting.sidecars:
        rest = sidecar.suffix
        if names.belongs_to_name(raster, rest):
            rest = safe + rest[len(own) :]
        group.append(_Member(sidecar.name, sidecar.fingerprint, sidecar.suffix, f"source{rest}"))
    return group


def _copy_group(
    members: list[_Member], source: int, target: Path, sighting: Sighting, stop: threading.Event
) -> Claim:
    copied = {member.suffix: _copy_member(member, source, target, stop) for member in members}
    return Claim(
        content=_content([(suffix, digest) for suffix, (digest, _) in copied.items()]),
        size=sighting.size,
        copies={member.suffix: member.copy for member in members},
    )


def _content(digests: list[tuple[str, str]]) -> str:
    """The hash of a group: the raster's own where it is alone, else one over what each part adds."""
    if len(digests) == 1:
        return digests[0][1]
    raster, *sidecars = digests
    whole = hashlib.sha256()
    # The raster's own suffix is left out: `a.tif` and `a.tiff` with equal bytes are equal content, alone or not.
    for suffix, digest in [("", raster[1]), *sorted(sidecars)]:
        whole.update(suffix.encode("utf-8", "surrogateescape") + b"\0" + digest.encode() + b"\0")
    return whole.hexdigest()


def _copy_member(member: _Member, source: int, target: Path, stop: threading.Event) -> tuple[str, int]:
    """Copy one file, durably; returns its sha256 and size."""
    with _reading(member.name), fs.opened(member.name, source) as reading:
        _require(member, fs.fingerprint(os.fstat(reading)))
        with _writing(target), (target / member.copy).open("x+b", buffering=0) as copy:
            shared = fs.reflink(reading, copy.fileno())
            digest, size = fs.copy(reading, copy.fileno(), stop, shared=shared)
            os.fsync(copy.fileno())
    if size != member.fingerprint.size:
        raise _changed(member.name)
    return digest, size


def _require(member: _Member, found: Fingerprint | None) -> None:
    if found != member.fingerprint:
        raise _changed(member.name)


@contextmanager
def _source(path: bytes, folder: str, directory: bytes) -> Iterator[int]:
    """The folder that the group lies in."""
    with _reading(path), fs.directory(os.fsencode(folder), directory) as fd:
        yield fd


@contextmanager
def _reading(name: bytes) -> Iterator[None]:
    """Translate what the system says while a source is read."""
    try:
        yield
    except OSError as error:
        if error.errno in fs.ABSENT - {errno.ESTALE}:  # a stale handle that stays is a reason for a person
            raise _changed(name) from error
        shown = name.decode("utf-8", "backslashreplace")
        raise SourceUnreadable(
            f"{shown} cannot be read: {fs.words(error)}.", "Check its owner and rights, and the disk."
        ) from error


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Translate what the system says while staging is written to: whatever it is, the file is not to blame."""
    try:
        yield
    except fs.ReadError:
        raise
    except OSError as error:
        raise NoSpace(
            f"Staging cannot be written at {place}: {fs.words(error)}.",
            "Free some space there, or check its rights.",
        ) from error


def _changed(name: bytes) -> SourceChanged:
    shown = name.decode("utf-8", "backslashreplace")
    return SourceChanged(
        f"{shown} is no longer the file that was seen.", "It is taken when it is quiet again."
    )


def _pieces(path: Path, stop: threading.Event) -> Iterator[bytes]:
    """The bytes of a private copy."""
    try:
        with fs.opened(os.fsencode(path)) as fd:
            while piece := os.read(fd, fs.CHUNK):
                if stop.is_set():
                    raise Interrupted
                yield piece
    except OSError as error:
        raise StagedDamaged(
            f"The private copy {path} cannot be read: {fs.words(error)}.", "It is made again."
        ) from error


def _weight(home: Path) -> int:
    """Bytes of all files below a folder, as they are declared: holes are filled sooner or later."""
    total = 0
    for directory, _, files in os.walk(home):
        for name in files:
            with suppress(OSError):
                found = (Path(directory) / name).lstat()
                total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total
