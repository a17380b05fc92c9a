"""Run a program on a host that lacks something: `python -m tests.security.denying landlock,namespaces -- COMMAND`.

The lack is simulated by a filter of system calls around the whole program, as a container's or systemd's would be:
what is lacking is refused to everything in it.
"""

from __future__ import annotations

import errno
import os
import platform
import sys

from uploader.convert.isolation import kernel, seccomp
from uploader.convert.isolation.syscalls import AUDIT_ARCHITECTURE, DENIED, JUDGED, SETUP, Number, number

_REFUSE = 0x00050000
_SET_SECCOMP = 22
LACKS = {
    "landlock": [(SETUP["landlock_create_ruleset"], errno.ENOSYS)],
    "namespaces": [(DENIED["unshare"], errno.EPERM)],
    "unit": [
        (DENIED["unshare"], errno.EPERM),
        (DENIED["capset"], errno.EPERM),
        (Number(317, 277), errno.EPERM),
    ],
    "seccomp": [(Number(317, 277), errno.ENOSYS)],
}
"""What may be lacking: the calls that are refused then, and with which error."""


def lack(*names: str) -> None:
    """Let this process and all that it starts live without these."""
    steps: list[seccomp.Instruction] = [
        (0x20, 0, 0, 4),
        (0x15, 1, 0, AUDIT_ARCHITECTURE[platform.machine()]),
        (0x06, 0, 0, 0x80000000),
        (0x20, 0, 0, 0),
    ]
    for name in names:
        for numbers, error in LACKS[name]:
            steps += [(0x15, 0, 1, number(numbers) or 0), (0x06, 0, 0, _REFUSE | error)]
    if "seccomp" in names:
        prctl = number(JUDGED["prctl"]) or 0
        steps += [
            (0x15, 0, 3, prctl),
            (0x20, 0, 0, 16),
            (0x15, 0, 1, _SET_SECCOMP),
            (0x06, 0, 0, _REFUSE | errno.EINVAL),
            (0x20, 0, 0, 0),
        ]
    kernel.prctl(38, 1)
    seccomp.install([*steps, (0x06, 0, 0, 0x7FFF0000)])


if __name__ == "__main__":
    end = sys.argv.index("--")
    lack(*sys.argv[1].split(","))
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])
