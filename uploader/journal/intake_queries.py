"""What intake reads from the journal, a batch or a page at a time: no query here grows with the folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from uploader.core.model import FileState, Sighting
from uploader.core.path_text import raw
from uploader.journal.queries import IN_FOLDER, MAY_BE_HIDDEN, REJECTED, latest
from uploader.journal.rows import decode_sighting, encode_sighting
from uploader.journal.sqlite_library import Database


@dataclass(slots=True)
class Compared:
    """A batch of sightings beside the newest versions of their paths."""

    ids: list[int] = field(default_factory=list)
    """Rows of all paths that are known, touched or not."""
    settling: list[tuple[int, Sighting]] = field(default_factory=list)
    """Files that settle, as they were when they were entered."""
    different: list[Sighting] = field(default_factory=list)
    """What is not known, or not as it is now: to be entered."""
    rewritten: set[bytes] = field(default_factory=set)
    """Paths of those of them that were settling already."""
    changed: set[bytes] = field(default_factory=set)
    """Paths of those of them that are known, settling or not."""
    devices: set[int] = field(default_factory=set)
    """The device numbers that the known ones were entered with."""
    archived: list[tuple[Sighting, bytes]] = field(default_factory=list)
    """Unknown ones that are files which were archived, if these still lie at the paths beside them."""


def compare(db: Database, folder: str, sightings: Collection[Sighting]) -> Compared:
    """Tell what is known and untouched from what has to be entered."""
    known = latest(db, folder, [sighting.path for sighting in sightings])
    found, archives = Compared(), _any_archived(db)
    for sighting in sightings:
        row = known.get(sighting.path)
        if row is None:
            if archives and (archived_as := _archived_as(db, sighting)):
                found.archived.append((sighting, archived_as))
            else:
                found.different.append(sighting)
            continue
        file_id, state, seen = row
        found.ids.append(file_id)
        if seen == encode_sighting(sighting):
            found.devices.add(sighting.fingerprint.device)
            if state == FileState.SETTLING:
                found.settling.append((file_id, sighting))
            continue
        found.devices.add(device_of(seen))
        found.different.append(sighting)
        found.changed.add(sighting.path)
        if state == FileState.SETTLING:
            found.rewritten.add(sighting.path)
    return found


def _any_archived(db: Database) -> bool:
    """Whether any source was archived."""
    sql = "SELECT 1 FROM files WHERE archived_identity IS NOT NULL LIMIT 1"
    return db.conn.execute(sql).fetchone() is not None


def _archived_as(db: Database, sighting: Sighting) -> bytes:
    """The archive's path of a file with this device, inode and name; empty where none was archived.

    Another name may be another link to the same file, which somebody has dropped.
    """
    raster, name = sighting.fingerprint, sighting.path.rpartition(b"/")[2]
    found = db.conn.execute(
        "SELECT archived_as FROM files WHERE archived_identity = ?", (f"{raster.device}:{raster.inode}",)
    )
    # Older journals have it as text.
    paths = (raw(path) if isinstance(path, str) else bytes(path) for (path,) in found)
    return next((path for path in paths if path.rpartition(b"/")[2] == name), b"")


def device_of(sighting: str) -> int:
    """The device number that a raster was on when it was seen."""
    return int(json.loads(sighting)[0][0])


@dataclass(frozen=True, slots=True)
class Believed:
    """A path that is believed to exist: its newest version, and the device it was seen on."""

    file_id: int
    path: bytes
    settling: bool
    device: int


def unseen(
    db: Database, folder: str, seen: Callable[[int], bool], after: int, limit: int
) -> tuple[list[Believed], int]:
    """Of the next rows by id: paths believed to exist of which no row was seen; and the last id, 0 at the end.

    Older versions of a path count as seen with the newest. Files that are being archived or deleted are left out:
    they may be hidden at the moment.
    """
    rows = db.conn.execute(
        f"SELECT id, path, state, sighting, {MAY_BE_HIDDEN} FROM files "  # noqa: S608 - conditions of ours
        f"WHERE id > ? AND +folder = ? AND current = 1 AND {IN_FOLDER} ORDER BY id LIMIT ?",
        (after, folder, limit),
    ).fetchall()
    found = [
        Believed(file_id, bytes(path), state == FileState.SETTLING, device_of(sighting))
        for file_id, path, state, sighting, leaves in rows
        if not seen(file_id) and not leaves and latest(db, folder, [path]).get(path, (0,))[0] == file_id
    ]
    return found, rows[-1][0] if len(rows) == limit else 0


_WHICH = f"{REJECTED} AND {IN_FOLDER}"
_REJECTED = f"SELECT id, path, sighting FROM files WHERE {_WHICH} AND +folder = ?"  # noqa: S608


def rejected(db: Database, folder: str, after: int, limit: int) -> list[Believed]:
    """The next rejected files of a folder by id."""
    sql = f"{_REJECTED} AND id > ? ORDER BY id LIMIT ?"
    return [_believed(row) for row in db.conn.execute(sql, (folder, after, limit))]


def rejected_at(db: Database, folder: str, paths: Collection[bytes]) -> list[Believed]:
    """Those of these paths at which a rejected file lies."""
    sql = f"SELECT id, path, sighting FROM files WHERE folder = ? AND path = ? AND {_WHICH}"  # noqa: S608
    return [_believed(row) for path in paths for row in db.conn.execute(sql, (folder, path))]


def _believed(row: tuple[int, bytes, str]) -> Believed:
    file_id, path, sighting = row
    return Believed(file_id, bytes(path), settling=False, device=device_of(sighting))


def waiting(
    db: Database, folder: str, after: int, limit: int, *, newest_first: bool = False
) -> list[tuple[int, bytes]]:
    """The next settling files of a folder by id, upwards or downwards; `after` 0 is the beginning."""
    beyond, direction = (
        ("id < ?", "DESC") if newest_first and after else ("id > ?", "DESC" if newest_first else "")
    )
    rows = db.conn.execute(
        f"SELECT id, path FROM files WHERE state = 'settling' AND folder = ? AND {beyond} "  # noqa: S608 - words of ours
        f"AND current = 1 AND {IN_FOLDER} ORDER BY id {direction} LIMIT ?",
        (folder, after, limit),
    )
    return [(row[0], bytes(row[1])) for row in rows]


def settling_count(db: Database, folder: str) -> int:
    """How many files of a folder settle."""
    sql = (
        f"SELECT COUNT(*) FROM files WHERE state = 'settling' AND folder = ? AND current = 1 AND {IN_FOLDER}"  # noqa: S608
    )
    found = db.conn.execute(sql, (folder,))
    return int(found.fetchone()[0])


def settling_folders(db: Database) -> list[str]:
    """The folders that have settling files."""
    return [row[0] for row in db.conn.execute("SELECT DISTINCT folder FROM files WHERE state = 'settling'")]


def settling(db: Database, folder: str, file_ids: Sequence[int]) -> dict[int, Sighting]:
    """Those of these rows that settle in this folder, as their files were seen last."""
    marks = ", ".join("?" * len(file_ids))
    rows = db.conn.execute(
        f"SELECT id, path, sighting FROM files WHERE id IN ({marks}) "  # noqa: S608
        f"AND folder = ? AND state = 'settling' AND current = 1 AND {IN_FOLDER}",
        (*file_ids, folder),
    )
    return {row[0]: decode_sighting(folder, bytes(row[1]), row[2]) for row in rows}
