"""Disk errors and clock jumps on order, below libc: `preload.c`, built with the C compiler of the machine.

board = Board.build(folder)
process = w.start(**board.environment)
board.fail(errno.EIO, "sick.tif", Calls.READ)
board.shift(-3600)
"""

from __future__ import annotations

import errno
import mmap
import shutil
import struct
import subprocess
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

_LAYOUT = struct.Struct("=qqii240s")
_COUNT = struct.Struct("=q")
_SOURCE = Path(__file__).with_name("preload.c")


class Calls(IntFlag):
    """Which calls on the files fail; RESOLVE is about host names."""

    OPEN = 1
    READ = 2
    WRITE = 4
    SYNC = 8
    RESOLVE = 16
    STAT = 32


HANG = -1


def missing() -> str:
    """Why this machine cannot do it; empty where it can."""
    return "" if shutil.which("cc") else "no C compiler, so no disk errors and clock jumps on order"


@dataclass
class Board:
    """The switchboard that a running daemon looks at in each call."""

    library: Path
    file: Path
    _map: mmap.mmap
    _shift: int = 0
    _passed: int = 0

    @classmethod
    def build(cls, folder: Path) -> Board:
        """Compile the library into a folder and lay the board beside it, with everything off."""
        library, file = folder / "preload.so", folder / "board"
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        file.write_bytes(bytes(_LAYOUT.size + _COUNT.size))
        with file.open("r+b") as opened:
            return cls(library, file, mmap.mmap(opened.fileno(), _LAYOUT.size + _COUNT.size))

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon is started with."""
        return {"LD_PRELOAD": str(self.library), "FAULT_BOARD": str(self.file)}

    def shift(self, seconds: int) -> None:
        """Put the daemon's wall clock off by so many seconds; its other clock runs on."""
        self._shift = seconds
        self._write()

    def elapse(self, seconds: int) -> None:
        """Let so much time go by on both clocks at once, as after a suspended machine or a long wait."""
        self._passed += seconds
        self._shift += seconds
        self._write()

    def fail(self, error: int, part: str, calls: Calls) -> None:
        """Let calls on files whose path contains `part` fail with an errno."""
        self._write(error, calls, part.encode())

    def hang(self, part: str) -> None:
        """Let calls on files whose path contains `part` not return before it is healed, as on a hard mount."""
        self._write(HANG, Calls.OPEN | Calls.READ | Calls.STAT, part.encode())

    @property
    def hung(self) -> int:
        """How many calls did not return, up to now."""
        return int(_COUNT.unpack_from(self._map, _LAYOUT.size)[0])

    def deafen(self, part: str) -> None:
        """Let no host name that contains `part` be resolved: the name server does not answer."""
        self.fail(errno.EIO, part, Calls.RESOLVE)

    def heal(self) -> None:
        """All calls work again; the clocks stay."""
        self._write()

    def _write(self, error: int = 0, calls: int = 0, part: bytes = b"") -> None:
        _LAYOUT.pack_into(self._map, 0, self._shift, self._passed, error, calls, part)
