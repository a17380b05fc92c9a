"""Small and failing file systems for tests that run as root: disks that fill, turn read-only, and go."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def missing() -> str:
    """Why this process cannot mount; empty where it can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "this container may not mount"


def mount(folder: Path, *, size: str = "64m", inodes: int = 0) -> None:
    """Put an empty file system of a given size there, which takes so many files and folders (0: as many as fit)."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size},nr_inodes={inodes}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """Turn it read-only (`ro`) or back (`rw`), or give it another size (`size=8m`)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def bind(source: Path, folder: Path) -> None:
    """Show a folder at a second place; taking it away later loses nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", str(source), str(folder)], check=True)


def unmount(folder: Path) -> None:
    """Take it away, also from under open files."""
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


@contextmanager
def tmpfs(folder: Path, *, size: str = "64m", inodes: int = 0) -> Iterator[Path]:
    """A file system of a given size for the length of a block."""
    mount(folder, size=size, inodes=inodes)
    try:
        yield folder
    finally:
        unmount(folder)


def fill(folder: Path) -> Path:
    """Take all the space that is left; returns the file that holds it."""
    filler = folder / ".filler"
    with filler.open("wb", buffering=0) as file:
        block = bytes(1 << 16)
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]
    return filler
