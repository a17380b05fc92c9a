"""The real journal over a database in memory, without its thread."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from tests.sim.journal import COLUMNS, Clockwork, line
from uploader.core.configuration import Folder
from uploader.core.model import Sighting
from uploader.core.pauses import passed_over
from uploader.core.planner_view import PlannerView
from uploader.core.working_set import Delta, WorkingSet
from uploader.journal import FileRow, SessionRow, deltas, queries, view_queries
from uploader.journal.archives import Archives
from uploader.journal.files import Files
from uploader.journal.forgetting import Forgetting
from uploader.journal.holds import Holds
from uploader.journal.pausing import Pausing
from uploader.journal.retry import Retrying
from uploader.journal.rows import decode_sighting, encode_sighting
from uploader.journal.scenes import Scenes
from uploader.journal.schema import migrations
from uploader.journal.sessions import Sessions
from uploader.journal.stored_transactions import StoredTransactions


class SqliteJournal:
    """The real journal's classes; what differs from the daemon's is who commits, and that a commit may crash."""

    file_row = staticmethod(queries.file_row)
    session_row = staticmethod(queries.session_row)
    profile = staticmethod(queries.profile)

    def __init__(self, world: Clockwork) -> None:
        self.world = world
        self.db = _database()
        self.live = WorkingSet()
        transactions = StoredTransactions(self, self._committed)  # type: ignore[arg-type]
        self.files = Files(transactions)
        self.archives = Archives(transactions)
        self.sessions = Sessions(transactions)
        self.scenes = Scenes(transactions)
        self.holds = Holds(transactions)
        self.retrying = Retrying(transactions)
        self.pausing = Pausing(transactions)
        self.forgetting = Forgetting(transactions)

    def _committed(self, delta: Delta, _: object) -> None:
        self.live.apply(delta)

    async def transact(
        self, name: str, work: Callable[[Database], Any], committed: Callable[[Any], None]
    ) -> Any:
        """Commit when it returns, and tell; or die before or after that."""
        conn = self.db.conn
        conn.execute("BEGIN")
        self.world.crash(name)
        try:
            result = work(self.db)
        except Exception:
            conn.execute("ROLLBACK")
            raise
        conn.execute("COMMIT")
        self.world.crash(name)
        committed(result)
        return result

    def revive(self) -> None:
        """A new process opens it: what was not committed is gone."""
        if self.db.conn.in_transaction:
            self.db.conn.execute("ROLLBACK")
        self.live = WorkingSet()
        self.live.apply(deltas.everything(self.db))

    async def read(self, query: Callable[[Any], Any]) -> Any:
        """What an effect looks up."""
        return query(self.db)

    def _all(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        return self.db.conn.execute(sql, args).fetchall()

    def newest(self, path: bytes, sighting: Sighting | None) -> tuple[int, str, bool] | None:
        """The newest version of a path that has a history: (id, state, was it this sighting)."""
        found = self._all(
            "SELECT id, state, sighting FROM files WHERE path = ? AND current = 1 ORDER BY id DESC LIMIT 1",
            path,
        )
        if not found:
            return None
        return found[0][0], found[0][1], sighting is not None and found[0][2] == encode_sighting(sighting)

    def believed(self, path: bytes) -> tuple[int, str] | None:
        """The newest version of a path that is believed to exist and is not being taken away."""
        return queries.tracked(self.db, "/drop").get(path)

    def paths(self) -> list[bytes]:
        """All paths with a history, but for those in archives."""
        sql = f"SELECT DISTINCT path FROM files WHERE current = 1 AND {queries.IN_FOLDER}"
        return [bytes(row[0]) for row in self._all(sql)]

    def staged(self) -> set[int]:
        """Files that have private copies."""
        return queries.staged_ids(self.db)

    def file(self, file_id: int) -> FileRow:
        """One file."""
        return queries.file_row(self.db, file_id)

    def inode(self, file_id: int) -> int:
        """Which file in the drop folder a row is about."""
        row = self.file(file_id)
        return decode_sighting(row.folder, row.path, row.sighting).fingerprint.inode

    def upload(self, session_id: int) -> SessionRow:
        """One session."""
        return queries.session_row(self.db, session_id)

    def opened_since(self, moment: float, target: str) -> bool:
        """Whether a session to a target (empty: to any) was planned after a moment and opened."""
        ids = self._all("SELECT id FROM sessions WHERE upload_id IS NOT NULL AND created_at > ?", moment)
        return any(target in ("", self.upload(session_id).key.target) for (session_id,) in ids)

    def waiting_to_join(self, item_id: str) -> int:
        """Files that wait and go to this item of a scene."""
        query = "SELECT count(*) FROM files JOIN scenes ON scenes.id = scene_id WHERE scenes.item_id = ?"
        return int(self._all(f"{query} AND files.state IN ('queued', 'converted', 'batched')", item_id)[0][0])

    def read_back(self, session_id: int) -> str | None:
        """What came of reading a session's items."""
        found: str | None = self._all("SELECT readback FROM sessions WHERE id = ?", session_id)[0][0]
        return found

    def leaked(self) -> int:
        """Bytes that may be reserved for nothing, as `status` tells it."""
        sql = "SELECT COALESCE(SUM((initiates_sent - initiates_clear) * total_bytes), 0) FROM sessions"
        return int(self._all(sql)[0][0])

    def known(self) -> list[tuple[str, str]]:
        """(upload id, hold) of all sessions that the platform has answered."""
        return [
            (r[0], r[1])
            for r in self._all("SELECT upload_id, hold FROM sessions WHERE upload_id IS NOT NULL")
        ]

    def table(self) -> list[tuple[Any, ...]]:
        """All files, by `COLUMNS`."""
        return self._all(f"SELECT {COLUMNS} FROM files ORDER BY id")

    def holdings(self) -> list[tuple[Any, ...]]:
        """All holds."""
        return sorted(self._all("SELECT scope, subject, reason, since, until, attempts FROM holds"))

    def scene_items(self) -> list[tuple[Any, ...]]:
        """(name, issue, item) of all scenes."""
        return self._all("SELECT name, issue, item_id FROM scenes ORDER BY id")

    def held(self) -> list[int]:
        """Sessions that only a person can go on with."""
        return [row[0] for row in self._all("SELECT id FROM sessions WHERE hold != '' ORDER BY id")]

    def digest(self) -> str:
        """The hash of the event log."""
        events = self._all("SELECT file_id, session_id, event, state, time FROM events ORDER BY id")
        return hashlib.sha256(b"".join(line(*event) for event in events)).hexdigest()[:16]

    def everything(self) -> str:
        """The hash of all that is in it, but for its name."""
        hashed = hashlib.sha256()
        for table in ("files", "sessions", "scenes", "events", "holds", "profile", "pauses", "cursors"):
            where = "WHERE key != 'journal'" if table == "profile" else ""
            for row in self._all(f"SELECT * FROM {table} {where} ORDER BY 1, 2"):
                hashed.update(f"{table} {row}\n".encode())
        return hashed.hexdigest()[:16]

    def view(
        self, destinations: Mapping[str, Folder], settling: Mapping[str, int], **machine: Any
    ) -> PlannerView:
        """What the planner sees: the working set, which must be what the queries say."""
        left_out = passed_over(self.live.pauses, self.world.now)
        expected = view_queries.read_view(self.db, destinations, left_out=left_out)
        live = self.live.view(destinations, left_out=left_out)
        view = replace(live, twins_completed=expected.twins_completed, twins_pending=expected.twins_pending)
        assert view == expected, f"the working set has {view}, the journal {expected}"
        return replace(
            view,
            settling=settling,
            coming=frozenset(name for name, files in settling.items() if files),
            **machine,
        )


_EMPTY: bytes = b""


def _database() -> Database:
    """An empty journal in memory; the schema is made once for a process."""
    global _EMPTY  # noqa: PLW0603 - a cache
    conn = sqlite3.connect(":memory:", isolation_level=None)
    if not _EMPTY:
        migrations.apply(Database(conn, execute_plugins=False))
        _EMPTY = conn.serialize()
    else:
        conn.deserialize(_EMPTY)
    return Database(conn, execute_plugins=False)
