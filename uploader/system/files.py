"""The only place for file system calls that are easily done wrong.

Opening without following links, renaming without replacing, and making it durable.

Paths are bytes. Nothing below a drop folder is ever opened by a path that could lead through a symbolic link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from uploader.core.model import Fingerprint
from uploader.core.path_text import raw, shown
from uploader.system import libc

_AT_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_AT_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG))
"""What the system says of a file that is not there. A stale handle says nothing of the file: its server was away."""


def open_directory(root: bytes, relative: bytes = b"") -> int:
    """A descriptor of the folder `relative` below `root`, reached without following a link below the root.

    The root itself is what the operator configured, and may be a link. Raises OSError.
    """
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in relative.split(b"/"):
        if not part:
            continue
        try:
            below = open_below(part, fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def open_below(name: bytes, dir_fd: int) -> int:
    """A descriptor of a subfolder that is not a link. Raises OSError."""
    return os.open(name, _AT_DIRECTORY, dir_fd=dir_fd)


def exists(name: bytes, dir_fd: int) -> bool:
    """Whether anything has this name, of whatever kind."""
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise
    return True


def listing(fd: int) -> list[bytes]:
    """The names in an open folder, sorted."""
    with os.scandir(fd) as entries:
        return sorted(raw(entry.name) for entry in entries)


def mount_id(fd: int) -> str:
    """Which mount a descriptor is on: renaming works within one only, also where two show one file system."""
    try:
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text(encoding="ascii").splitlines()
    except OSError:
        return ""
    return next((line.split()[1] for line in lines if line.startswith("mnt_id:")), "")


@contextmanager
def directory(root: bytes, relative: bytes = b"") -> Iterator[int]:
    """`open_directory` for the length of a with block."""
    fd = open_directory(root, relative)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def opened(name: bytes, dir_fd: int | None = None) -> Iterator[int]:
    """A file for reading: links are refused, and a fifo does not block."""
    fd = open_file(name, dir_fd)
    try:
        yield fd
    finally:
        os.close(fd)


def open_file(name: bytes, dir_fd: int | None = None) -> int:
    """A descriptor of a file for reading, as `opened`, which the caller closes. Raises OSError."""
    return os.open(name, _AT_FILE, dir_fd=dir_fd)


def fingerprint(found: os.stat_result) -> Fingerprint:
    """The part of a stat that tells one file from another."""
    return Fingerprint(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def identity(path: bytes) -> str:
    """Device and inode of a file, as text; empty where there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"


def lstat_regular(name: bytes, dir_fd: int) -> Fingerprint | None:
    """The fingerprint of a regular file; None where there is none of that name. Raises OSError for the rest."""
    try:
        found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    return fingerprint(found) if stat.S_ISREG(found.st_mode) else None


def linked(source: Path, target: Path) -> bool:
    """Let a file have this name as well, in the place of what is there; False where the file system takes no link."""
    try:
        try:
            target.hardlink_to(source)
        except FileExistsError:
            target.unlink()
            target.hardlink_to(source)
    except OSError:
        return False
    return True


def sync_directory(path: bytes | str | Path) -> None:
    """`sync_names` of a folder by its path."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_names(fd)
    finally:
        os.close(fd)


def sync_names(fd: int) -> None:
    """Make the names in an open folder durable, where its file system can: some of SMB and FUSE sync no folder."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def give_rights_and_times(fd: int, source: os.stat_result) -> None:
    """Let a copy have the rights and times of its source; SMB, FAT and object stores keep their own, and refuse."""
    with suppress(OSError):
        os.fchmod(fd, source.st_mode & 0o777)
    with suppress(OSError):
        os.utime(fd, ns=(source.st_atime_ns, source.st_mtime_ns))


def rename_noreplace(name: bytes, source: int, new: bytes, target: int) -> None:
    """Rename within a file system, from one open folder to another, never replacing: FileExistsError instead.

    Where the kernel or the file system cannot (NFS), a hard link does the same in two steps; a repeat after a crash
    between them finishes the second. Where hard links do not serve (exFAT, sshfs, object stores, other people's files),
    it is a look and a rename: who makes a file of that name between the two loses it.
    """
    code = libc.rename_noreplace(name, source, new, target)
    if code in _NO_CALL:
        code = _link(name, source, new, target)
        if code in _NO_LINKS:
            _rename(name, source, new, target)
            return
    if code == errno.EEXIST and one_file(name, source, new, target):
        code = 0
    if code:
        raise OSError(code, os.strerror(code), shown(name))
    if one_file(name, source, new, target):
        os.unlink(name, dir_fd=source)


_NO_CALL = frozenset((errno.EINVAL, errno.ENOSYS, errno.ENOTSUP))
_NO_LINKS = _NO_CALL | {errno.EPERM}
"""What the system says where a file system cannot rename without replacing, and where it has no hard links."""


def _link(name: bytes, source: int, new: bytes, target: int) -> int:
    """Give a file a second name; the error's number, or 0.

    ENOTSUP where the second name shows another inode (sshfs): we would not know our file again by it, and a rename
    keeps the inode there.
    """
    before = lstat_regular(name, source)
    try:
        os.link(name, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except OSError as error:
        return error.errno or errno.EIO
    # Whoever has put another file in its place meanwhile has not changed what the second name means.
    if _same(before, lstat_regular(name, source)) and not one_file(name, source, new, target):
        os.unlink(new, dir_fd=target)
        return errno.ENOTSUP
    return 0


def _rename(name: bytes, source: int, new: bytes, target: int) -> None:
    if exists(new, target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), shown(name))
    os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)


def one_file(name: bytes, folder: int, other: bytes, its_folder: int) -> bool:
    """Whether two names are one file, and either may go.

    Some file systems give two files one number of an inode: such a file has one name, and not two.
    """
    if not _same(lstat_regular(name, folder), lstat_regular(other, its_folder)):
        return False
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_nlink > 1


def _same(one: Fingerprint | None, other: Fingerprint | None) -> bool:
    return one is not None and other is not None and (one.device, one.inode) == (other.device, other.inode)


def remove_quietly(name: bytes, dir_fd: int) -> None:
    """Remove a file of ours, if it is there and can be."""
    with suppress(OSError):
        os.unlink(name, dir_fd=dir_fd)


def give_to_owner(folder: Path, fd: int) -> None:
    """What root has made in somebody's folder becomes theirs, or they could not use it.

    `fd` was opened without following a link: its owner might have laid one there that leads to a file of root's.
    """
    owner, made = folder.stat(), os.fstat(fd)
    if os.geteuid() == 0 and made.st_uid == 0 and owner.st_uid != 0 and made.st_nlink == 1:
        os.fchown(fd, owner.st_uid, owner.st_gid)


def words(error: OSError) -> str:
    """What the system said, for a person: no traceback words, no path that the sentence around it names already."""
    return {
        errno.EACCES: f"permission denied for user id {os.geteuid()}",
        errno.EPERM: f"not permitted for user id {os.geteuid()}",
        errno.EIO: "the disk reports an input/output error",
        errno.EROFS: "the file system is mounted read-only",
        errno.ENOSPC: "the file system is full (`df -h` and `df -i` tell of what)",
        errno.EMFILE: "this process may open no more files (LimitNOFILE= of the unit, `ulimit -n`)",
        errno.ENFILE: "the machine has no more open files to give (fs.file-max)",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "no file may be that large there (by the file system, LimitFSIZE= of the unit, or `ulimit -f`)",
        errno.ESTALE: "the file server no longer knows the handle",
        errno.ENOTCONN: "what serves the file system has ended",
        errno.ETIMEDOUT: "the file server does not answer in time",
        errno.EHOSTDOWN: "the file server is down",
        errno.EHOSTUNREACH: "the file server cannot be reached",
    }.get(error.errno or 0, (error.strerror or str(error)).lower())
