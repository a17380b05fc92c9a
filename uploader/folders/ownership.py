"""Which journal a drop folder belongs to: a mark on the folder itself, which outlasts the disk that the journal is on.

It is an extended attribute, or a hidden file where there are none, or nothing where neither can be written. A mark that
cannot be read as one of ours is none. It tells how far the journal had come, too: a state directory that was put back
whole to an earlier time, with all that lies beside the journal, is told by nothing else.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from uploader.core import naming
from uploader.core.path_text import lossless, raw, shown
from uploader.journal.high_water_mark import Mark
from uploader.journal.opening import FILE_NAME, reached

log = logging.getLogger(__name__)

ATTRIBUTE = "user.uploader.journal"
FILE = naming.HIDDEN + b"journal"
MOST = 8192
"""Bytes of a mark at most: a path and a few more."""

_MARK = re.compile(rb"(?P<journal>[0-9a-f]{16}) (?:(?P<event>[0-9]{1,18}) )?(?P<state_dir>/.*)", re.DOTALL)

WAYS_OUT = (
    "If that directory is on a disk that is not mounted, mount it. If it is lost, `uploader check --repair-journal` "
    "finds out what was uploaded; `uploader run --new-journal` takes all that lies in the folder as new and uploads it."
)


@dataclass(frozen=True, slots=True)
class Owner:
    """A journal by its name, the state directory that it lies in, and its last event when the mark was given."""

    journal: str
    state_dir: str
    event: int = 0


def owner_of(folder: Path) -> Owner | None:
    """Whose a drop folder is; None where it bears no mark, or there is no folder. Raises nothing."""
    match = _MARK.fullmatch(_attribute(folder) or _file(folder))
    if match is None:
        return None
    return Owner(lossless(match["journal"]), lossless(match["state_dir"]), int(match["event"] or 0))


def foreign(folder: Path, journal: str) -> str:
    """Why a folder is not this journal's, in words; empty where it is, or bears no mark."""
    owner = owner_of(folder)
    if owner is None or owner.journal == journal:
        return ""
    return f"The drop folder {folder} belongs to another journal, that of the state directory {shown(owner.state_dir)}."


def strangers(folders: Iterable[Path], state_dir: Path) -> dict[Path, str]:
    """Which drop folders belong to another journal than lies, or would be made, here, or know more than it; and why.

    The marks are read first: beside a daemon the journal is never behind what a mark told before.
    """
    owners = {folder: owner_of(folder) for folder in folders}
    own = reached(state_dir / FILE_NAME)
    if own is None:
        return {}
    told = {folder: _strange(folder, owner, own, state_dir) for folder, owner in owners.items() if owner}
    return {folder: why for folder, why in told.items() if why}


def _strange(folder: Path, owner: Owner, own: Mark, state_dir: Path) -> str:
    if owner.journal != own.journal:
        what = "is another one" if own.journal else "does not exist yet"
        return f"{foreign(folder, own.journal)} The one in {state_dir} {what}."
    if owner.event <= own.event:
        return ""
    return (
        f"The journal in {state_dir} was put back to an earlier time, or is a copy: it ends at event {own.event}, "
        f"and the drop folder {folder} has seen event {owner.event}."
    )


def mark(folder: Path, owner: Owner) -> bool:
    """Give a drop folder to a journal, whoever had it before; returns whether it bears the mark now."""
    data = f"{owner.journal} {owner.event} ".encode() + raw(owner.state_dir)
    try:
        os.setxattr(folder, ATTRIBUTE, data)
    except OSError:
        return _write(folder, data)
    return True


def advance(folder: Path, owner: Owner) -> None:
    """Let the mark of a drop folder tell of a later event, where it is this journal's and told of an earlier one."""
    before = owner_of(folder)
    if before is not None and before.journal == owner.journal and before.event < owner.event:
        mark(folder, owner)


def give(folders: Iterable[Path], owner: Owner) -> None:
    """Give drop folders to a journal, as far as they are there and can bear a mark."""
    for folder in folders:
        before = owner_of(folder)
        if before is not None and before.journal != owner.journal:
            log.warning(
                "folder=%s was another journal's state_dir=%s, and is taken over",
                folder,
                shown(before.state_dir),
            )
        mark(folder, owner)


def _attribute(folder: Path) -> bytes:
    try:
        return os.getxattr(folder, ATTRIBUTE)
    except OSError:
        return b""


def _file(folder: Path) -> bytes:
    try:
        fd = os.open(
            raw(str(folder)) + b"/" + FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except OSError:
        return b""
    try:
        return os.read(fd, MOST)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _write(folder: Path, data: bytes) -> bool:
    """The hidden file: whole or not at all."""
    path = raw(str(folder)) + b"/" + FILE
    fresh = path + b".part"
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(fresh, path)  # noqa: PTH104 - bytes
    except OSError:
        return False
    return True
