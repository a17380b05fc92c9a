"""A file tree that knows what a power cut would leave of it: the promise of POSIX, and not one bit more.

- A file's bytes last once the file was synced; until then each write may be there, or not, or in part.
- A name lasts once its folder was synced; until then the folder is as it was. What happened to one folder lasts in the
  order in which it happened, and a rename is there as a whole or not at all.

Nothing here touches a disk: `tests.support.fuse` shows such a tree as a file system.
"""

from __future__ import annotations

import random
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

ROOT = 1
SECTOR = 512
"""Bytes that a disk writes as a whole."""

CUTS = ("nothing", "names", "some")
"""What survives of what was not synced: nothing; the names and no bytes, as on a file system that journals only its
folders; or the names up to a moment, and some of the writes, torn between sectors."""

Edit = tuple[int, bytes, int | None]
"""A folder, a name in it, and the inode that it now means (None: it is gone)."""


@dataclass(slots=True)
class Node:
    """An inode. `data` and `entries` are what processes see, `saved` and `lasting` what a power cut leaves."""

    ino: int
    mode: int
    uid: int = 0
    gid: int = 0
    rdev: int = 0
    target: bytes = b""
    data: bytearray = field(default_factory=bytearray)
    saved: bytearray = field(default_factory=bytearray)
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Since the last sync, in order: bytes at an offset, or None for the new length."""
    entries: dict[bytes, int] = field(default_factory=dict)
    lasting: dict[bytes, int] = field(default_factory=dict)
    links: int = 0
    times: list[int] = field(default_factory=lambda: [time.time_ns()] * 3)
    """Access, modification and change, in nanoseconds."""

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True, slots=True)
class Lost:
    """What one cut took: writes of bytes, and changes of names."""

    writes: int
    names: int


class Volume:
    """A tree, and the changes of names that were not synced, in order."""

    def __init__(self) -> None:
        self._last = ROOT
        self.nodes = {ROOT: Node(ROOT, stat.S_IFDIR | 0o755, links=2)}
        self.pending: list[tuple[Edit, ...]] = []

    def make(self, mode: int, uid: int = 0, gid: int = 0, *, rdev: int = 0, target: bytes = b"") -> Node:
        """A new inode without a name."""
        self._last += 1
        node = Node(self._last, mode, uid, gid, rdev, target, links=1 if stat.S_ISDIR(mode) else 0)
        self.nodes[node.ino] = node
        return node

    def edit(self, *edits: Edit) -> None:
        """Change names, all at once."""
        now = time.time_ns()
        for folder, name, ino in edits:
            parent = self.nodes[folder]
            before = parent.entries.pop(name, None)
            if before is not None:
                self.nodes[before].links -= 1
                self.nodes[before].times[2] = now
            if ino is not None:
                parent.entries[name] = ino
                self.nodes[ino].links += 1
                self.nodes[ino].times[2] = now
            parent.times[1:] = now, now
        self.pending.append(edits)

    def write(self, node: Node, offset: int, data: bytes) -> None:
        """Write bytes; a gap before them is zeros."""
        put(node.data, offset, data)
        self._written(node, (offset, data))

    def truncate(self, node: Node, size: int) -> None:
        """Set the length; what is new is zeros."""
        put(node.data, size, None)
        self._written(node, (size, None))

    def _written(self, node: Node, what: tuple[int, bytes | None]) -> None:
        node.writes.append(what)
        now = time.time_ns()
        node.times[1:] = now, now

    def sync(self, node: Node) -> None:
        """Make the bytes of a file, or the names in a folder, last."""
        for what in node.writes:
            put(node.saved, *what)
        node.writes.clear()
        if node.folder:
            self._sync_names(node.ino)

    def sync_all(self) -> None:
        """Make everything last."""
        for node in self.nodes.values():
            self.sync(node)

    def _sync_names(self, folder: int) -> None:
        """Changes of this folder last, and what happened before them in the folders that they touch."""
        forced, touched = set(), {folder}
        for index in range(len(self.pending) - 1, -1, -1):
            folders = {edit[0] for edit in self.pending[index]}
            if folders & touched:
                forced.add(index)
                touched |= folders
        self._last_from(self.pending[index] for index in sorted(forced))
        self.pending = [edits for index, edits in enumerate(self.pending) if index not in forced]

    def _last_from(self, changes: Iterable[tuple[Edit, ...]]) -> None:
        for folder, name, ino in (edit for edits in changes for edit in edits):
            lasting = self.nodes[folder].lasting
            lasting.pop(name, None)
            if ino is not None:
                lasting[name] = ino

    def cut(self, what: str, seed: int) -> Lost:
        """The power fails; see `CUTS`. Afterwards what is left is all there is, and lasts."""
        rng = random.Random(seed)
        kept = {"nothing": 0, "names": len(self.pending)}.get(what)
        kept = rng.randint(0, len(self.pending)) if kept is None else kept
        lost = Lost(sum(len(node.writes) for node in self.nodes.values()), len(self.pending) - kept)
        self._last_from(self.pending[:kept])
        self.pending = []
        for node in self.nodes.values():
            for write in _survivors(node.writes, rng) if what == "some" else ():
                put(node.saved, *write)
            node.writes = []
            node.data = bytearray(node.saved)
            node.entries = dict(node.lasting)
        self._forget_the_nameless()
        return lost

    def _forget_the_nameless(self) -> None:
        named = {ROOT, *self._below(ROOT)}
        self.nodes = {ino: node for ino, node in self.nodes.items() if ino in named}
        for node in self.nodes.values():
            node.links = 2 if node.ino == ROOT else int(node.folder)
        for node in self.nodes.values():
            for ino in node.entries.values():
                self.nodes[ino].links += 1

    def _below(self, folder: int) -> Iterator[int]:
        for ino in self.nodes[folder].entries.values():
            yield ino
            if self.nodes[ino].folder:
                yield from self._below(ino)


def put(data: bytearray, offset: int, piece: bytes | None) -> None:
    """Write a piece at an offset, or set the length to it (None)."""
    if piece is None:
        del data[offset:]
        piece = b""
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece


def _survivors(
    writes: list[tuple[int, bytes | None]], rng: random.Random
) -> Iterator[tuple[int, bytes | None]]:
    for offset, data in writes:
        fate = rng.random()
        if fate < 0.5:
            yield offset, data
        elif data is not None and fate < 0.7:
            end = rng.randrange(0, len(data) + SECTOR, SECTOR)
            yield offset, data[: max(0, end - offset % SECTOR)]
