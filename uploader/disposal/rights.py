"""Tries, before the first upload, what a disposal will need: rights are cheaper to fix while nothing waits."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from uploader.core import naming
from uploader.system import files as fs


def rights(folder: str, policy: str, archive_dir: Path | None) -> list[str]:
    """What would keep sources of this folder from being archived or deleted, a sentence with a way out each."""
    if policy == "keep":
        return []
    found = _try_folder(folder, "after_upload")
    if not found:
        found = _sticky(folder)
    if policy == "archive":
        found += (
            ["Archiving needs archive_dir."]
            if archive_dir is None
            else _try_folder(str(archive_dir), "archive")
        )
    return found


def _try_folder(folder: str, purpose: str) -> list[str]:
    """Make a hidden folder, a file, rename it into the folder, and remove both again."""
    hidden = naming.HIDDEN + b"check-" + secrets.token_hex(4).encode()
    try:
        with fs.directory(os.fsencode(folder)) as fd:
            try:
                os.mkdir(hidden, 0o700, dir_fd=fd)
                _try_rename(hidden, fd)
            finally:
                fs.remove_quietly(hidden + b".file", fd)
                with suppress(OSError):
                    os.rmdir(hidden, dir_fd=fd)
    except OSError as error:
        way_out = f"Give user id {os.geteuid()} the right to write there, or set ReadWritePaths= in the unit."
        return [f"{folder} cannot be changed ({purpose}): {fs.words(error)}. {way_out}"]
    return []


def _try_rename(hidden: bytes, fd: int) -> None:
    file = hidden + b".file"
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=fd))
    below = fs.open_below(hidden, fd)
    try:
        fs.rename_noreplace(file, fd, file, below)
        fs.rename_noreplace(file, below, file, fd)
    finally:
        fs.remove_quietly(file, below)
        os.close(below)


def _sticky(folder: str) -> list[str]:
    """In a sticky folder only the owner of a file, or of the folder, may rename it."""
    found = Path(folder).stat()
    mine = os.geteuid() in (0, found.st_uid)
    if mine or not found.st_mode & stat.S_ISVTX:
        return []
    return [
        f"{folder} is sticky: files of other users stay. Remove the sticky bit: chmod -t {shlex.quote(folder)}"
    ]
