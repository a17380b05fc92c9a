"""Archives by their names, and how far one is believed: whoever sends one may mean harm, or not know what is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from uploader.core.path_text import raw

ARCHIVES = (
    *(b".zip", b".tar", b".tgz", b".tbz2", b".txz", b".7z", b".rar"),
    *(b".tar.gz", b".tar.bz2", b".tar.xz", b".tar.zst"),
)
"""Endings of the names of files that hold others, in lower case: such a file is told where it is not opened."""

KINDS = {b".zip": "zip", b".tar": "tar", b".tar.gz": "tar.gz", b".tgz": "tar.gz"}
"""By ending: what is opened, where the folder's patterns name it."""
_ENDINGS = tuple(KINDS)

MOST_ENTRIES = 50_000
"""Files and folders in an archive."""

LIST_BYTES = 16 << 20
"""Of the list of names of a zip, and of all headers between two members of a tar."""

TOLD_BYTES = 6 << 20
"""Of the names of all files, as the child tells them."""

MOST_BYTES = 1 << 40
"""Of all that an archive holds."""

MOST_RATIO = 200
FREE_OF_RATIO = 256 << 20
"""An archive may hold so many times its own bytes, and these besides: masks without a cloud are nearly nothing."""

NAME_BYTES = 1024
PART_BYTES = 255
MOST_DEPTH = 32
"""Of a member's name: its bytes, those of each folder in it, and how many folders there are."""

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file in an archive: its place among all entries, its name without what means nothing, its bytes as declared."""

    number: int
    name: str
    size: int


def is_archive(name: bytes) -> bool:
    """Whether a file of this name holds others."""
    return name.lower().endswith(ARCHIVES)


def kind_of(name: bytes) -> str:
    """What an archive of this name is opened as; empty where none of this name is opened."""
    lower = name.lower()
    if not lower.endswith(_ENDINGS):  # hardly a file's name does, and a scan asks of each
        return ""
    return next(kind for ending, kind in KINDS.items() if lower.endswith(ending))


def name_of(path: str) -> str:
    """A file's name for people: with that of the archive that it lies in, where one is in its path."""
    parts = path.split("/")
    above = (at for at, part in enumerate(parts[:-1]) if kind_of(raw(part)))
    return "/".join(parts[next(above, -1) :])


def plain(name: str) -> str:
    """A member's name without empty parts and dots, which say nothing: `./a//b.tif` is `a/b.tif`."""
    return "/".join(part for part in name.split("/") if part not in {"", "."})


def fault_of(name: str) -> str:
    """Why no member may be called so, as the end of a sentence about it; empty where it may."""
    parts = re.split(r"[/\\]", name)
    if "\0" in name:
        return "has a NUL in its name"
    if not is_encodable(name):
        return "has a name that is not UTF-8"
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "has an absolute name"
    if ".." in parts:
        return "has a name that leads out of the archive"
    if not plain(name):
        return "has no name"
    if len(name.encode()) > NAME_BYTES or any(len(part.encode()) > PART_BYTES for part in parts):
        return f"has a name that is too long (of {NAME_BYTES} bytes, {PART_BYTES} for each folder, at most)"
    if len(parts) > MOST_DEPTH:
        return f"lies in {len(parts) - 1} folders ({MOST_DEPTH - 1} at most)"
    return ""


def is_encodable(name: str) -> bool:
    """Whether a name is text: what was no UTF-8 in it has come as half a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def twice(names: Iterable[str]) -> str:
    """The first of these names of files that another one has, case aside, or that is a folder of another; or empty."""
    files, folders = set[str](), set[str]()
    for name in names:
        alike = name.casefold()
        if alike in files:
            return name
        files.add(alike)
        above = alike.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    return min(files & folders, default="")


def most_bytes(archive_bytes: int) -> int:
    """What an archive of so many bytes may hold."""
    return min(MOST_BYTES, archive_bytes * MOST_RATIO + FREE_OF_RATIO)
