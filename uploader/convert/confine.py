"""What a converting child may do: set up once at its start, renewed before each raster.

The environment is decided by the parent (`environment`), the rest by the child itself before it opens anything
(`settle`, `limit`). Namespaces, Landlock and seccomp belong here, at the end of `settle`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

_OPEN_FILES = 256
_MAPPED_SLACK = 4 << 30
"""Address space beyond the memory limit: shared libraries, thread stacks and reserved arenas, not memory."""

_MEBIBYTE = 1 << 20
_CACHE_SHARE = 8
_CACHE_BYTES = (32 * _MEBIBYTE, 512 * _MEBIBYTE)


def cache_bytes(memory_limit: int) -> int:
    """How much of the memory limit GDAL's block cache may fill."""
    low, high = _CACHE_BYTES
    return min(max(memory_limit // _CACHE_SHARE, low), high)


def environment(memory_limit: int) -> dict[str, str]:
    """The whole environment of a child: nothing of the parent's, so no secret, proxy, or GDAL option gets in.

    GDAL_CACHEMAX is in MB here; the option of the same name in rasterio.Env is in bytes.
    """
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/nonexistent",
        "GDAL_CACHEMAX": str(cache_bytes(memory_limit) // _MEBIBYTE),
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_PAM_ENABLED": "YES",
        "GDAL_MAX_DATASET_POOL_SIZE": "16",
        "CPL_VSIL_USE_TEMP_FILE_FOR_RANDOM_WRITE": "NO",
        "PROJ_NETWORK": "OFF",
        # Worker threads of numpy's linear algebra reserve memory and are never used.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # One arena per thread would multiply what RLIMIT_DATA sees.
        "MALLOC_ARENA_MAX": "2",
    }


def settle(memory_limit: int, parent: int) -> None:
    """Give up, once and for all, what converting a raster never needs. Called first thing in the child.

    RLIMIT_DATA counts what the process can really write to, so it is the memory limit; RLIMIT_AS bounds the
    mappings of files as well, with room for libraries. Both hold for every thread together.
    """
    _die_with(parent)
    os.umask(0o077)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_DATA, memory_limit)
    _lower(resource.RLIMIT_AS, memory_limit + _MAPPED_SLACK)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal is the parent's to handle


def limit(folder: Path, *, cpu_seconds: float, file_bytes: int) -> None:
    """Bound one job: processor seconds from now, and the size of any file it writes.

    Only the soft limits move, so that the next job can have its own. A write beyond the limit fails with EFBIG
    (Python ignores SIGXFSZ), running out of processor time kills.
    """
    os.environ["HOME"] = os.environ["CPL_TMPDIR"] = os.environ["TMPDIR"] = str(folder)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    _soft(resource.RLIMIT_CPU, int(spent + cpu_seconds) + 1)
    _soft(resource.RLIMIT_FSIZE, file_bytes)


def _die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the thread that started us ends; it may have ended already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _lower(what: int, value: int) -> None:
    """Set soft and hard limit, never above the hard limit that is already there."""
    hard = resource.getrlimit(what)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (bound, bound))


def _soft(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (bound, hard))
