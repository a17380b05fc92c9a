"""The folders of the private copies: made by a claim, measured and compared, and removed. See the package."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from uploader.core.errors import NoSpace, StagedDamaged
from uploader.core.file_group import PLAIN, GroupFile, content, parts
from uploader.core.model import Sighting
from uploader.staging.copying import ClaimedCopy, copy_group, require, source_folder, writing
from uploader.system import files as fs
from uploader.system.failpoints import failpoint
from uploader.system.files import Interrupted


@dataclass(frozen=True, slots=True)
class Checksums:
    """Size in bytes and both hashes that object stores report."""

    size: int
    md5: bytes
    crc32c: int


class Staging:
    """Private copies below `root`; every method may be called from any thread, one at a time for each file id.

    `min_free_bytes` stay free on the file system when something is copied.
    """

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        self._root = root
        self.min_free_bytes = min_free_bytes
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def claim(self, file_id: int, folder: str, sighting: Sighting, stop: threading.Event) -> ClaimedCopy:
        """Copy the group that was sighted in `folder` into staging while hashing it; an earlier claim is replaced.

        Raises SourceChanged where it is not, or does not stay, what was sighted; SourceUnreadable; NoSpace where
        staging cannot take it; Interrupted soon after `stop` is set. After any of these nothing is left of it.
        """
        home = self._home(file_id)
        self._check_room(sighting)
        try:
            with writing(home):
                self.discard(file_id)
                (home / "in.tmp").mkdir(mode=0o700, parents=True)
            failpoint("claim.begun")
            members = parts(sighting)
            directory = sighting.path.rpartition(b"/")[0]
            with source_folder(sighting.path, folder, directory) as source:
                claim = copy_group(members, source, home / "in.tmp", sighting, stop)
            with source_folder(sighting.path, folder, directory) as source:
                for member in members:
                    require(member, fs.lstat_regular(member.name, source))
            failpoint("claim.copied")
            with writing(home):
                self._publish(home, members[0].copy)
        except BaseException:
            with suppress(
                OSError
            ):  # what staging refuses now is removed by the next claim, or the next start
                self.discard(file_id)
            raise
        return claim

    def _publish(self, home: Path, raster: str) -> None:
        """Let the claim appear, and make it last."""
        fs.sync_directory(home / "in.tmp")
        (home / "source").symlink_to(Path("in") / raster)
        failpoint("claim.linked")
        (home / "in.tmp").rename(home / "in")
        fs.sync_directory(home)
        fs.sync_directory(self._root)
        failpoint("claim.renamed")

    def source(self, file_id: int) -> Path:
        """The claimed raster. Where there is no claim, a path at which nothing exists."""
        home = self._home(file_id)
        try:
            return home / (home / "source").readlink()
        except OSError:
            return home / "in" / f"source{PLAIN}"

    def working(self, file_id: int) -> Path:
        """The folder with the claimed raster and its sidecars, and nothing else."""
        return self._home(file_id) / "in"

    def result(self, file_id: int) -> Path:
        """Where the file that is uploaded appears."""
        return self._home(file_id) / "out.tif"

    def measure(self, path: Path, stop: threading.Event) -> Checksums:
        """Size and hashes of a file in staging. Raises StagedDamaged where it cannot be read; Interrupted."""
        md5, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
        for piece in _pieces(path, stop):
            md5.update(piece)
            crc = google_crc32c.extend(crc, piece)
            size += len(piece)
        return Checksums(size, md5.digest(), crc)

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

    def content(self, file_id: int, sighting: Sighting, stop: threading.Event) -> str | None:
        """The content hash of a claimed group as it lies here; None where it is not whole. Raises Interrupted."""
        members, digests = parts(sighting), []
        try:
            for member in filter(_counts, members):
                with fs.opened(os.fsencode(self.working(file_id) / member.copy)) as fd:
                    digests.append((member.suffix, fs.digest(fd, stop)))
        except OSError:
            return None
        return content(members[0].name, digests)

    def discard(self, file_id: int) -> None:
        """Remove all of a file's private copies; nothing happens where there are none. Raises OSError."""
        home = self._home(file_id)
        if home.is_symlink():  # none of ours, but in the way of ours; what it points to stays
            home.unlink()
        # The link goes first: without it a claim that is half removed is none.
        with suppress(FileNotFoundError):
            (home / "source").unlink()
        failpoint("discard.half")
        with suppress(FileNotFoundError):
            shutil.rmtree(home)

    def sweep(self, known: Container[int]) -> int:
        """Remove the private copies of files that are not known; returns how many."""
        strange = [path for path in self._folders() if int(path.name) not in known]
        for path in strange:
            self.discard(int(path.name))
        return len(strange)

    def free(self) -> int:
        """Bytes that the file system has left for us. Raises OSError."""
        found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def _home(self, file_id: int) -> Path:
        return self._root / str(file_id)

    def _folders(self) -> list[Path]:
        return [path for path in self._root.iterdir() if path.name.isdecimal()]

    def _check_room(self, sighting: Sighting) -> None:
        with writing(self._root):
            free = self.free()
        if free - sighting.size < self.min_free_bytes:
            raise NoSpace(
                f"Staging has {free:,} bytes free, and {sighting.size:,} are to be copied.",
                "Free some space there, or lower limits.min_free_bytes.",
            )


def _counts(member: GroupFile) -> bool:
    return member.counts


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
