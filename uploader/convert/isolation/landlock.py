"""Which files a converting child may open: Landlock, the kernel's own and unprivileged way to give up the rest.

What is not named cannot be opened, made, renamed or removed, be it somebody else's or ours. Rules only ever add
up to less, and last as long as the process. See `landlock(7)`; an ABI is what a kernel's Landlock can do.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from uploader.convert.isolation import kernel
from uploader.convert.isolation.syscalls import SETUP, number

LEAST = 2
"""The first ABI that can be used (Linux 5.19): the one before forbids every rename into another folder."""

_READ = 1 << 2 | 1 << 3  # read a file, list a folder
_FILE_READ = 1 << 2
_EVERYTHING = {LEAST: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights to files there are, by the ABI that brought the last of them."""

_EXECUTE = 1 << 0
_SPECIAL = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12  # devices, sockets, fifos, links
_DEVICES = 1 << 15

_NETWORK_ABI, _NETWORK = 4, 1 << 0 | 1 << 1  # bind and connect of TCP
_SCOPE_ABI, _SCOPE = 6, 1 << 0 | 1 << 1  # abstract sockets, signals to processes outside

_VERSION = 1
_PATH_BENEATH = 1


def abi() -> int:
    """What the kernel's Landlock can do; 0 where there is none, it is switched off, or too old to be of use."""
    try:
        found = kernel.syscall(_number("landlock_create_ruleset"), None, 0, _VERSION)
    except OSError:
        return 0
    return found if found >= LEAST else 0


def restrict(readable: Iterable[Path], writable: Iterable[Path], *, tcp: bool = False) -> int:
    """Give up all files but what lies beneath these paths, for good. Needs `no_new_privs`; gives the ABI.

    Writing includes reading; running a program, devices, sockets, fifos and links are never included. Paths that
    cannot be opened are left out. `tcp`: its connections stay allowed. 0: nothing was given up, the kernel cannot.
    Raises OSError when it should have been able to.
    """
    version = abi()
    if not version:
        return 0
    rules = _ruleset(version, tcp=tcp)
    try:
        everything = _rights(version)
        for path in readable:
            _allow(rules, path, _READ)
        for path in writable:
            _allow(rules, path, everything & ~(_EXECUTE | _SPECIAL | _DEVICES))
        kernel.syscall(_number("landlock_restrict_self"), rules, 0)
    finally:
        os.close(rules)
    return version


def _ruleset(version: int, *, tcp: bool) -> int:
    """A descriptor of rules that handle all this ABI knows; nothing that they handle of the network is allowed."""
    attributes = struct.pack("=Q", _rights(version))
    if version >= _NETWORK_ABI:
        attributes += struct.pack("=Q", 0 if tcp else _NETWORK)
    if version >= _SCOPE_ABI:
        attributes += struct.pack("=Q", _SCOPE)
    # from_buffer_copy: create_string_buffer would add a byte, and the size is part of the question.
    buffer = (ctypes.c_char * len(attributes)).from_buffer_copy(attributes)
    return kernel.syscall(_number("landlock_create_ruleset"), buffer, len(attributes), 0)


def _rights(version: int) -> int:
    return _EVERYTHING[max(known for known in _EVERYTHING if known <= version)]


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # what we cannot open need not be allowed to us
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(handle).st_mode) else rights & _FILE_READ
        attributes = struct.pack("=Qi", allowed, handle)
        buffer = (ctypes.c_char * len(attributes)).from_buffer_copy(attributes)
        kernel.syscall(_number("landlock_add_rule"), rules, _PATH_BENEATH, buffer, 0)
    finally:
        os.close(handle)


def _number(name: str) -> int:
    """Its number; an OSError of no such call on a machine that the table does not know."""
    found = number(SETUP[name])
    if found is None:
        raise OSError(38, f"no number is known for {name}")
    return found
