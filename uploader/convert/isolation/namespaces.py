"""What a converting process leaves before it loads GDAL: the network, and the rights that it was started with."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from pathlib import Path

from uploader.convert.isolation import kernel

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_MAY_READ_ALL = 1 << 1
"""CAP_DAC_OVERRIDE, the only capability that root keeps: its staging may lie in another user's folder."""

_VERSION_3 = 0x20080522
_SELF = Path("/proc/self")


def leave_network() -> bool:
    """Move into a network namespace of our own, in which there is not even a loopback; whether it worked.

    Root just does it. Anybody else needs a user namespace around it, which distributions, containers and
    `RestrictNamespaces=` forbid here and there. Only with a single thread.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(_NEW_NETWORK if user == 0 else _NEW_USER | _NEW_NETWORK)
    except OSError:
        return False
    if user:
        # We stay who we are. Where even that is not allowed, files are still ours by their numbers.
        with contextlib.suppress(OSError):
            (_SELF / "uid_map").write_text(f"{user} {user} 1")
            (_SELF / "setgroups").write_text("deny")
            (_SELF / "gid_map").write_text(f"{group} {group} 1")
    return True


def drop_capabilities() -> None:
    """Give up every capability, also those of the namespace; root keeps that of reading what it may not.

    Harmless where there are none.
    """
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    for kept in (_MAY_READ_ALL, 0) if os.geteuid() == 0 else (0,):
        data = ctypes.create_string_buffer(struct.pack("=6I", kept, kept, 0, 0, 0, 0))
        with contextlib.suppress(OSError):  # root of a container may lack even that one
            kernel.capset(header, data)
            return
