"""What the system can tell of a drop folder beyond its names: its file system, its limits, its doubts."""

from __future__ import annotations

import os
from pathlib import Path

from uploader.folders.spec import FolderSpec
from uploader.system import files as fs
from uploader.system.leases import BLIND
from uploader.system.libc import magic
from uploader.system.own_status import own_status

_CAP_LEASE = 28

NEIGHBOURS = 16
"""Files beside one that cannot be read which are tried, before the folder is held to be at fault."""

FEW = 2
"""Neighbours that have to fail as well: of two sick files in a folder nothing follows for a third."""


def lease_doubt(folder: str) -> str:
    """Why writers in this folder cannot be told for certain; empty where they can. Raises OSError."""
    name = blind(folder)
    if name:
        return f"{folder} is on {name}, where writers on other machines do not show"
    if not int(own_status("CapEff"), 16) >> _CAP_LEASE & 1:
        return f"without CAP_LEASE only files of user id {os.geteuid()} can be asked for writers"
    return ""


def blind(folder: str) -> str:
    """The kind of a file system that gives no events of remote writers; empty for others. Raises OSError."""
    with fs.directory(os.fsencode(folder)) as fd:
        return BLIND.get(magic(fd), "")


def device(folder: str) -> int | None:
    """The device number a folder is on; None where there is no folder. Raises OSError for the rest."""
    try:
        with fs.directory(os.fsencode(folder)) as fd:
            return os.fstat(fd).st_dev
    except OSError as error:
        if error.errno in fs.ABSENT:
            return None
        raise


def fault_of_folder(folder: FolderSpec, path: bytes) -> str:
    """Why a file that cannot be read is not to blame: what is wrong with its folder, in words; empty where nothing is.

    The folder is at fault where it cannot be listed, or where none of the files that are tried beside this one can be
    read either. Blocking.
    """
    directory = path.rpartition(b"/")[0]
    try:
        with fs.directory(folder.root) as root:
            os.fstat(root)
        with fs.directory(folder.root, directory) as fd:
            tried, reason = _neighbours(folder, path, fd)
    except OSError as error:
        gone = directory and error.errno in fs.ABSENT and os.path.isdir(folder.root)  # noqa: PTH112 - bytes
        return "" if gone else fs.words(error)
    return f"none of the files that were tried can be read: {reason}" if tried > FEW else ""


def _neighbours(folder: FolderSpec, path: bytes, fd: int) -> tuple[int, str]:
    """How many files of a folder failed, and the last reason; none where one can be read."""
    directory, _, name = path.rpartition(b"/")
    tried, reason = 1, ""
    with os.scandir(fd) as entries:
        for entry in entries:
            other = os.fsencode(entry.name)
            beside = directory + b"/" + other if directory else other
            if other == name or not folder.wants(beside) or not entry.is_file(follow_symlinks=False):
                continue
            try:
                with fs.opened(other, fd) as opened:
                    os.pread(opened, 1, 0)
            except OSError as error:
                reason = fs.words(error)
                tried += error.errno not in fs.ABSENT
            else:
                return 0, ""
            if tried > NEIGHBOURS:
                break
    return tried, reason


def inotify_limits() -> dict[str, int]:
    """The kernel's limits on watching, as far as they can be read: events queued, watches and instances per user."""
    found = {}
    for name in ("max_queued_events", "max_user_watches", "max_user_instances"):
        try:
            found[name] = int(Path(f"/proc/sys/fs/inotify/{name}").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return found
