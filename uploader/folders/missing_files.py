"""Files that the journal believes to exist and a scan did not see: they are gone, or their file system is away."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from uploader.core.model import Sighting
from uploader.core.settle_rules import vanished
from uploader.folders import FolderSpec, LookProblem, look_all
from uploader.folders.folder_threads import FolderThreads
from uploader.journal import Journal
from uploader.journal.intake_queries import Believed, unseen
from uploader.system import files as fs

PAGE = 5000
"""Rows that are read together."""


class Marks:
    """A set of row ids, one bit each: a million of them are 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.any = False

    def __contains__(self, file_id: int) -> bool:
        index = file_id >> 3
        return index < len(self._bits) and bool(self._bits[index] >> (file_id & 7) & 1)

    def add(self, file_ids: Iterable[int]) -> None:
        """Mark these."""
        for file_id in file_ids:
            index = file_id >> 3
            if index >= len(self._bits):
                self._bits.extend(bytes(index + 1024 - len(self._bits)))
            self._bits[index] |= 1 << (file_id & 7)
            self.any = True


@dataclass(slots=True)
class Pass:
    """What one scan of a folder has seen, with what events saw beside it."""

    marks: Marks = field(default_factory=Marks)
    devices: set[int] = field(default_factory=set)
    """File systems that are there: of files that were seen, as they were entered and as they are now."""

    def saw(self, file_ids: Iterable[int], devices: Iterable[int]) -> None:
        """Note rows whose paths were seen, and where they lie."""
        self.marks.add(file_ids)
        self.devices.update(devices)


@dataclass(slots=True)
class Absent:
    """Files that are not there."""

    gone: list[Believed] = field(default_factory=list)
    away: list[Believed] = field(default_factory=list)
    """Those whose file system is not there either."""


async def judge(
    folder: FolderSpec,
    journal: Journal,
    threads: FolderThreads,
    seen: Pass,
    let_go: Callable[[Sequence[Believed]], Awaitable[None]],
) -> tuple[str, int]:
    """Let go of what vanished one by one.

    Returns why the folder as a whole cannot be believed, in words or empty; and how many files that settle lay on a
    file system that is away. A page at a time: a folder that is unmounted may have a million files.
    """
    after, waits, lone = 0, 0, Absent()
    while True:
        page = partial(unseen, folder=folder.path, seen=seen.marks.__contains__, after=after, limit=PAGE)
        rows, after = await journal.read(page)
        found = await threads.run(whereabouts, folder, rows, seen.devices, threads.stop)
        if seen.marks.any:
            await let_go(found.gone)
            waits += sum(entry.settling for entry in found.away)
        else:
            lone = Absent(lone.gone + found.gone, lone.away + found.away)
            missing = len(lone.gone) + len(lone.away)
            if vanished(missing, missing, device_changed=bool(lone.away)) == "hold":
                return _words(folder.path, away=bool(lone.away)), 0
        if not after:
            break
    found = await threads.run(whereabouts, folder, lone.gone, seen.devices, threads.stop)
    await let_go(found.gone)
    return "", waits


def _words(folder: str, *, away: bool) -> str:
    what = "another file system is mounted there" if away else "all of them vanished together"
    return f"The known files of the drop folder {folder} are gone: {what}."


def whereabouts(
    folder: FolderSpec, believed: Sequence[Believed], devices: set[int], stop: threading.Event
) -> Absent:
    """Look once more at files that a scan did not see, and at where they lay. Blocking.

    What is there after all, and what cannot be looked at, is left out. A file system is there where another file of
    it was seen, or where the folder of the file, or what is left of the way to it, is on it.
    """
    found = Absent()
    by_path = {entry.path: entry for entry in believed}
    places: dict[bytes, int | None] = {}
    for path, seen in look_all(folder, by_path, stop):
        if isinstance(seen, Sighting | LookProblem):
            continue
        directory = path.rpartition(b"/")[0]
        if directory not in places:
            places[directory] = _device(folder, directory)
        entry = by_path[path]
        there = entry.device in devices or entry.device == places[directory]
        (found.gone if there else found.away).append(entry)
    return found


def _device(folder: FolderSpec, directory: bytes) -> int | None:
    """The device of a folder, or of the nearest folder above it that exists; None where none can be opened."""
    while True:
        try:
            with fs.directory(folder.root, directory) as fd:
                return os.fstat(fd).st_dev
        except OSError as error:
            if not directory or error.errno not in fs.ABSENT:
                return None
        directory = directory.rpartition(b"/")[0]
