"""A stand-in for the conversion that tries, from inside a real child, what a hijacked one would try.

`convert` runs it through the real pool, zygote and confinement; what succeeded comes back as the refusal's text.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import rasterio
from rasterio._env import PROJDataFinder

from uploader.convert.isolation import kernel
from uploader.convert.isolation.syscalls import DENIED, JUDGED, NEWEST, number
from uploader.core.errors import RasterRefused

START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from uploader.convert.engine import child; from uploader.convert.engine.zygote import main; "
    "from tests.security import spying; child.perform = spying.{what}; main(sys.argv[1:])"
)
"""What the zygote runs instead of `starting._START`; `what` names a function of this module."""

_HARMLESS = {"shutdown", "setsid", "fork", "vfork", "reboot", "kexec_load", "uselib", "vhangup", "acct"}
"""Calls that are not tried blindly: they would do something if they were not refused, or have tests of their own."""

Attempt = Callable[[], object]


def escape(job: Any, workshop: Path) -> None:
    """Try everything; the refusal names what was possible."""
    raise RasterRefused(json.dumps([name for name, attempt in attempts(job, workshop) if _succeeds(attempt)]))


def tell(job: Any, workshop: Path) -> None:
    """The refusal tells environment, descriptors, limits, and that what a job needs is possible."""
    raise RasterRefused(json.dumps(_facts(job, workshop)))


def eat(job: Any, workshop: Path) -> None:
    """Take memory until it ends."""
    pieces = []
    while True:
        pieces.append(bytearray(16 << 20))


def hang(job: Any, workshop: Path) -> None:
    """Close what the zygote listens to, and never come back."""
    (workshop / "started").touch()
    os.closerange(0, 8)
    threading.Event().wait()


def attempts(job: Any, workshop: Path) -> Iterator[tuple[str, Attempt]]:
    """By name, what must fail with an OSError."""
    yield from _files(job, workshop)
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET):
        yield f"socket {family.name}", lambda family=family: socket.socket(family, socket.SOCK_RAW)
    yield "socketpair", socket.socketpair
    yield "start a process", _fork
    yield "run a program", lambda: os.posix_spawn("/bin/true", ["true"], {})
    yield "become one", lambda: os.execv("/bin/true", ["true"])
    yield "leave the session", os.setsid
    yield "signal the zygote", lambda: os.kill(os.getppid(), 0)
    yield "outlive the zygote", lambda: kernel.prctl(1, 0)
    yield "raise a limit", lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU)
    yield "a call of tomorrow", lambda: kernel.syscall(NEWEST + 5)
    for name, numbers in DENIED.items():
        call = number(numbers)
        if call is not None and name not in _HARMLESS:
            yield f"call {name}", partial(_denied, call)
    call = number(JUDGED["clone3"])
    yield "call clone3", partial(kernel.syscall, call or 0, None, 0)


def _files(job: Any, workshop: Path) -> Iterator[tuple[str, Attempt]]:
    home = job.source.parent.parent.parent  # as in staging: root/<id>/in/source.tif
    zygote = Path(f"/proc/{os.getppid()}")
    foreign = [home / "other" / "in" / "source.tif", home / "key", Path("/etc/passwd"), zygote / "environ"]
    foreign += [zygote / "mem", Path("/proc/self/environ"), Path("/proc/self/maps"), Path("/dev/null")]
    for path in foreign:
        yield f"read {path}", lambda path=path: path.open("rb").close()
        yield f"write {path}", lambda path=path: path.open("r+b").close()
    for folder in (home, home / "other" / "in", Path("/"), Path("/tmp"), Path("/proc"), zygote / "fd"):
        yield f"list {folder}", lambda folder=folder: list(folder.iterdir())
        yield f"write into {folder}", lambda folder=folder: (folder / "spy").touch()
    yield "change the source", partial(job.source.open, "r+b")
    yield "remove the source", job.source.unlink
    yield "write beside the source", (job.source.parent / "spy").touch
    yield "move a foreign file here", lambda: (home / "other" / "in" / "source.tif").rename(workshop / "x")
    yield "link a foreign file", lambda: (workshop / "hard").hardlink_to(home / "key")
    yield "link by name", lambda: (workshop / "soft").symlink_to(home / "key")
    yield "change rights", lambda: workshop.chmod(0o777)
    yield "make a fifo", lambda: os.mkfifo(workshop / "fifo")


def _facts(job: Any, workshop: Path) -> dict[str, Any]:
    """Facts, and the few things that a job needs; an exception here is a failure of the test."""
    assert job.source.read_bytes()
    (workshop / "made").mkdir()
    (workshop / "a").write_bytes(b"x")
    (workshop / "a").rename(workshop / "made" / "b")
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(1))
    thread.start()
    thread.join()
    return {
        "environment": sorted(os.environ),
        "descriptors": [handle for handle in range(1024) if _is_open(handle)],
        "tables": [handle for handle in range(4, 1024) if _is_open(handle) and _is_tables_of_proj(handle)],
        "data": resource.getrlimit(resource.RLIMIT_DATA),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "threads": done,
        "drivers": _drivers(),
    }


def _drivers() -> list[str]:
    with rasterio.Env() as env:
        return sorted(env.drivers())


def _is_tables_of_proj(handle: int) -> bool:
    known = (Path(PROJDataFinder().search()) / "proj.db").stat()
    readable = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    return readable and os.path.samestat(os.fstat(handle), known)


def _is_open(handle: int) -> bool:
    try:
        os.fstat(handle)
    except OSError:
        return False
    return True


def _denied(call: int) -> None:
    """Make the call with nonsense; any answer of the kernel but the filter's means that it got through."""
    try:
        kernel.syscall(call, -1, -1, -1, -1, -1)
    except PermissionError:
        raise
    except OSError:
        return


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _succeeds(attempt: Attempt) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True
