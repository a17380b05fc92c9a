"""The door of inotify: watches on the real folders of a tree, each for itself, and what their events mean.

Links are never followed, names are bytes, and the kernel says when its queue was too short. Writes are told at their
end, when the file is closed: a file that is written to all the time makes no stream of events.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inotify_simple import INotify, flags

from uploader.folders.spec import FolderSpec, joined
from uploader.system import files as fs
from uploader.system.tree_walk import WalkedFolder, walk

MASK = (
    flags.CREATE
    | flags.CLOSE_WRITE
    | flags.ATTRIB
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.DELETE
    | flags.MOVE_SELF
    | flags.ONLYDIR
    | flags.EXCL_UNLINK
)

CAME = flags.CREATE | flags.MOVED_TO
WENT = flags.DELETE | flags.MOVED_FROM
OURS_NO_MORE = flags.MOVE_SELF | flags.UNMOUNT | flags.IGNORED

LIMITS = frozenset((errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""What the kernel says when it gives no more watches or instances."""


@dataclass(slots=True)
class WatchEvents:
    """What events told: names by folder, folders to look at as a whole, and the state of the watches themselves."""

    names: dict[bytes, set[bytes]] = field(default_factory=dict)
    folders: set[bytes] = field(default_factory=set)
    overflowed: bool = False
    """The kernel's queue was too short: some events are lost."""
    remounted: bool = False
    """Below the folder a file system was mounted or taken away."""
    ended: bool = False
    """The folder itself is gone, moved or unmounted: nothing more will be told."""


class Watches:
    """The watches of one drop folder. All methods block, and are called from one thread at a time.

    Raises OSError where the kernel gives no instance. `close` may come while another thread is at work: the
    descriptor is given back when that has left, so that its number is never somebody else's meanwhile.
    """

    def __init__(self, folder: FolderSpec) -> None:
        self._folder = folder
        self._inotify = INotify()
        self._paths: dict[int, bytes] = {}
        self._refused: set[bytes] = set()
        """Folders that could not be watched, for their rights or their disk."""
        self._lock = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        """The descriptor that is readable when there are events."""
        return int(self._inotify.fileno())

    def build(self, stop: threading.Event) -> None:
        """Watch the folder and all below it. Raises OSError where it cannot be, or the kernel gives no more watches."""
        with self._at_work():
            self._paths.clear()
            self._refused.clear()
            self._watch_below(b"", stop)

    def read(self, stop: threading.Event) -> WatchEvents:
        """What was told since the last call; folders that appeared are watched from now on. Raises OSError as above."""
        with self._at_work():
            told, appeared = WatchEvents(), dict[bytes, None]()
            for event in self._inotify.read(timeout=0):
                self._judge(event.wd, event.mask, os.fsencode(event.name), told, appeared)
            for path in appeared:
                self._watch_below(path, stop)
                told.folders.add(path)
            return told

    def again(self, stop: threading.Event) -> set[bytes]:
        """Try once more what could not be watched; returns the folders that are watched now."""
        with self._at_work():
            tried, self._refused = self._refused, set()
            for path in tried:
                self._watch_below(path, stop)
            return tried - self._refused

    def close(self) -> None:
        """Give the descriptor back, now or when the thread that is at work has left."""
        self._closed = True
        self._close_if_idle()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        try:
            with self._lock:
                if self._closed:
                    raise OSError(errno.EBADF, "the watches are closed")
                yield
        finally:
            if self._closed:
                self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._inotify.close()
            finally:
                self._lock.release()

    def _watch_below(self, start: bytes, stop: threading.Event) -> None:
        """Each folder is watched before it is listed: what comes later is told, what was there is found."""
        for place in walk(self._folder.root, start, stop):
            try:
                self._watch(place)
                if self._folder.closed(place.fd):
                    continue
                with os.scandir(place.fd) as entries:
                    place.below = [
                        name
                        for entry in entries
                        if entry.is_dir(follow_symlinks=False)
                        and self._folder.enters_below(place.path, name := os.fsencode(entry.name))
                    ]
            except OSError as error:
                if error.errno in LIMITS or not place.path:
                    raise
                if error.errno not in fs.ABSENT:
                    self._refused.add(place.path)

    def _watch(self, place: WalkedFolder) -> None:
        if place.error is not None:
            raise place.error
        wd = self._inotify.add_watch(f"/proc/self/fd/{place.fd}", MASK)
        self._paths[wd] = place.path

    def _judge(self, wd: int, mask: int, name: bytes, told: WatchEvents, appeared: dict[bytes, None]) -> None:
        if mask & flags.Q_OVERFLOW:
            told.overflowed = True
            return
        path = self._paths.get(wd)
        if path is None:
            return
        if not name:
            self._judge_itself(wd, path, mask, told)
        elif not mask & flags.ISDIR:
            told.names.setdefault(path, set()).add(name)
        elif mask & WENT:
            self._forget(joined(path, name))
            appeared.pop(joined(path, name), None)
        elif (mask & CAME or joined(path, name) in self._refused) and self._folder.enters_below(path, name):
            appeared[joined(path, name)] = None

    def _judge_itself(self, wd: int, path: bytes, mask: int, told: WatchEvents) -> None:
        """An event of a watched folder itself: its watch may be over."""
        if not mask & OURS_NO_MORE:
            return
        if not path:
            told.ended = True
        elif mask & (flags.IGNORED | flags.UNMOUNT):
            del self._paths[wd]
            self._refused.add(path)  # what lies there now, if anything, is watched at the next try

    def _forget(self, path: bytes) -> None:
        """A folder went: events of it and of what is below it would be told under a path that is theirs no more."""
        below = path + b"/"
        for wd in [w for w, p in self._paths.items() if p == path or p.startswith(below)]:
            del self._paths[wd]
            try:
                self._inotify.rm_watch(wd)
            except OSError:
                continue  # it went with its folder
