"""The folder of an archive that a group goes to: by renaming on the same file system, else by a verified copy.

A name that is taken gets a number, the same for the whole group. A group of which some has arrived before a crash is
found again: by inode where it was renamed, by time and content where it was copied.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from uploader.core import naming, product_files
from uploader.core.errors import NO_ROOM, LocalError, NoSpace
from uploader.core.path_text import lossless, raw, shown
from uploader.disposal.archived_receipt import ArchivedReceipt
from uploader.disposal.hiding import HiddenFile, same
from uploader.system import file_content
from uploader.system import files as fs
from uploader.system.failpoints import failpoint

MOST_NUMBERS = 100_000

_GRAINS = (1, 100, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)
"""Nanoseconds to which file systems cut the times that a copy is given: SMB has 100, ext3 a second, FAT two."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An open folder of the archive. `path` is for people; `token` keeps temporary names of different sources apart."""

    fd: int
    path: bytes
    token: bytes
    renaming: bool
    """It is on the same mount as the drop folder."""
    receipt: ArchivedReceipt | None = None
    """What is to lie beside the raster."""

    def where(self, group: list[HiddenFile], number: int) -> bytes:
        """The path of the archived raster."""
        return self.path + b"/" + named(group, group[0], number)

    def find(self, group: list[HiddenFile], source: int | None) -> int | None:
        """The number under which this very raster lies here already, or None. `source` is the folder it came from."""
        for number in range(1, MOST_NUMBERS):
            name = named(group, group[0], number)
            seen = fs.lstat_regular(name, self.fd)
            if seen is None:
                return None
            if self.renaming and same(seen, group[0].fingerprint):
                return number
            if not self.renaming and self._copied(name, group[0], source):
                return number
        return None

    def _copied(self, name: bytes, member: HiddenFile, source: int | None) -> bool:
        """Whether a file here is our copy. Once the source is gone its time and size have to do."""
        seen = fs.lstat_regular(name, self.fd)
        wanted = member.fingerprint
        if seen is None or seen.size != wanted.size:
            return False
        if all(seen.mtime_ns != wanted.mtime_ns // grain * grain for grain in _GRAINS):
            return False
        if source is None or fs.lstat_regular(member.name, source) is None:
            return True
        return _digest(name, self.fd) == _digest(member.name, source)

    def free_number(self, group: list[HiddenFile]) -> int:
        """The first number under which nothing of the group would meet anything."""
        for number in range(1, MOST_NUMBERS):
            names = [named(group, member, number) for member in group]
            if self.receipt is not None:
                names.append(naming.receipt_name(names[0]))
            if not any(fs.exists(name, self.fd) for name in names):
                return number
        raise LocalError(f"The archive {shown(self.path)} has too many files of one name.", "Tidy it up.")

    def move(self, group: list[HiddenFile], hidden: int) -> int:
        """Bring a hidden group here, raster first, replacing nothing; returns its number. May be repeated."""
        number = self.find(group, hidden)
        if number is None:
            number = self._take(group, group[0], hidden, self.free_number(group))
        failpoint("dispose.archived")
        self.place_receipt(group, number)
        for member in group[1:]:
            self._take(group, member, hidden, number)
        fs.sync_names(self.fd)
        return number

    def place_receipt(self, group: list[HiddenFile], number: int) -> None:
        """Give the receipt, if one is wanted, its name beside the raster that lies here under a number."""
        if self.receipt is not None:
            self.receipt.place(named(group, group[0], number))

    def _take(self, group: list[HiddenFile], member: HiddenFile, hidden: int, number: int) -> int:
        """Bring one file here; somebody who takes the name in this instant moves us on by one."""
        while True:
            try:
                self._arrive(member, named(group, member, number), hidden)
            except FileExistsError:
                number += 1
            else:
                return number

    def _arrive(self, member: HiddenFile, name: bytes, hidden: int) -> None:
        """What is not in the hidden folder came here before a crash, or stays with another raster."""
        if fs.lstat_regular(member.name, hidden) is None:
            return
        if self.renaming:
            fs.rename_noreplace(member.name, hidden, name, self.fd)
        elif self._copied(name, member, hidden):
            return  # before a power cut that brought the source back
        elif fs.lstat_regular(self._temporary(member), self.fd) is not None:
            fs.rename_noreplace(self._temporary(member), self.fd, name, self.fd)
        else:
            raise LocalError(f"The copy in {shown(self.path)} has gone.", "It is copied again.")

    def lacking(self, group: list[HiddenFile], source: dict[bytes, int]) -> list[HiddenFile]:
        """Those of the group that lie in one of the source folders and are not here under their names."""
        number = self.find(group, source.get(group[0].name))
        present = [member for member in group if member.name in source]
        if number is None:
            return present
        return [m for m in present if not self._copied(named(group, m, number), m, source[m.name])]

    def copy(self, group: list[HiddenFile], source: dict[bytes, int], stop: threading.Event) -> None:
        """Copy a group to temporary names here, durably, and read it back; older copies of it are replaced.

        `source` tells the folder that each name lies in. Raises NoSpace, Interrupted, LocalError, OSError.
        """
        try:
            for member in group:
                self._copy(member, source[member.name], stop)
        except BaseException:
            self.forget(group)
            raise
        failpoint("dispose.copied")

    def _copy(self, member: HiddenFile, source: int, stop: threading.Event) -> None:
        name = self._temporary(member)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._writing(), fs.opened(member.name, source) as reading:
            found = os.fstat(reading)
            fd = os.open(name, flags, 0o600, dir_fd=self.fd)
            try:
                digest = hashlib.sha256()
                file_content.copy(reading, fd, stop, digest)
                fs.give_rights_and_times(fd, found)
                os.fsync(fd)
                # Out of the cache, so that the disk is asked for what it has.
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                if file_content.digest(fd, stop) != digest.hexdigest():
                    raise LocalError(f"The archive {shown(self.path)} does not keep what is written to it.")
            finally:
                os.close(fd)

    def forget(self, group: list[HiddenFile]) -> None:
        """Remove what was copied, or written beside it, and is not wanted now."""
        if self.receipt is not None:
            self.receipt.forget()
        for member in group:
            fs.remove_quietly(self._temporary(member), self.fd)

    def _temporary(self, member: HiddenFile) -> bytes:
        return naming.hidden(self.token + b"\0" + member.name) + b".part"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except file_content.ReadError:
            raise
        except OSError as error:
            if error.errno in NO_ROOM:
                raise NoSpace(f"The archive {shown(self.path)}: {fs.words(error)}.", "Make room.") from error
            raise


def named(group: list[HiddenFile], member: HiddenFile, number: int) -> bytes:
    """The name of a member under a number; all members that are named after the raster keep one stem."""
    if number == 1:
        return member.name
    if product_files.is_product(lossless(member.suffix)):
        stem, extension = naming.split(member.name)
        return naming.numbered(stem, number, len(extension)) + extension
    return naming.numbered(naming.split(group[0].name)[0], number, naming.LONGEST_SUFFIX) + member.suffix


def _digest(name: bytes, dir_fd: int) -> str:
    with fs.opened(name, dir_fd) as fd:
        return file_content.digest(fd, threading.Event())


@contextmanager
def open_archive(
    root: str, folder: str, path: bytes, visible: int, receipt: bytes | None = None
) -> Iterator[Archive]:
    """The folder below `root` for a raster of this relative path; made as needed. Raises LocalError, OSError.

    `visible` is the raster's own folder, opened; `receipt` what is to lie beside the raster, if anything.

    The archive itself has to be there: an archive that is not mounted must not be filled beside itself.
    """
    directory = path.rpartition(b"/")[0]
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise LocalError(
            f"The archive {root} cannot be opened: {fs.words(error)}.",
            "Create or mount it, and check its rights.",
        ) from error
    # The archive's own name has to last as well; what is above may not be ours to open, and then it was not made by us.
    with suppress(OSError):
        fs.sync_directory(Path(root).parent)
    try:
        for part in filter(None, directory.split(b"/")):
            fd = _enter(part, fd)
        place = raw(root).rstrip(b"/") + (b"/" + directory if directory else b"")
        token = hashlib.sha256(raw(folder) + b"\0" + path).digest()
        yield Archive(
            fd,
            place,
            token,
            renaming=os.fstat(fd).st_dev == os.fstat(visible).st_dev
            and fs.mount_id(fd) == fs.mount_id(visible),
            receipt=None if receipt is None else ArchivedReceipt(fd, place, token, receipt),
        )
    finally:
        os.close(fd)


def _enter(name: bytes, fd: int) -> int:
    """Go down one folder, making it durably where it is missing; the folder above is closed."""
    try:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=fd)
        fs.sync_names(fd)  # also where it is there: who made it may have been killed before
        below = fs.open_below(name, fd)
    except OSError as error:
        raise LocalError(
            f"The archive's folder {shown(name)} cannot be used: {fs.words(error)}.",
            "Check its rights.",
        ) from error
    os.close(fd)
    return below
