"""The rows of `holds`, `pauses` and `profile`, and holds as a value of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from uploader.core.holds import USUAL
from uploader.core.model import Hold, HoldCause, Pause, Scope
from uploader.journal.rows import rows
from uploader.journal.sqlite_library import Database

ESTRANGED = "estranged"
"""The profile's key of the folders whose files were uploaded by another journal."""

SHOWN_HOLDS = "shown_holds"
"""The profile's key of the holds that follow from the plan, as values of JSON."""

REVISION = "hold_revision"
"""The profile's key of how often the list of holds has changed."""

_WORDS = ("subject", "reason", "way_out", "since", "until")
_CAUSE = "hold_cause"
"""How the profile's keys of the causes begin: the table of holds has no column for them."""


def write_hold(db: Database, scope: Scope, subject: str, hold: Hold | None) -> None:
    """Within a transaction: a hold as it is from now on; None ends it."""
    learn(db, f"{_CAUSE}:{scope}:{subject}", None if hold is None else hold.cause)
    if hold is None:
        db.conn.execute("DELETE FROM holds WHERE scope = ? AND subject = ?", (str(scope), subject))
        return
    db.conn.execute(
        "INSERT INTO holds (scope, subject, reason, way_out, since, until, attempts) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (scope, subject) DO UPDATE SET reason = excluded.reason, way_out = excluded.way_out, "
        "since = excluded.since, until = excluded.until, attempts = excluded.attempts",
        (str(scope), subject, hold.reason, hold.way_out, hold.since, hold.until, hold.attempts),
    )


def write_pause(db: Database, folder: str, pause: Pause | None) -> None:
    """Within a transaction: a pause as it is from now on; None ends it."""
    db.conn.execute("DELETE FROM pauses WHERE folder = ?", (folder,))
    if pause is not None:
        db.conn.execute(
            "INSERT INTO pauses (folder, since, until) VALUES (?, ?, ?)", (folder, pause.since, pause.until)
        )


def read_pauses(db: Database) -> tuple[Pause, ...]:
    """All pauses by folder, those among them that have ended by themselves."""
    return tuple(
        Pause(r["folder"], r["since"], r["until"]) for r in rows(db, "SELECT * FROM pauses ORDER BY folder")
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
    sql = (
        "SELECT holds.*, profile.value AS cause FROM holds "  # noqa: S608 - a word of ours
        f"LEFT JOIN profile ON profile.key = '{_CAUSE}:' || scope || ':' || subject ORDER BY since"
    )
    return [_hold(row) for row in rows(db, sql)]


def _hold(row: Mapping[str, Any]) -> Hold:
    scope = Scope(row["scope"])
    return Hold(
        scope=scope,
        **{name: row[name] for name in (*_WORDS, "attempts")},
        cause=cause_of(scope, json.loads(row["cause"]) if row["cause"] else ""),
    )


def cause_of(scope: Scope, word: object) -> HoldCause:
    """The cause that was kept for a hold; an earlier version kept none, and a later one may know more of them."""
    known = {cause.value for cause in HoldCause} - {HoldCause.UNKNOWN.value}
    return HoldCause(word) if word in known else USUAL.get(scope, HoldCause.UNKNOWN)


def read_profile(db: Database) -> dict[str, Any]:
    """All that was learned, by key."""
    return {r["key"]: json.loads(r["value"]) for r in rows(db, "SELECT key, value FROM profile")}


def hold_revision(db: Database) -> int:
    """How often the list of holds has changed, as of the last time that it was written down."""
    return int(read_profile(db).get(REVISION) or 0)


def from_dict(value: dict[str, Any]) -> Hold:
    """A hold as `shown` wrote it."""
    scope = Scope(value["scope"])
    return Hold(
        scope=scope,
        **{name: value[name] for name in _WORDS},
        cause=cause_of(scope, value.get("cause")),
        files=value.get("files", 0),
        size=value.get("size", 0),
    )


def as_dict(hold: Hold) -> dict[str, Any]:
    """A hold as `from_dict` reads it."""
    return {
        "scope": str(hold.scope),
        "subject": hold.subject,
        "reason": hold.reason,
        "way_out": hold.way_out,
        "since": hold.since,
        "until": hold.until,
        "cause": str(hold.cause),
        "files": hold.files,
        "size": hold.size,
    }
