"""What the system can tell of a drop folder beyond its names: its file system, its limits, its doubts."""

from __future__ import annotations

import os
from pathlib import Path

from uploader import filesystem as fs
from uploader.leases import BLIND, magic

_CAP_LEASE = 28


def lease_doubt(folder: str) -> str:
    """Why writers in this folder cannot be told for certain; empty where they can. Raises OSError."""
    name = blind(folder)
    if name:
        return f"{folder} is on {name}, where writers on other machines do not show"
    if not int(_status("CapEff"), 16) >> _CAP_LEASE & 1:
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


def inotify_limits() -> dict[str, int]:
    """The kernel's limits on watching, as far as they can be read: events queued, watches and instances per user."""
    found = {}
    for name in ("max_queued_events", "max_user_watches", "max_user_instances"):
        try:
            found[name] = int(Path(f"/proc/sys/fs/inotify/{name}").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return found


def _status(key: str) -> str:
    """One line of the thread's status; "0" where it cannot be read."""
    try:
        lines = Path("/proc/thread-self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return "0"
    return next((line.split()[1] for line in lines if line.startswith(key + ":")), "0")
