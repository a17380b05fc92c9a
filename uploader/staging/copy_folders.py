"""The folders of the private copies: made by a claim, measured and compared, and removed. See the package."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from uploader.core.errors import NoSpace, StagedDamaged
from uploader.core.file_group import GroupFile, content, copy_names, parts
from uploader.core.model import Sighting
from uploader.core.workshops import WORKSHOP
from uploader.staging import former_layout, unpacked_folders
from uploader.staging.checksums import Checksums, Hashing
from uploader.staging.copying import ClaimedCopy, copy_group, remove, require, source_folder, writing
from uploader.system import file_content
from uploader.system import files as fs
from uploader.system.failpoints import failpoint
from uploader.system.removal import remove_tree

CLAIM, BEGUN, RESULT, OUT = SUFFIXES = (".in", ".tmp", ".tif", unpacked_folders.OUT)
"""What the names in staging end with, after the number of their file."""


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """A private copy, open for reading until it is left."""

    fd: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


class Staging:
    """Private copies below `root`; every method may be called from any thread, one at a time for each file id.

    `min_free_bytes` stay free on the file system when something is copied.
    """

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        self._root = root
        self.min_free_bytes = min_free_bytes
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        former_layout.move(self._root)

    def claim(self, file_id: int, folder: str, sighting: Sighting, stop: threading.Event) -> ClaimedCopy:
        """Copy the group that was sighted in `folder` into staging while hashing it; an earlier claim is replaced.

        Raises SourceChanged where it is not, or does not stay, what was sighted; SourceUnreadable; NoSpace where
        staging cannot take it; Interrupted soon after `stop` is set. After any of these nothing is left of it.
        """
        home, begun = self.working(file_id), self._begun(file_id)
        self._check_room(sighting)
        try:
            with writing(home):
                self.discard(file_id)
                begun.mkdir(mode=0o700)
            failpoint("claim.begun")
            members = parts(sighting)
            directory = sighting.path.rpartition(b"/")[0]
            with source_folder(sighting.path, folder, directory) as source:
                claim = copy_group(members, source, begun, sighting, stop)
            with source_folder(sighting.path, folder, directory) as source:
                for member in members:
                    require(member, fs.lstat_regular(member.name, source))
            failpoint("claim.copied")
            with writing(home):
                _publish(begun, home, [member.copy for member in members])
        except BaseException:
            # What staging refuses now is removed by the next claim, or the next start.
            with suppress(OSError):
                self.discard(file_id)
            raise
        return claim

    def source(self, file_id: int, path: bytes) -> Path:
        """The claimed raster, which lay at `path` in its drop folder. Where there is no claim, nothing exists there."""
        return self.working(file_id) / copy_names(path.rpartition(b"/")[2], ())[0]

    def linked(self, file_id: int, path: bytes) -> bool:
        """Let the claimed raster be the file that is uploaded, by a second name; whether the file system takes it."""
        return fs.linked(self.source(file_id, path), self.result(file_id))

    def working(self, file_id: int) -> Path:
        """The folder with the claimed raster and its sidecars, and nothing else."""
        return self._root / f"{file_id}{CLAIM}"

    def result(self, file_id: int) -> Path:
        """Where the file that is uploaded appears."""
        return self._root / f"{file_id}{RESULT}"

    def measure(self, path: Path, stop: threading.Event) -> Checksums:
        """Size and hashes of a file in staging. Raises StagedDamaged where it cannot be read; Interrupted."""
        hashing = Hashing()
        with _reading(path), fs.opened(os.fsencode(path)) as fd:
            file_content.show(fd, stop, hashing)
        return hashing.result()

    def size(self, path: Path) -> int:
        """Bytes of a file in staging. Raises StagedDamaged."""
        with _reading(path):
            return path.stat().st_size

    def opened(self, path: Path, size: int) -> OpenCopy:
        """Open a file that was measured, to send it. Raises StagedDamaged where it cannot be, or has another size.

        Whoever puts another file in its place meanwhile, this one is read. Its bytes are compared as they are read.
        """
        with ExitStack() as stack:
            stack.enter_context(_reading(path))
            copy = stack.enter_context(OpenCopy(fs.open_file(os.fsencode(path))))
            found = os.fstat(copy.fd).st_size
            if found != size:
                raise StagedDamaged(
                    f"The private copy {path} has changed: {found:,} bytes instead of {size:,}.",
                    "It is made again; look at the disk if this repeats.",
                )
            stack.pop_all()
        return copy

    def content(self, file_id: int, sighting: Sighting, stop: threading.Event) -> str | None:
        """The content hash of a claimed group as it lies here; None where it is not whole. Raises Interrupted."""
        members, digests = parts(sighting), []
        try:
            for member in filter(_counts, members):
                with fs.opened(os.fsencode(self.working(file_id) / member.copy)) as fd:
                    digests.append((member.suffix, file_content.digest(fd, stop)))
        except OSError:
            return None
        return content(members[0].name, digests)

    def begin_unpacking(self, archive_id: int) -> Path:
        """An empty folder in which an archive is unpacked. Raises NoSpace."""
        unpacked_folders.begin(self._begun(archive_id))
        return self._begun(archive_id)

    def unpacked(
        self, archive_id: int, sightings: Sequence[Sighting], stop: threading.Event
    ) -> list[ClaimedCopy]:
        """Take over what was unpacked, whose folders there are called by their numbers among these.

        Raises NoSpace, StagedDamaged, Interrupted.
        """
        begun = self._begun(archive_id)
        with _reading(begun):
            return unpacked_folders.take_over(begun, self._out(archive_id), sightings, stop)

    def adopt(self, archive_id: int, file_id: int, path: bytes, content: str) -> None:
        """Give a file that was unpacked its private copy, where it has none yet. Raises StagedDamaged."""
        with _reading(self.working(file_id)):
            unpacked_folders.adopt(self._out(archive_id), self.working(file_id), path, content)

    def discard(self, file_id: int) -> None:
        """Remove all of a file's private copies; nothing happens where there are none. Raises OSError."""
        home, begun = self.working(file_id), self._begun(file_id)
        remove(begun)
        with suppress(FileNotFoundError):
            home.rename(begun)  # half of a claim is none
            failpoint("discard.half")
            remove(begun)
        remove(self._out(file_id))
        self.result(file_id).unlink(missing_ok=True)

    def sweep(self, known: Container[int]) -> int:
        """Remove what a kill left, and the private copies of files that are not known; returns of how many."""
        found = [path for path in self._root.iterdir() if path.suffix in SUFFIXES and path.stem.isdecimal()]
        for path in self._root.glob(f".*{WORKSHOP}"):
            remove_tree(path)  # a worker on another machine may still write to it
        strange = {int(path.stem) for path in found if int(path.stem) not in known}
        for file_id in strange:
            self.discard(file_id)
        return len(strange)

    def free(self) -> int:
        """Bytes that the file system has left for us. Raises OSError, also where nothing can be written."""
        found = os.statvfs(self._root)
        if found.f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if not os.access(self._root, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return found.f_bavail * found.f_frsize

    def _out(self, archive_id: int) -> Path:
        """The folder of what was unpacked, until each file there has a private copy of its own."""
        return self._root / f"{archive_id}{OUT}"

    def _begun(self, file_id: int) -> Path:
        """The folder of a claim that is not whole: begun, or half removed."""
        return self._root / f"{file_id}{BEGUN}"

    def _check_room(self, sighting: Sighting) -> None:
        with writing(self._root):
            found = os.statvfs(self._root)
        free = found.f_bavail * found.f_frsize
        if free - sighting.size < self.min_free_bytes:
            raise NoSpace(
                f"Staging has {free:,} bytes free, and {sighting.size:,} are to be copied.",
                "Free some space there, or lower limits.min_free_bytes.",
            )


def _counts(member: GroupFile) -> bool:
    return member.counts


def _publish(begun: Path, home: Path, copies: list[str]) -> None:
    """Let the claim appear, and make it last: its name is given before its bytes are synced.

    On file systems that keep the order of changes (ext4, XFS, Btrfs) one sync then makes all of it last, where a sync
    of each folder would be a commit of its own. Where a power cut takes a name away all the same, the copy is missing
    as a whole, which is noticed, and it is made again.
    """
    begun.rename(home)
    for copy in copies:
        with fs.opened(os.fsencode(home / copy)) as fd:
            os.fsync(fd)
    if copies[1:]:  # a raster without one of its sidecars would not be noticed
        fs.sync_directory(home)
    failpoint("claim.renamed")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Translate what the system says while a private copy is read."""
    try:
        yield
    except OSError as error:
        raise StagedDamaged(
            f"The private copy {path} cannot be read: {fs.words(error)}.", "It is made again."
        ) from error
