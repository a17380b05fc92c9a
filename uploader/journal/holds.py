"""Holds and what was learned of the platform. One public method of `Holds` is one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from uploader.core.model import Hold, Scope
from uploader.journal.rows import clock, rows
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer

ESTRANGED = "estranged"
"""The profile's key of the folders whose files were uploaded by another journal."""


class Holds:
    """What is held back in the journal, for `status` and for the planner after a restart."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def set(self, hold: Hold) -> None:
        """Enter a hold, or renew it: its beginning stays."""
        await self._writer.transact("hold", lambda db: set_hold(db, hold))

    async def clear(self, scope: Scope, subject: str = "") -> None:
        """The cause is gone."""
        await self._writer.transact("unhold", lambda db: clear_hold(db, scope, subject))

    async def restarted(self, targets: Collection[str]) -> None:
        """A start is a person's way to say that the cause is mended: holds are tried at once.

        Holds of targets that are no longer configured end. The quota's is left as it is: it is probed by the clock.
        """

        def work(db: Database) -> None:
            db.conn.execute("UPDATE files SET not_before = 0 WHERE state = 'completed' AND hold != ''")
            for hold in read_holds(db):
                if hold.scope is Scope.TARGET and hold.subject not in targets:
                    clear_hold(db, hold.scope, hold.subject)
                elif hold.scope in {Scope.TARGET, Scope.PLATFORM, Scope.MACHINE}:
                    db.conn.execute(
                        "UPDATE holds SET until = 0 WHERE scope = ? AND subject = ?",
                        (str(hold.scope), hold.subject),
                    )

        await self._writer.transact("restarted", work)

    async def set_back(self, seconds: float | None = None) -> None:
        """The wall clock was set back by so many seconds (None: as far as the last event lies ahead of it).

        What is scheduled, waits since a time, or is held until one would otherwise wait for the clock to catch up.
        """
        await self._writer.transact("set_back", lambda db: _set_back(db, clock(), seconds))

    async def estranged(self, folder: str) -> None:
        """Files of this folder were uploaded by another journal; a repair finds out which."""
        await self._writer.transact(
            "estranged",
            lambda db: learn(db, ESTRANGED, sorted({*(read_profile(db).get(ESTRANGED) or ()), folder})),
        )

    async def reconciled(self) -> None:
        """A person takes all folders for this journal's own."""
        await self._writer.transact("reconciled", lambda db: learn(db, ESTRANGED, None))

    async def shown(self, holds: Sequence[Hold]) -> None:
        """Replace the holds that follow from the plan, for those who read beside the daemon."""

        def work(db: Database) -> None:
            learn(db, "shown_holds", [_as_dict(hold) for hold in holds])

        await self._writer.transact("shown_holds", work)


def _set_back(db: Database, now: float, seconds: float | None) -> None:
    if seconds is None:
        last = db.conn.execute("SELECT time FROM events ORDER BY id DESC LIMIT 1").fetchone()
        seconds = last[0] - now if last else 0.0
    if seconds <= 0:
        return
    for table in ("files", "sessions"):
        _earlier(db, table, "not_before", now, seconds)
        _earlier(db, table, "changed_at", now, None)
        _earlier(db, table, "retrying_since", now, None)
    _earlier(db, "holds", "until", now, seconds)
    _earlier(db, "holds", "since", now, None)


def _earlier(db: Database, table: str, column: str, now: float, seconds: float | None) -> None:
    """Move times that lie ahead: earlier by so many seconds, or to now."""
    db.conn.execute(
        f"UPDATE {table} SET {column} = CASE WHEN ? IS NULL THEN ? ELSE {column} - ? END WHERE {column} > ?",  # noqa: S608 - names of ours
        (seconds, now, seconds, now),
    )


def set_hold(db: Database, hold: Hold) -> None:
    """Within a transaction: enter or renew a hold."""
    db.conn.execute(
        "INSERT INTO holds (scope, subject, reason, way_out, since, until, attempts) VALUES (?, ?, ?, ?, ?, ?, 1) "
        "ON CONFLICT (scope, subject) DO UPDATE SET reason = excluded.reason, way_out = excluded.way_out, "
        "until = excluded.until, attempts = attempts + 1",
        (str(hold.scope), hold.subject, hold.reason, hold.way_out, hold.since, hold.until),
    )


def clear_hold(db: Database, scope: Scope, subject: str) -> None:
    """Within a transaction: end a hold."""
    db.conn.execute("DELETE FROM holds WHERE scope = ? AND subject = ?", (str(scope), subject))
    if scope is Scope.ORGANIZATION:
        db.conn.execute(
            "UPDATE files SET hold = '' WHERE hold != '' AND state NOT IN ('converted', 'rejected')"
        )


def learn(db: Database, key: str, value: Any) -> None:
    """Within a transaction: keep a fact; None forgets it."""
    if value is None:
        db.conn.execute("DELETE FROM profile WHERE key = ?", (key,))
    else:
        db.conn.execute(
            "INSERT INTO profile (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, json.dumps(value)),
        )


def read_holds(db: Database) -> list[Hold]:
    """All holds of the table, the oldest first."""
    return [
        Hold(
            Scope(r["scope"]), r["subject"], r["reason"], r["way_out"], r["since"], r["until"], r["attempts"]
        )
        for r in rows(db, "SELECT * FROM holds ORDER BY since")
    ]


def read_profile(db: Database) -> dict[str, Any]:
    """All that was learned, by key."""
    return {r["key"]: json.loads(r["value"]) for r in rows(db, "SELECT key, value FROM profile")}


def from_dict(value: dict[str, Any]) -> Hold:
    """A hold as `shown` wrote it."""
    return Hold(
        Scope(value["scope"]), *(value[k] for k in ("subject", "reason", "way_out", "since", "until"))
    )


def _as_dict(hold: Hold) -> dict[str, Any]:
    return {
        "scope": str(hold.scope),
        "subject": hold.subject,
        "reason": hold.reason,
        "way_out": hold.way_out,
        "since": hold.since,
        "until": hold.until,
    }
