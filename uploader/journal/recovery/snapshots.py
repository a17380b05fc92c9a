"""Copies of the journal, from which a damaged one is rebuilt.

    <state_dir>/snapshots/journal-000017.sqlite     the newest has the highest number; two are kept

A copy is made on a connection of its own, so that no commit waits for it: the journal is checked with all its indexes,
copied by `VACUUM INTO`, and the copy is checked, synced and renamed. What does not pass is no copy.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from uploader.journal.connection import connected
from uploader.journal.opening import FILE_NAME, SNAPSHOTS, damage, damaged
from uploader.journal.whole_files import copy_checked, verdict

KEPT = 2
"""Copies that are kept; the older one is for the case that the newer one rots."""

_NAME = re.compile(r"journal-(\d{6,})\.sqlite")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One copy; `time` is when it was made, in unix seconds as the file system tells it."""

    path: Path
    number: int
    time: float


def listed(state_dir: Path) -> list[Snapshot]:
    """The copies that are there, the newest first, whole or not."""
    folder = state_dir / SNAPSHOTS
    paths = list(folder.iterdir()) if folder.is_dir() else []
    named = [(path, match) for path in paths if (match := _NAME.fullmatch(path.name))]
    found = [Snapshot(path, int(match[1]), path.stat().st_mtime) for path, match in named]
    return sorted(found, key=lambda snapshot: -snapshot.number)


class Snapshots:
    """Makes the copies; one call at a time, in a thread. `interrupt` ends a running one from another thread."""

    def __init__(self, state_dir: Path, min_free_bytes: int = 0) -> None:
        self._state_dir = state_dir
        self._path = state_dir / FILE_NAME
        self.min_free_bytes = min_free_bytes
        self._running: sqlite3.Connection | None = None
        self._seen: tuple[int, ...] = ()

    def interrupt(self) -> None:
        """Let a running copy end soon, and come to nothing."""
        if (conn := self._running) is not None:
            with suppress(sqlite3.ProgrammingError):  # it has just ended by itself
                conn.interrupt()

    def make(self) -> Snapshot | None:
        """Copy the journal; None where nothing has changed since the last copy of this object.

        Raises JournalError where the journal is damaged, sqlite3.Error and OSError where there is no copy for any
        other reason.
        """
        seen = self._touched()
        if seen == self._seen:
            return None
        self._require_room()
        try:
            with closing(connected(self._path, read_only=True)) as conn:
                self._running = conn
                if wrong := verdict(conn, whole=True):
                    raise damaged(self._path, wrong)
                made = self._copy(conn)
        except sqlite3.DatabaseError as error:
            raise (damage(self._path, error) or error) from error
        finally:
            self._running = None
        self._seen = seen
        return made

    def room(self, size: int) -> bool:
        """Whether the disk can take so many bytes. Raises OSError."""
        return shutil.disk_usage(self._state_dir).free >= size + self.min_free_bytes

    def _touched(self) -> tuple[int, ...]:
        """Differs from its last value once somebody has committed."""
        found = []
        for path in (self._path, self._path.with_name(f"{FILE_NAME}-wal")):
            with suppress(FileNotFoundError):
                facts = path.stat()
                found += [facts.st_mtime_ns, facts.st_size]
        return tuple(found)

    def _require_room(self) -> None:
        if not self.room(size := self._path.stat().st_size):
            raise OSError(f"{size:,} bytes are needed above the {self.min_free_bytes:,} that stay free")

    def _copy(self, conn: sqlite3.Connection) -> Snapshot:
        folder = self._state_dir / SNAPSHOTS
        folder.mkdir(mode=0o700, exist_ok=True)
        there = listed(self._state_dir)
        number = there[0].number + 1 if there else 1
        path = folder / f"journal-{number:06d}.sqlite"
        copy_checked(conn, folder / "journal.new", path, whole=False)
        for old in there[KEPT - 1 :]:
            old.path.unlink()
        return Snapshot(path, number, path.stat().st_mtime)
