"""The only place that asks the kernel who has a file open for writing, and knows where it cannot tell.

A read lease is asked for and given back at once: while it is held, whoever opens the file for writing waits. It needs
the file owner's uid or CAP_LEASE, and a file system that only this machine writes to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading

from uploader.system import files as fs
from uploader.system.libc import magic

BLIND = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFE534D42: "SMB",
    0xFF534D42: "CIFS",
    0x65735546: "FUSE",
    0x01021997: "9p",
    0x5346414F: "AFS",
    0x6B414653: "AFS",
    0x00C36400: "Ceph",
    0x73757245: "Coda",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x01161970: "GFS2",
    0x7461636F: "OCFS2",
    0x786F4256: "VirtualBox shared folder",
    0xBACBACBC: "VMware shared folder",
}
"""File systems (statfs magic) that others can write to without the kernel here knowing: no events, no honest leases."""


def prepare_leases() -> None:
    """Ignore SIGIO, which the kernel sends when somebody opens a file under lease: its default ends the process.

    Before, `held_by_writer` cannot tell. In any other thread than the main one nothing is done: there the program is a
    guest in a process whose signals are not its own.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGIO, signal.SIG_IGN)


def held_by_writer(path: bytes | str, dir_fd: int | None = None) -> bool | None:
    """Whether anybody has the file open for writing, this process included; None where the system cannot tell."""
    if signal.getsignal(signal.SIGIO) is signal.SIG_DFL:
        return None
    try:
        with fs.opened(os.fsencode(path), dir_fd) as fd:
            return _asked(fd)
    except OSError as error:
        # Somebody else's exclusive lease refuses even the opening, such as a client of Samba that caches writes.
        return True if error.errno == errno.EAGAIN else None


def _asked(fd: int) -> bool | None:
    # Network file systems answer EAGAIN where they only mean that they do not know.
    if magic(fd) in BLIND:
        return None
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
