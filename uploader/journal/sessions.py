"""What becomes true of upload sessions, and of their files with them. One public method is one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from uploader.core.batching import Batch
from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import Hold, Layout, Scope
from uploader.core.transitions import file_events
from uploader.core.transitions.records import CALM, FRESH
from uploader.journal.apply import StoredRows
from uploader.journal.holds import clear_hold, learn, set_hold
from uploader.journal.membership import (
    alive,
    attempts_of,
    completes_sent,
    count_up,
    couple,
    members_of,
    target_of,
)
from uploader.journal.rows import clock, move_file, move_session, one, set_columns
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer


class Sessions:
    """The session machine in the journal."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def planned(
        self, batch: Batch, body: Mapping[str, object], key: str, after_upload: Mapping[int, str]
    ) -> int:
        """Freeze a session: members, sizes, body and Idempotency-Key; returns its id."""

        def work(db: Database) -> int:
            now = clock()
            k = batch.key
            cursor = db.conn.execute(
                "INSERT INTO sessions (state, project_id, collection_id, item_id, asset_key, categorical, "
                "idempotency_key, body, file_count, total_bytes, created_at, changed_at) "
                "VALUES ('planned', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(k.project_id, k.collection_id, k.item_id, k.asset_key, int(k.categorical)),
                    *(key, json.dumps(body), len(batch.files), batch.total_bytes, now, now),
                ),
            )
            session_id = int(cursor.lastrowid or 0)
            for file in batch.files:
                columns = {"session_id": session_id, "after_upload": after_upload[file.file_id], **FRESH}
                move_file(db, file.file_id, FileEvent.BATCHED, f"session {session_id}", **columns)
            return session_id

        return await self._writer.transact("planned", work)

    async def initiating(self, session_id: int) -> None:
        """`initiate` is about to be sent: from now on its answer may be lost."""
        await self._writer.transact("initiating", lambda db: count_up(db, session_id, "initiates_sent"))

    async def opened(self, session_id: int, upload_id: str, quota_cap: int | None) -> None:
        """`initiate` answered; whatever held it back is over."""

        def work(db: Database) -> None:
            count_up(db, session_id, "initiates_clear")
            move_session(db, session_id, SessionEvent.OPENED, upload_id, upload_id=upload_id, **CALM)
            clear_hold(db, Scope.ORGANIZATION, "")
            clear_hold(db, Scope.TARGET, target_of(db, session_id))
            learn(db, "quota_cap", quota_cap)

        await self._writer.transact("opened", work)

    async def refused(
        self, session_id: int, reason: str, hold: Hold | None, learned: Mapping[str, Any] | None = None
    ) -> None:
        """`initiate` said no in clear words: nothing was reserved, the files wait for another session."""

        def work(db: Database) -> None:
            count_up(db, session_id, "initiates_clear")
            members = members_of(db, session_id)
            move_session(db, session_id, SessionEvent.REFUSED, reason, last_error=reason)
            couple(db, session_id, SessionEvent.REFUSED)
            if hold is not None:
                set_hold(db, hold)
                if hold.scope is Scope.ORGANIZATION and len(members) == 1:
                    text = (
                        f"{members[0]['file_name']} needs {members[0]['object_size']:,} bytes of storage quota, more "
                        "than there are. Free space or raise the quota; smaller files go on."
                    )
                    set_columns(db, "files", members[0]["id"], {"hold": text})
            for key, value in (learned or {}).items():
                learn(db, key, value)

        await self._writer.transact("refused", work)

    async def retry(
        self, session_id: int, reason: str, after: float, *, clear: str = "", hold: Hold | None = None
    ) -> None:
        """The same step again after so many seconds.

        `clear` names the counter of a call that was answered, so that it is not doubtful: `initiates_clear` or
        `completes_clear`.
        """

        def work(db: Database) -> None:
            now = clock()
            if clear:
                count_up(db, session_id, clear)
            db.conn.execute(
                "UPDATE sessions SET tries = tries + 1, retrying_since = COALESCE(retrying_since, ?), "
                "not_before = ?, last_error = ? WHERE id = ?",
                (now, now + after, reason, session_id),
            )
            if hold is not None:
                set_hold(db, hold)

        await self._writer.transact("session_retry", work)

    async def held(self, session_id: int, reason: str) -> None:
        """Only a person can go on with this session."""
        await self._writer.transact(
            "held", lambda db: set_columns(db, "sessions", session_id, {"hold": reason, "last_error": reason})
        )

    async def completing(self, session_id: int) -> None:
        """`complete` is about to be sent: from now on the items may exist."""

        def work(db: Database) -> None:
            row = one(db, "SELECT state FROM sessions WHERE id = ?", session_id)
            if row and row["state"] == "open":
                move_session(db, session_id, SessionEvent.COMPLETING, **CALM)
            count_up(db, session_id, "completes_sent")

        await self._writer.transact("completing", work)

    async def doubted(self, session_id: int, reason: str) -> None:
        """A later answer contradicts a `complete` that went unanswered: the items are looked for."""
        await self._writer.transact(
            "doubted",
            lambda db: set_columns(db, "sessions", session_id, {**CALM, "locating": 1, "last_error": reason}),
        )

    async def not_found(self, session_id: int, reason: str, after: float) -> None:
        """The items are not to be seen yet; they are looked for again after so many seconds."""

        def work(db: Database) -> None:
            db.conn.execute(
                "UPDATE sessions SET locate_tries = locate_tries + 1, not_before = ?, last_error = ?, "
                "retrying_since = COALESCE(retrying_since, ?) WHERE id = ?",
                (clock() + after, reason, clock(), session_id),
            )

        await self._writer.transact("not_found", work)

    async def completed(
        self, session_id: int, item_ids: Sequence[str], item_of: Mapping[str, str], *, readback: bool
    ) -> None:
        """The items exist; the members are completed with it."""

        def work(db: Database) -> None:
            move_session(
                db,
                session_id,
                SessionEvent.COMPLETED,
                f"{len(item_ids)} items answered",
                item_ids=json.dumps(list(item_ids)),
                completes_clear=completes_sent(db, session_id),
                readback="due" if readback else None,
                locating=0,
                **CALM,
            )
            couple(db, session_id, SessionEvent.COMPLETED)
            clear_hold(db, Scope.TARGET, target_of(db, session_id))
            for row in members_of(db, session_id):
                columns = {"item_id": item_of.get(row["file_name"])}
                if row["after_upload"] == "keep":
                    columns["disposal"] = "kept"
                set_columns(db, "files", row["id"], columns)

        await self._writer.transact("completed", work)

    async def read_back(
        self, session_id: int, item_of: Mapping[str, str], layout: Layout, target: str, *, verified: bool
    ) -> None:
        """The items were read back: sources may go if all are there, and the layout is known."""

        def work(db: Database) -> None:
            outcome = "verified" if verified else "mismatch"
            set_columns(db, "sessions", session_id, {"readback": outcome, **CALM})
            for row in members_of(db, session_id):
                if row["file_name"] in item_of:
                    set_columns(db, "files", row["id"], {"item_id": item_of[row["file_name"]]})
            if layout is not Layout.UNKNOWN:
                learn(db, f"layout:{target}", str(layout))

        await self._writer.transact("read_back", work)

    async def incomplete(self, session_id: int, file_ids: Sequence[int], reason: str) -> None:
        """`complete` said in clear words that these bytes are missing: they are sent again."""

        def work(db: Database) -> None:
            move_session(
                db,
                session_id,
                SessionEvent.INCOMPLETE,
                reason,
                completes_clear=completes_sent(db, session_id),
                **CALM,
            )
            for file_id in file_ids:
                move_file(db, file_id, FileEvent.MISSING, reason)
                set_columns(db, "files", file_id, {"attempts": attempts_of(db, file_id) + 1})

        await self._writer.transact("incomplete", work)

    async def abandoned(
        self,
        session_id: int,
        reason: str,
        *,
        rejected: Mapping[int, str] | None = None,
        damaged: Sequence[int] = (),
        groups: Mapping[int, str] | None = None,
        counted: Sequence[int] = (),
        hold: Hold | None = None,
    ) -> None:
        """Give a session up, and say in the same transaction what becomes of its members.

        `rejected` end with their reason, `damaged` are converted again, `groups` keeps the halves of a bisected batch
        apart, `counted` use up an attempt. All others wait for another session once this one has failed. Several
        transfers may come to this end at once: the first one moves the session, and files that have left it
        meanwhile are not touched.
        """

        def work(db: Database) -> None:
            if alive(db, session_id):
                columns = {"completes_clear": completes_sent(db, session_id), "last_error": reason}
                move_session(db, session_id, SessionEvent.ABANDONED, reason, **{**CALM, **columns})
            members = {row["id"] for row in members_of(db, session_id)}
            for file_id, why in (rejected or {}).items():
                if file_id in members:
                    _reject(db, file_id, why)
            for file_id in members.intersection(damaged):
                move_file(db, file_id, FileEvent.DAMAGED, reason, session_id=None, **FRESH)
            for file_id, group in (groups or {}).items():
                set_columns(db, "files", file_id, {"batch_group": group})
            for file_id in counted:
                set_columns(db, "files", file_id, {"attempts": attempts_of(db, file_id) + 1})
            if hold is not None:
                set_hold(db, hold)

        await self._writer.transact("abandoned", work)

    async def failed(self, session_id: int, note: str = "") -> None:
        """The platform knows that the session failed; its reservation is given back."""

        def work(db: Database) -> None:
            db.conn.execute(
                "UPDATE files SET losses = 0 WHERE session_id = ?", (session_id,)
            )  # no two in a row
            move_session(db, session_id, SessionEvent.FAILED, note, **CALM)
            couple(db, session_id, SessionEvent.FAILED)

        await self._writer.transact("failed", work)

    async def lost(self, session_id: int, reason: str, hold: Hold | None) -> None:
        """The platform no longer knows the session; its files wait for another one."""

        def work(db: Database) -> None:
            if not alive(db, session_id):
                return
            db.conn.execute("UPDATE files SET losses = losses + 1 WHERE session_id = ?", (session_id,))
            move_session(db, session_id, SessionEvent.LOST, reason, last_error=reason)
            couple(db, session_id, SessionEvent.LOST)
            if hold is not None:
                set_hold(db, hold)

        await self._writer.transact("lost", work)


def _reject(db: Database, file_id: int, reason: str) -> None:
    stored = StoredRows(db)
    file = stored.file(file_id)
    newest = stored.newest_version(file.folder, file.path)
    stored.apply(file_events.rejected(stored.now, file, newest, reason))
