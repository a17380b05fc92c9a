"""The numbers of system calls that a converting child is refused, by kind and machine.

A deny-list: what a library may need tomorrow goes on working, and what a hijacked one would need does not. What
the kernel learns after `NEWEST` does not exist for the child, so the list does not grow old in silence.
Numbers from the kernel's `unistd` headers; a name that a machine does not have is None there.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import NamedTuple


class Number(NamedTuple):
    """One system call by machine, named as `platform.machine` names them."""

    x86_64: int | None
    aarch64: int | None


AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What seccomp calls each machine (AUDIT_ARCH_*); any other kind of call is answered with death."""

NEWEST = 462
"""The newest call that is known here (mseal). From 424 on all machines count alike."""

_NETWORK = {
    "socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "connect": (42, 203), "sendto": (44, 206), "recvfrom": (45, 207),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "sendmmsg": (307, 269), "recvmmsg": (299, 243),
    "shutdown": (48, 210),
}  # fmt: skip
"""Sockets of every family: the internet, this machine's other programs, and the kernel."""

_PROCESSES = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setsid": (112, 157), "setpgid": (109, 154), "setpriority": (141, 140),
    "ioprio_set": (251, 30), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "unshare": (272, 97), "setns": (308, 268), "personality": (135, 92),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
}  # fmt: skip
"""Other programs and processes: to start one, to look into one, to signal one, to get away from the parent."""

_RIGHTS = {
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setfsuid": (122, 151), "setfsgid": (123, 152),
    "setgroups": (116, 159), "capset": (126, 91), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218),
}  # fmt: skip
"""Users, capabilities and the kernel's keys."""

_KERNEL = {
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "syslog": (103, 116), "acct": (163, 89),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
    "lookup_dcookie": (212, 18), "nfsservctl": (180, 42), "_sysctl": (156, None), "sysfs": (139, None),
    "ustat": (136, None),
}  # fmt: skip
"""The machine as a whole, and the parts of the kernel that most exploits came through."""

_MOUNTS = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "statmount": (457, 457),
    "listmount": (458, 458), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "inotify_init": (253, None),
    "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
}  # fmt: skip
"""Another view of the file systems, and watching them."""

_FILES = {
    "truncate": (76, 45), "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36),
    "mknod": (133, None), "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53),
    "fchmodat2": (452, 452), "chown": (92, None), "lchown": (94, None), "fchown": (93, 55),
    "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
}  # fmt: skip
"""What changes files without opening them, which Landlock does not see, and links, which outlive the child."""

_MEMORY = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "remap_file_pages": (216, 234),
    "splice": (275, 76), "tee": (276, 77), "vmsplice": (278, 75), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "shmdt": (67, 197), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
}  # fmt: skip
"""Memory that no limit of a process counts, and queues that others can read."""

DENIED: Mapping[str, Number] = {
    name: Number(*numbers)
    for kind in (_NETWORK, _PROCESSES, _RIGHTS, _KERNEL, _MOUNTS, _FILES, _MEMORY)
    for name, numbers in kind.items()
}
"""Refused whatever the arguments are."""

JUDGED: Mapping[str, Number] = {
    "clone": Number(56, 220),
    "clone3": Number(435, 435),
    "prctl": Number(157, 167),
    "tgkill": Number(234, 131),
    "prlimit64": Number(302, 261),
}
"""Refused or not by their first argument; see `seccomp`."""

SETUP: Mapping[str, Number] = {
    "landlock_create_ruleset": Number(444, 444),
    "landlock_add_rule": Number(445, 445),
    "landlock_restrict_self": Number(446, 446),
}
"""What the child itself calls while it gives up its rights."""


def number(of: Number, machine: str = "") -> int | None:
    """The number on this machine, or on the one that is named; None where there is none, or none is known."""
    found: int | None = getattr(of, machine or platform.machine(), None)
    return found
