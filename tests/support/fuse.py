"""The kernel's side of a file system, answered from a `Volume`: include/uapi/linux/fuse.h, version 7.31.

Nothing is cached by name, so that after a cut everything is looked up anew; inodes of before it are stale.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.support.volume import ROOT, SECTOR, Lost, Node, Volume

_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<6Q10I")
_SETTING = struct.Struct("<II6Q8I")
MOST = 1 << 20
"""Bytes of one write at most."""
_BIG_WRITES, _MAX_PAGES = 1 << 5, 1 << 22
PAGE = 4096
_EPOCH = 32
"""Node ids carry the number of cuts before them above this bit."""

MODE, UID, GID, SIZE, ATIME, MTIME, ATIME_NOW, MTIME_NOW = 1, 2, 4, 8, 16, 32, 128, 256
NOREPLACE = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the kernel: for whom, about which inode, and the rest of its bytes."""

    node: int
    uid: int
    gid: int
    rest: bytes

    def names(self, skip: int = 0) -> list[bytes]:
        """The names at the end of a request."""
        return self.rest[skip:].split(b"\0")[:-1]


CHANGES = frozenset({4, 6, 8, 9, 10, 11, 12, 13, 16, 20, 30, 35, 43, 45})
"""Operations that change something, or make it last."""


class Server:
    """Answers the kernel from a volume.

    When it is armed, the power fails right before the Nth change: the process dies, and nothing more is done.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.epoch = 0
        self.dead = False
        self._victim, self._left = 0, 0
        self._answers: dict[int, Callable[[Asked], bytes]] = {
            1: self._lookup,
            3: lambda asked: self._attributes(self._node(asked.node)),
            4: self._set,
            5: lambda asked: self._node(asked.node).target,
            6: self._symlink,
            8: self._mknod,
            9: self._mkdir,
            10: lambda asked: self._remove(asked, folder=False),
            11: lambda asked: self._remove(asked, folder=True),
            12: lambda asked: self._rename(asked, 8, 0),
            13: self._link,
            14: self._open,
            15: self._read,
            16: self._write,
            17: lambda _: struct.pack(
                "<5Q4I6I", 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, PAGE, 255, PAGE, *[0] * 7
            ),
            18: lambda _: b"",
            20: self._sync,
            25: lambda _: b"",
            26: self._init,
            27: self._open,
            28: self._list,
            29: lambda _: b"",
            30: self._sync,
            35: self._create,
            43: self._allocate,
            45: lambda asked: self._rename(asked, 16, struct.unpack_from("<I", asked.rest, 8)[0]),
        }

    def arm(self, victim: int, changes: int) -> None:
        """Let the power fail at this change from now; `victim` is killed by it."""
        self._victim, self._left = victim, changes

    def cut(self, what: str, seed: int) -> Lost:
        """Put the volume to what is left; the power is back."""
        self.epoch += 1
        self.dead, self._left = False, 0
        return self.volume.cut(what, seed)

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.dead = True
            with suppress(ProcessLookupError):
                os.kill(self._victim, signal.SIGKILL)

    def answer(self, request: bytes) -> bytes | None:
        """The answer to one request; None where none is wanted."""
        _, operation, unique, node, uid, gid, *_ = _IN.unpack_from(request)
        if operation in (2, 36, 42):  # forget, interrupt
            return None
        if operation in CHANGES and not self.dead:
            self._count()
        if self.dead:
            return _OUT.pack(_OUT.size, -errno.EIO, unique)
        error, body = 0, b""
        try:
            body = self._answers.get(operation, _unknown)(Asked(node, uid, gid, request[_IN.size :]))
        except OSError as failure:
            error = -(failure.errno or errno.EIO)
        return _OUT.pack(_OUT.size + len(body), error, unique) + body

    def _node(self, number: int) -> Node:
        epoch, ino = number >> _EPOCH, number & ((1 << _EPOCH) - 1)
        node = self.volume.nodes.get(ino)
        if node is None or (ino != ROOT and epoch != self.epoch):
            raise OSError(errno.ESTALE, "of before the cut")
        return node

    def _child(self, folder: int, name: bytes) -> Node:
        parent = self._node(folder)
        if name not in parent.entries:
            raise OSError(errno.ENOENT, "no such name")
        return self.volume.nodes[parent.entries[name]]

    def _raw(self, node: Node) -> bytes:
        seconds, rest = zip(*(divmod(t, 10**9) for t in node.times), strict=True)
        size = len(node.target or node.data)
        whole = (node.ino, size, -(-size // SECTOR), *seconds, *rest)
        return _ATTRIBUTES.pack(*whole, node.mode, node.links, node.uid, node.gid, node.rdev, PAGE, 0)

    def _attributes(self, node: Node) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + self._raw(node)

    def _entry(self, node: Node) -> bytes:
        number = ROOT if node.ino == ROOT else self.epoch << _EPOCH | node.ino
        return struct.pack("<4Q2I", number, 0, 0, 0, 0, 0) + self._raw(node)

    def _init(self, asked: Asked) -> bytes:
        _, _, ahead, flags = struct.unpack_from("<4I", asked.rest)
        wanted = flags & (_BIG_WRITES | _MAX_PAGES)
        return struct.pack("<4I2H2I2H2I24x", 7, 31, ahead, wanted, 16, 12, MOST, 1, MOST // PAGE, 0, 0, 0)

    def _lookup(self, asked: Asked) -> bytes:
        return self._entry(self._child(asked.node, asked.names()[0]))

    def _set(self, asked: Asked) -> bytes:
        valid, _, _, size, _, atime, mtime, _, *rest = _SETTING.unpack_from(asked.rest)
        atime_rest, mtime_rest, _, mode, _, uid, gid, _ = rest
        node, now = self._node(asked.node), time.time_ns()
        if valid & SIZE:
            self.volume.truncate(node, size)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode) if valid & MODE else node.mode
        node.uid, node.gid = uid if valid & UID else node.uid, gid if valid & GID else node.gid
        if valid & ATIME:
            node.times[0] = now if valid & ATIME_NOW else atime * 10**9 + atime_rest
        if valid & MTIME:
            node.times[1] = now if valid & MTIME_NOW else mtime * 10**9 + mtime_rest
        node.times[2] = now
        return self._attributes(node)

    def _new(self, asked: Asked, name: bytes, mode: int, **more: object) -> Node:
        if name in self._node(asked.node).entries:
            raise OSError(errno.EEXIST, "there already")
        node = self.volume.make(mode, asked.uid, asked.gid, **more)  # type: ignore[arg-type]
        self.volume.edit((self._node(asked.node).ino, name, node.ino))
        return node

    def _symlink(self, asked: Asked) -> bytes:
        name, target = asked.names()
        return self._entry(self._new(asked, name, stat.S_IFLNK | 0o777, target=target))

    def _mknod(self, asked: Asked) -> bytes:
        mode, rdev = struct.unpack_from("<II", asked.rest)
        return self._entry(self._new(asked, asked.names(16)[0], mode, rdev=rdev))

    def _mkdir(self, asked: Asked) -> bytes:
        (mode,) = struct.unpack_from("<I", asked.rest)
        return self._entry(self._new(asked, asked.names(8)[0], stat.S_IFDIR | stat.S_IMODE(mode)))

    def _create(self, asked: Asked) -> bytes:
        _, mode = struct.unpack_from("<II", asked.rest)
        node = self._new(asked, asked.names(16)[0], stat.S_IFREG | stat.S_IMODE(mode))
        return self._entry(node) + struct.pack("<QII", 0, 0, 0)

    def _open(self, asked: Asked) -> bytes:
        self._node(asked.node)
        return struct.pack("<QII", 0, 0, 0)

    def _remove(self, asked: Asked, *, folder: bool) -> bytes:
        (name,) = asked.names()
        node = self._child(asked.node, name)
        if folder and node.entries:
            raise OSError(errno.ENOTEMPTY, "not empty")
        self.volume.edit((self._node(asked.node).ino, name, None))
        return b""

    def _rename(self, asked: Asked, skip: int, flags: int) -> bytes:
        (number,) = struct.unpack_from("<Q", asked.rest)
        old, new = asked.names(skip)
        node, target = self._child(asked.node, old), self._node(number)
        if flags & ~NOREPLACE:
            raise OSError(errno.EINVAL, "no such rename")
        there = target.entries.get(new)
        if there is not None and flags & NOREPLACE:
            raise OSError(errno.EEXIST, "there already")
        if there is not None and self.volume.nodes[there].entries:
            raise OSError(errno.ENOTEMPTY, "not empty")
        if there != node.ino:
            self.volume.edit((self._node(asked.node).ino, old, None), (target.ino, new, node.ino))
        return b""

    def _link(self, asked: Asked) -> bytes:
        (number,) = struct.unpack_from("<Q", asked.rest)
        (name,) = asked.names(8)
        node = self._node(number)
        if name in self._node(asked.node).entries:
            raise OSError(errno.EEXIST, "there already")
        self.volume.edit((self._node(asked.node).ino, name, node.ino))
        return self._entry(node)

    def _read(self, asked: Asked) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", asked.rest)
        return bytes(self._node(asked.node).data[offset : offset + size])

    def _write(self, asked: Asked) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", asked.rest)
        self.volume.write(self._node(asked.node), offset, asked.rest[40 : 40 + size])
        return struct.pack("<II", size, 0)

    def _sync(self, asked: Asked) -> bytes:
        self.volume.sync(self._node(asked.node))
        return b""

    def _allocate(self, asked: Asked) -> bytes:
        _, offset, length, mode = struct.unpack_from("<3QI", asked.rest)
        if mode:
            raise OSError(errno.EOPNOTSUPP, "only plain allocation")
        node = self._node(asked.node)
        if len(node.data) < offset + length:
            self.volume.truncate(node, offset + length)
        return b""

    def _list(self, asked: Asked) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", asked.rest)
        found = bytearray()
        for at, (name, ino) in enumerate([*self._node(asked.node).entries.items()][offset:], offset + 1):
            kind = self.volume.nodes[ino].mode >> 12
            entry = struct.pack("<QQII", ino, at, len(name), kind) + name
            entry += bytes(-len(entry) % 8)
            if len(found) + len(entry) > size:
                break
            found += entry
        return bytes(found)


def _unknown(_: Asked) -> bytes:
    raise OSError(errno.ENOSYS, "not here")
