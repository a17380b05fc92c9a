"""What the working set is told: the rows that a transaction has touched, as it leaves them; at the start all rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from uploader.core import lifecycle
from uploader.core.lifecycle import SESSIONS_PENDING
from uploader.core.transitions.change import Change
from uploader.core.working_set import Delta
from uploader.journal.hold_rows import read_holds, read_pauses
from uploader.journal.queries import profile
from uploader.journal.row_queries import live_files, live_sessions, scene_rows
from uploader.journal.rows import batched, in_list
from uploader.journal.settling_sums import blocks_of
from uploader.journal.sqlite_library import Database

SESSION_PENDING = f"state IN ({in_list(SESSIONS_PENDING)})"
NEEDED = f"({SESSION_PENDING} OR readback = 'due')"
"""The condition that a session itself needs a step. Each part has an index, as in `_LIVE`: no history is read."""
WORKED_ON = f"state IN ({in_list(lifecycle.WORKED_ON)})"
DUE = "(state = 'completed' AND disposal IS NULL)"
UNPACKED_DUE = "(state = 'unpacked' AND disposal IS NULL)"
"""Archives whose sources are to go, once all that they hold are items."""
WANTING = "(item_id IS NULL OR describing = 'due')"
"""The condition that a scene may need something as a whole."""
_OF_NEEDED = f"session_id IN (SELECT id FROM sessions WHERE {NEEDED})"  # noqa: S608 - conditions of ours
_ANY_OF = ("staged = 1", WORKED_ON, DUE, UNPACKED_DUE, _OF_NEEDED)
_EACH = (f"SELECT id FROM files WHERE {one}" for one in _ANY_OF)  # noqa: S608
_LIVE = f"id IN ({' UNION ALL '.join(_EACH)})"


@dataclass(slots=True)
class Touched:
    """Which rows the changes of one transaction are about."""

    files: set[int] = field(default_factory=set)
    sessions: set[int] = field(default_factory=set)
    scenes: set[int] = field(default_factory=set)
    blocks: set[int] = field(default_factory=set)
    """Blocks of rows in which settling files may have changed: see `settling_sums`."""
    holds: bool = False
    pauses: bool = False
    learned: bool = False
    everything: bool = False

    def by(self, change: Change) -> None:
        """Note what a change is about. A file that is new settles, which its folder's queue knows."""
        self.files.update(change.files, change.forgotten_files, _live(change))
        self.sessions.update(change.sessions, change.new_sessions, change.forgotten_sessions)
        self.scenes.update(change.scenes, change.new_scenes)
        for files in (change.files, change.new_files, change.forgotten_files):
            self.blocks |= blocks_of(files)
        self.holds = self.holds or bool(change.holds)
        self.pauses = self.pauses or bool(change.pauses)
        self.learned = self.learned or bool(change.learned)
        self.everything = self.everything or bool(change.set_back)


def _live(change: Change) -> Iterator[int]:
    return (
        file_id
        for file_id, columns in change.new_files.items()
        if columns.get("state") in lifecycle.WORKED_ON | lifecycle.FILE_ENDS
    )


def everything(db: Database) -> Delta:
    """All live rows, the sessions of live files among them."""
    sessions = f"{NEEDED} OR id IN (SELECT session_id FROM files WHERE {_LIVE})"  # noqa: S608 - conditions of ours
    return Delta(
        files={file.row.id: file for file in live_files(db, _LIVE)},
        sessions={session.row.id: session for session in live_sessions(db, sessions)},
        scenes={scene.id: scene for scene in scene_rows(db, WANTING)},
        holds=tuple(read_holds(db)),
        pauses=read_pauses(db),
        profile=profile(db),
        whole=True,
    )


def delta(db: Database, touched: Touched) -> Delta:
    """The touched rows as they are in this transaction, with the sessions that the files are in."""
    if touched.everything:
        return everything(db)
    files = {
        file.row.id: file for ids in batched(touched.files) for file in live_files(db, among_ids(ids), *ids)
    }
    archives = {file.row.archive_id for file in files.values() if file.row.archive_id is not None}
    for ids in batched(archives - files.keys()):
        waiting = live_files(db, f"{among_ids(ids)} AND {UNPACKED_DUE}", *ids)
        files |= {file.row.id: file for file in waiting}
    for ids in batched(touched.scenes):
        of_scenes = live_files(db, f"{among_ids(ids, 'scene_id')} AND ({_LIVE})", *ids)
        files |= {file.row.id: file for file in of_scenes}
    of_files = {file.row.session_id for file in files.values() if file.row.session_id is not None}
    session_ids = touched.sessions | of_files
    sessions = {s.row.id: s for ids in batched(session_ids) for s in live_sessions(db, among_ids(ids), *ids)}
    return Delta(
        files={file_id: files.get(file_id) for file_id in touched.files | files.keys()},
        sessions={session_id: sessions.get(session_id) for session_id in session_ids},
        scenes={s.id: s for ids in batched(touched.scenes) for s in scene_rows(db, among_ids(ids), *ids)},
        holds=tuple(read_holds(db)) if touched.holds else None,
        pauses=read_pauses(db) if touched.pauses else None,
        profile=profile(db) if touched.learned else None,
    )


def among_ids(ids: Collection[int], column: str = "id") -> str:
    """Of these ids, as parameters: SQLite keeps the statement, as long as there are as many."""
    return f"{column} IN ({', '.join('?' * len(ids))})"
