"""The environment of converting processes, which their parent decides. It is the first thing that is loaded."""

from __future__ import annotations


def of_child() -> dict[str, str]:
    """The whole environment of a child: nothing of the parent's, so no secret, proxy, or GDAL option gets in."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/nonexistent",
        "GDAL_CONFIG_FILE": "/nonexistent",
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_PAM_ENABLED": "YES",
        "GDAL_MAX_DATASET_POOL_SIZE": "16",
        "CPL_VSIL_USE_TEMP_FILE_FOR_RANDOM_WRITE": "NO",
        "PROJ_NETWORK": "OFF",
        # Worker threads of numpy's linear algebra reserve memory and are never used.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # One arena per thread would multiply what RLIMIT_DATA sees; and what is free in one is of no use to another.
        "MALLOC_ARENA_MAX": "1",
        # Arrays of some megabytes come and go: given back each time, they would be cleared by the kernel each time.
        "MALLOC_MMAP_THRESHOLD_": "33554432",
        "MALLOC_TRIM_THRESHOLD_": "134217728",
        # Memory comes in pages of two megabytes where the kernel has them: it clears them at once, instead of being
        # called for every 4 KiB that is touched for the first time.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }
