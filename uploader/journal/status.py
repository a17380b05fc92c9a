"""The one place that makes a status of the journal's rows. `docs/control.md` tells its fields.

What it costs goes with the work that is left, not with the history: ended files are in sums (`ended_sums`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uploader.core.configuration import Folder
from uploader.core.holds import Amount, counted
from uploader.core.lifecycle import FILE_ENDS, ITEMS, PENDING
from uploader.core.model import (
    FileState,
    Hold,
    HoldCause,
    Scope,
    SessionState,
    target_of,
)
from uploader.core.moments import iso
from uploader.core.path_text import shown
from uploader.core.planning_pass import Wait
from uploader.core.throughput import Rate, StageWork, expected_end, rate_of
from uploader.journal.ended_sums import HOUR, EndedSums
from uploader.journal.pending_amounts import amount_of, under_way
from uploader.journal.pruning import sums
from uploader.journal.queries import leaked_bytes
from uploader.journal.rejections import Rejections
from uploader.journal.rows import clock, in_list, rows, shown_path
from uploader.journal.settling_sums import ChangedBlocks, SettlingSums
from uploader.journal.sqlite_library import Database
from uploader.journal.stage_work import StagePasses
from uploader.system.days import midnight

WARNED = 100
"""Warnings that are told, the newest first."""

LOOKED_FOR_WARNINGS = 10_000
"""Of so many of the newest files."""

_OTHER_ENDS = (
    f"SELECT state, COUNT(*) FROM files WHERE state IN ({in_list(FILE_ENDS - ITEMS)}) GROUP BY state"  # noqa: S608
)
TO_SEND = PENDING - {FileState.STORED}
"""States of files whose bytes are still to be sent."""


@dataclass(frozen=True, slots=True)
class HoldList:
    """The list of what holds work back (`core.holds.listed`), and how often it has changed."""

    holds: Sequence[Hold]
    revision: int


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What a status tells of the rows. It stays true of its moment, whatever is held since."""

    told: Mapping[str, Any]
    """The fields that depend on nothing else."""
    folders: Sequence[Mapping[str, Any]]
    amounts: Sequence[Amount]
    rate: Rate
    work: Sequence[StageWork]


class FactsReader:
    """Reads facts from one connection, and remembers the sums of what has ended, and of what settles.

    `changed` tells of the writer's changes; without it nothing is remembered of what settles.
    """

    def __init__(self, db: Database, changed: ChangedBlocks | None = None) -> None:
        self._db = db
        self._settling = SettlingSums(changed)
        self._ended = EndedSums()
        self._passes = StagePasses()
        self._rejected = Rejections()

    def kept_sums(self) -> dict[str, Any]:
        """What has ended, as of now, for whoever reads the journal next. Within one transaction."""
        self._ended.update(self._db)
        return self._ended.kept()

    def read(self, destinations: Mapping[str, Folder]) -> StatusFacts:
        """The facts of now; within one transaction, so that its numbers belong together."""
        now, db, ended = clock(), self._db, self._ended
        settling = self._settling.read(db)
        ended.update(db)
        self._passes.update(db)
        groups, rejected, over = [*settling, *under_way(db)], self._rejected.read(db), sums(db)
        amounts = [amount_of(group, destinations) for group in groups]
        pending = Counter(ended.leaving.values())
        for amount in amounts:
            pending[amount.folder] += amount.files
        stored = sum(amount.size for amount in amounts if amount.state is FileState.STORED)
        completed = sum(over["files"][state] for state in (FileState.COMPLETED, FileState.DISPOSED))
        today = ended.since(midnight(now))
        told = {
            "pending": pending.total(),
            "completed": completed + ended.completed.total(),
            "rejected": len(rejected),
            "files": _file_states(db, amounts, ended, over["files"]),
            "sessions": _session_states(db, over["sessions"]),
            "bytes": {
                "pending": sum(amount.size for amount in amounts if amount.state in TO_SEND),
                "uploaded": over["bytes"]["uploaded"] + ended.uploaded + stored,
            },
            "today": {"completed": today[0], "bytes": today[1]},
            "last_completed": iso(ended.last),
            "oldest_pending": iso(min((group["oldest"] for group in groups), default=None)),
            "possibly_leaked_bytes": over["bytes"]["leaked"] + leaked_bytes(db),
            "failed": rejected,
            "retrying": _retrying(db) if any(group["retrying"] for group in groups) else [],
            "warnings": _warnings(db),
        }
        became = {
            "completed": ended.completed + over["folders"],
            "today": ended.by_folder_since(midnight(now)),
        }
        folders = _folders(destinations, pending, amounts, rejected, became)
        lately = ended.since(now - HOUR)
        rate = rate_of(now, *lately, ended.first_since(now - HOUR))
        return StatusFacts(told, folders, amounts, rate, self._passes.work(amounts))


def status_of(facts: StatusFacts, held: HoldList, now: float, waits: Sequence[Wait] = ()) -> dict[str, Any]:
    """The whole status: what the rows say, what holds them back, and who waits for something else."""
    told, rate = facts.told, facts.rate
    holds = counted(held.holds, facts.amounts)
    folders = {hold.subject for hold in holds if hold.scope is Scope.FOLDER}
    eta = expected_end(now, facts.work, held=bool(holds))
    return {
        **told,
        "holds": [told_hold(hold) for hold in holds],
        "revision": held.revision,
        "paused": [
            {"folder": hold.subject, "until": iso(hold.until)}
            for hold in holds
            if hold.cause is HoldCause.PAUSED
        ],
        "folders": [{**folder, "held": folder["path"] in folders} for folder in facts.folders],
        "rate": {"files_per_hour": round(rate.files * HOUR, 1), "bytes_per_second": round(rate.size)},
        "eta": iso(eta),
        "waiting": [
            {
                "what": wait.what.value,
                "why": wait.why,
                "files": wait.files,
                "until": iso(None if wait.until is None else max(wait.until, now)),
            }
            for wait in waits
        ],
    }


def told_hold(hold: Hold) -> dict[str, Any]:
    """A hold as a status tells it."""
    return {
        "scope": hold.scope.value,
        "cause": hold.cause.value,
        "subject": hold.subject,
        "reason": hold.reason,
        "way_out": hold.way_out,
        "since": iso(hold.since),
        "until": iso(hold.until),
        "files": hold.files,
        "bytes": hold.size,
    }


def _folders(
    destinations: Mapping[str, Folder],
    pending: Counter[str],
    amounts: Sequence[Amount],
    rejected: Sequence[Mapping[str, Any]],
    became: Mapping[str, Counter[str]],
) -> list[dict[str, Any]]:
    """What became of each folder's files; one that left the configuration is told as long as it has any."""
    refused = Counter(str(entry["folder"]) for entry in rejected)
    names = dict.fromkeys((*destinations, *sorted({*pending, *refused, *became["completed"]})))
    return [
        {
            "path": shown(name),
            "pending": pending[name],
            **{word: numbers[name] for word, numbers in became.items()},
            "rejected": refused[name],
            "target": target_of(destinations[name]) if name in destinations else "",
            "stages": _stages([amount for amount in amounts if amount.folder == name]),
        }
        for name in names
    ]


def _stages(amounts: Sequence[Amount]) -> dict[str, dict[str, int]]:
    """Files and bytes by state, of what is on its way."""
    found: dict[str, dict[str, int]] = {}
    for amount in amounts:
        stage = found.setdefault(amount.state.value, {"files": 0, "bytes": 0})
        stage["files"] += amount.files
        stage["bytes"] += amount.size
    return found


def _file_states(
    db: Database, amounts: Sequence[Amount], ended: EndedSums, over: Mapping[str, int]
) -> dict[str, int]:
    """Files by state. Of those that were completed only the sums are asked: there may be millions."""
    counts = Counter(over)
    counts += Counter(dict(db.conn.execute(_OTHER_ENDS).fetchall()))
    for amount in amounts:
        counts[amount.state] += amount.files
    counts[FileState.COMPLETED] += ended.completed.total() - ended.disposed
    counts[FileState.DISPOSED] += ended.disposed
    return {state.value: counts[state] for state in FileState}


def _session_states(db: Database, over: Mapping[str, int]) -> dict[str, int]:
    found = dict(db.conn.execute("SELECT state, COUNT(*) FROM sessions GROUP BY state").fetchall())
    return {state.value: found.get(state.value, 0) + over[state] for state in SessionState}


def _retrying(db: Database) -> list[dict[str, Any]]:
    sql = (
        "SELECT folder, path, last_error, not_before FROM files WHERE retrying_since IS NOT NULL "  # noqa: S608
        f"AND state IN ({in_list(PENDING)}) ORDER BY id LIMIT 100"
    )
    return [
        {"path": shown_path(r), "reason": r["last_error"], "next": iso(r["not_before"])}
        for r in rows(db, sql)
    ]


def _warnings(db: Database) -> list[dict[str, Any]]:
    sql = (
        "SELECT folder, path, warnings FROM files WHERE id > (SELECT MAX(id) FROM files) - ? "
        "AND warnings != '[]' AND current = 1 ORDER BY id DESC LIMIT ?"
    )
    found = rows(db, sql, LOOKED_FOR_WARNINGS, WARNED)
    return [{"path": shown_path(r), **warning} for r in found for warning in json.loads(r["warnings"])]
