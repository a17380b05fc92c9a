"""The filter of system calls: a short program that the kernel runs at every call of the converting child.

It needs no right but `no_new_privs`, works under systemd's own filter, and cannot be taken off again. What is
refused fails with EPERM, so that a library which only tries gets an error and goes on. See `seccomp(2)`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from itertools import chain

from uploader.convert.isolation import kernel
from uploader.convert.isolation.syscalls import AUDIT_ARCHITECTURE, DENIED, JUDGED, NEWEST, number

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant; jumps count the instructions to leave out."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE = 0x00050000
"""SECCOMP_RET_ERRNO; the error number is added."""

_CLONE_THREAD = 0x10000
_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


def program(machine: str, pid: int) -> list[Instruction]:
    """The filter for one process; pure.

    Threads may be started, processes not. It may signal itself (that is how `abort` works), set its own limits,
    and not ask to outlive its parent. clone3 hides its flags in memory, so it does not exist; C libraries then
    take clone.
    """
    found: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, AUDIT_ARCHITECTURE[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, NEWEST + 1),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
        *_when("clone3", machine, (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)),
        *_unless("clone", machine, (_ANY_BIT, 0, 1, _CLONE_THREAD)),
        *_unless("prctl", machine, (_EQUAL, 1, 0, _PR_SET_PDEATHSIG)),
        *_unless("tgkill", machine, (_EQUAL, 0, 1, pid)),
        *_unless("prlimit64", machine, (_EQUAL, 0, 1, 0)),
    ]
    return [*found, *_REFUSALS[machine], (_RETURN, 0, 0, _ALLOW)]


def _when(name: str, machine: str, verdict: Instruction) -> list[Instruction]:
    """A verdict on one call; nothing where the machine does not have it."""
    wanted = number({**JUDGED, **DENIED}[name], machine)
    return [] if wanted is None else [(_EQUAL, 0, 1, wanted), verdict]


_REFUSALS = {
    machine: [
        step for name in DENIED for step in _when(name, machine, (_RETURN, 0, 0, _REFUSE | errno.EPERM))
    ]
    for machine in AUDIT_ARCHITECTURE
}
"""What is the same for each process, so that no child makes it anew."""


def _unless(name: str, machine: str, test: Instruction) -> list[Instruction]:
    """Refuse one call unless its first argument passes: the test jumps over nothing (allow) or one (refuse)."""
    wanted = number(JUDGED[name], machine)
    assert wanted is not None
    verdicts: list[Instruction] = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
    return [(_EQUAL, 0, 4, wanted), (_LOAD, 0, 0, _FIRST_ARGUMENT), test, *verdicts]


def restrict() -> None:
    """Put the filter on this process, for good. Needs `no_new_privs`, and that there is a single thread yet.

    Raises OSError where the kernel or whoever confines us does not allow it, or the machine is not in the table.
    """
    machine = platform.machine()
    if machine not in AUDIT_ARCHITECTURE:
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {machine}")
    install(program(machine, os.getpid()))


def install(instructions: list[Instruction]) -> None:
    """Hand a filter to the kernel; by prctl, for seccomp(2) itself is not allowed in many a unit. Raises OSError."""
    form = "=" + "HBBI" * len(instructions)
    code = ctypes.create_string_buffer(struct.pack(form, *chain.from_iterable(instructions)))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    kernel.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(header))
