"""Followers are told of each event, also after a crash: how far they have come, and what they know.

A follower is told first, and entered here after that: after a crash in between it is told again rather than never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from uploader.core.alarms import Alarm, Key, Rejection, SentAlarm
from uploader.core.model import FileState
from uploader.core.path_text import shown
from uploader.core.transitions import cursor_events as events
from uploader.journal.hold_rows import read_profile
from uploader.journal.opening import newest_event
from uploader.journal.rows import rows, shown_path
from uploader.journal.sqlite_library import Database
from uploader.journal.transactions import Rows, Transactions

LOOKED_AT = 10_000
"""Events that one look goes through at most."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a follower has come, by the id of an event, and what it was told that lasts."""

    event: int
    told: Mapping[Key, SentAlarm]


class Followers:
    """The followers by name. One public method is one transaction."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def told(self, name: str, before: int, position: Position) -> None:
        """From now on this is how far it has come; `before` is the event at which it was."""
        lasting = [_as_dict(told) for told in position.told.values()]

        def work(rows: Rows) -> None:
            rows.apply(events.recorded(rows.now, name, before, position.event, lasting))

        await self._transact("told", work)

    async def left(self, name: str) -> None:
        """It follows no longer."""
        await self._transact("follower_left", lambda rows: rows.apply(events.left(rows.now, name)))


def position_of(db: Database, name: str) -> Position | None:
    """How far a follower has come; None where there is none of this name."""
    cursor = db.conn.execute("SELECT event FROM cursors WHERE name = ?", (name,)).fetchone()
    if cursor is None:
        return None
    kept = read_profile(db).get(f"{events.LASTING}:{name}") or ()
    told = (_from_dict(value) for value in kept)
    return Position(min(cursor[0], newest_event(db)), {one.alarm.key: one for one in told})


def rejections(db: Database, after: int) -> tuple[list[Rejection], int]:
    """The files that were rejected after this event, as far as one look goes, and the event up to which it went."""
    last = min(newest_event(db), after + LOOKED_AT)
    found = rows(
        db,
        "SELECT f.folder, f.path, f.size, e.note, e.time FROM events e JOIN files f ON f.id = e.file_id "
        "WHERE e.id > ? AND e.id <= ? AND e.state = ? ORDER BY e.id",
        after,
        last,
        FileState.REJECTED.value,
    )
    return [_rejection(row) for row in found], max(after, last)


def _rejection(row: Mapping[str, Any]) -> Rejection:
    path = shown_path(row)
    return Rejection(shown(row["folder"]), path, row["note"], row["size"], row["time"])


def _as_dict(told: SentAlarm) -> dict[str, Any]:
    return {**asdict(told.alarm), "at": told.at}


def _from_dict(value: Mapping[str, Any]) -> SentAlarm:
    rest = dict(value)
    at = rest.pop("at")
    return SentAlarm(Alarm(**rest), at)
