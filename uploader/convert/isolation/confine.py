"""What a converting process may do: the order in which rights are given up, and the limits of one job.

The environment is decided by the parent (`environment.of_child`). The zygote gives up at its start what no raster ever
needs (`settle`); the child that is forked from it for one job keeps that job's folders and nothing else
(`enter`), and is bounded in time and bytes (`limit`). What holds where is told in docs/security.md.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from uploader.convert.isolation import kernel, landlock, seccomp
from uploader.convert.isolation.verdict import TRIED, Confinement
from uploader.core.errors import MemoryTooNarrow

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _CLEAR_ALL = 47, 4
_PR_SET_MDWE, _REFUSE_EXEC_GAIN = 65, 1

_OPEN_FILES = 256
_MAPPED_SLACK = 1 << 30
"""Address space beyond the memory limit: shared libraries, thread stacks and reserved arenas, not memory."""

_MEBIBYTE = 1 << 20
_CACHE_SHARE = 8
_CACHE_BYTES = (32 * _MEBIBYTE, 512 * _MEBIBYTE)

_SYSTEM_DATA = ("/usr/share/gdal", "/usr/share/proj", "/usr/local/share/gdal", "/usr/local/share/proj")
"""Where GDAL and PROJ keep their tables when the wheel does not bring them."""


def cache_bytes(memory_limit: int) -> int:
    """How much of the memory limit GDAL's block cache may fill."""
    low, high = _CACHE_BYTES
    return min(max(memory_limit // _CACHE_SHARE, low), high)


def settle(parent: int) -> None:
    """Give up, once and for all, what converting never needs. Called first thing in the zygote."""
    die_with(parent)
    os.umask(0o077)
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    with contextlib.suppress(OSError):
        kernel.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal is the parent's to handle


def die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the thread that started us ends; it may have ended already."""
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def enter(
    readable: Iterable[Path], writable: Iterable[Path], *, parent: int, memory_limit: int, namespace: bool
) -> Confinement:
    """Keep what lies in these places and nothing else: the last step before a raster is opened.

    RLIMIT_DATA counts what the process can really write to, so it is the memory limit; RLIMIT_AS bounds the
    mappings of files as well, with room for libraries. Both hold for every thread together. A layer that the host
    does not give is left out and told; converting goes on with the others.
    """
    die_with(parent)
    _lower(resource.RLIMIT_DATA, memory_limit)
    _lower(resource.RLIMIT_AS, memory_limit + _MAPPED_SLACK)
    os.environ["GDAL_CACHEMAX"] = str(cache_bytes(memory_limit) // _MEBIBYTE)
    with contextlib.suppress(OSError):  # from Linux 6.3 on
        kernel.prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN)
    try:
        abi = landlock.restrict(readable, writable)
    except OSError:
        abi = 0
    # Last: it refuses some of what the others need.
    try:
        seccomp.restrict()
    except OSError:
        return Confinement(namespace, abi)
    return Confinement(namespace, abi, seccomp=True)


def library_places() -> tuple[Path, ...]:
    """What is read after everything was imported: tables of GDAL and PROJ, and modules that load others late.

    Asked once, in the zygote.
    """
    from rasterio._env import GDALDataFinder, PROJDataFinder  # noqa: PLC0415 - only children load GDAL

    data = [GDALDataFinder().search(), PROJDataFinder().search()]
    roots = {name.partition(".")[0] for name in sys.modules}
    packages = [place for name in roots for place in getattr(sys.modules.get(name), "__path__", ())]
    code = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *packages]
    places = {Path(place) for place in (*data, *code, *_SYSTEM_DATA) if place}
    return tuple(sorted(place for place in places if places.isdisjoint(place.parents) and place.exists()))


def limit(folder: Path, *, cpu_seconds: float, file_bytes: int) -> None:
    """Bound one job: processor seconds from now, and the size of any file it writes.

    A write beyond the limit fails with EFBIG (Python ignores SIGXFSZ), running out of processor time kills.
    """
    os.environ["HOME"] = os.environ["CPL_TMPDIR"] = os.environ["TMPDIR"] = str(folder)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    _lower(resource.RLIMIT_CPU, int(spent + cpu_seconds) + 1)
    _lower(resource.RLIMIT_FSIZE, file_bytes)


def reached(parent: int) -> tuple[str, ...]:
    """Try from inside what must not be possible; gives what of `TRIED` was. Leaves nothing behind."""
    attempts: tuple[Callable[[], object], ...] = (
        lambda: list(Path("/").iterdir()),
        lambda: os.close(os.open("/tmp", os.O_TMPFILE | os.O_WRONLY)),  # noqa: S108 - a file without a name
        lambda: socket.socket(socket.AF_UNIX).close(),
        _fork,
        lambda: os.kill(parent, 0),
    )
    return tuple(what for what, attempt in zip(TRIED, attempts, strict=True) if _succeeds(attempt))


def require_memory(memory_limit: int, peak_bytes: int | None = None) -> None:
    """Raises MemoryTooNarrow where the host gives a process less than this, so that what ran out is the machine's.

    `peak_bytes` were in use at most, where it is not known that memory ran out.
    """
    bounds = [resource.getrlimit(what)[1] for what in (resource.RLIMIT_DATA, resource.RLIMIT_AS)]
    given = min((bound for bound in bounds if bound != resource.RLIM_INFINITY), default=memory_limit)
    if given < memory_limit and (peak_bytes is None or peak_bytes >= given // 2):
        raise MemoryTooNarrow(
            f"The host gives a converter {given} bytes of memory, which is not enough; convert.memory_limit is "
            f"{memory_limit}.",
            "Raise what limits it (`ulimit -d`, `ulimit -v`; LimitDATA= and LimitAS= of the unit) and restart, or set "
            "convert.memory_limit to as little, so that larger rasters are rejected.",
        )


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _lower(what: int, value: int) -> None:
    """Set soft and hard limit, never above the hard limit that is already there."""
    hard = resource.getrlimit(what)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (bound, bound))
