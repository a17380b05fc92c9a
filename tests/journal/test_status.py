"""What a status tells of the rows: by folder, of today, how fast, until when, and how much waits for a hold."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.configured import a_folder
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.planning_pass import Wait
from uploader.core.transitions import hold_events
from uploader.journal import FILE_NAME, HoldList, Journal, Reader, StatusFacts, status_of
from uploader.journal.hold_rows import cause_of
from uploader.journal.writer import Writer

pytestmark = pytest.mark.unit

TARGETS = {"/a": a_folder("p", "c"), "/b": a_folder("q")}
TARGET = Hold(Scope.TARGET, "p/c", "It is refused.", "Mend it.", 1.0, 9e9, cause=HoldCause.TARGET_REFUSED)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A journal: in /a two converted files and six completed a quarter of an hour ago, in /b one of each kind."""
    Writer(tmp_path / FILE_NAME).close()
    now = time.time()
    files = [
        *(("/a", state, None) for state in ("converted", "converted", *["completed"] * 6)),
        *(("/b", state, None) for state in ("settling", "rejected", "gone")),
        ("/b", "completed", "archive"),
    ]
    stored = iter(range(7))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        for number, (folder, state_, after) in enumerate(files, start=1):
            conn.execute(
                "INSERT INTO files (id, folder, path, current, state, sighting, size, object_size, after_upload, "
                "disposal, last_error, discovered_at, changed_at) VALUES (?, ?, ?, 1, ?, '', 9, 5, ?, ?, 'no', ?, 1)",
                (
                    number,
                    folder,
                    b"%d" % number,
                    state_,
                    after or "keep",
                    None if after else "kept",
                    now - number,
                ),
            )
            if state_ == "completed":
                conn.execute(
                    "INSERT INTO events (time, file_id, event, state, note) VALUES (?, ?, 'completed', '', '')",
                    (now - 900, number),
                )
                conn.execute(
                    "INSERT INTO events (time, file_id, event, state, note) VALUES (?, ?, 'stored', '', '')",
                    (now - 900 + 150 * next(stored), number),
                )
        conn.commit()
    return tmp_path


@pytest.fixture
def facts(state: Path) -> StatusFacts:
    """What is read of it."""
    with Reader(state) as reader:
        return reader.facts(TARGETS)


def test_each_folder_is_told_by_itself(facts: StatusFacts) -> None:
    """Pending, completed, rejected, held, and what is on its way by state."""
    status = status_of(facts, HoldList([], 3), time.time())
    today = status["today"]["completed"] > 0  # a quarter of an hour ago may have been yesterday

    assert status["folders"] == [
        {
            "path": "/a",
            "pending": 2,
            "completed": 6,
            "today": 6 * today,
            "rejected": 0,
            "target": "p/c",
            "held": False,
            "stages": {"converted": {"files": 2, "bytes": 10}},
        },
        {
            "path": "/b",
            "pending": 2,
            "completed": 1,
            "today": today,
            "rejected": 1,
            "target": "q",
            "held": False,
            "stages": {"settling": {"files": 1, "bytes": 5}},
        },
    ]
    assert (status["pending"], status["completed"], status["rejected"], status["revision"]) == (4, 7, 1, 3)


def test_the_end_is_expected_where_nothing_is_held(facts: StatusFacts) -> None:
    """A file was stored every 150 seconds: the three that are still to be sent take seven and a half minutes."""
    now = time.time()
    status = status_of(facts, HoldList([], 0), now)

    assert status["rate"]["files_per_hour"] == pytest.approx(28, rel=0.1)
    eta = datetime.fromisoformat(status["eta"]).timestamp()
    assert eta - now == pytest.approx(3 * 150, rel=0.02)
    assert status_of(facts, HoldList([TARGET], 1), now)["eta"] is None


def test_a_hold_tells_how_much_waits_for_it(facts: StatusFacts) -> None:
    """Of a target: what is converted in the folders that lead there, as the configuration says."""
    (hold,) = status_of(facts, HoldList([TARGET], 1), time.time())["holds"]

    assert hold == {
        "scope": "target",
        "cause": "target_refused",
        "subject": "p/c",
        "reason": "It is refused.",
        "way_out": "Mend it.",
        "since": "1970-01-01T00:00:01.000+00:00",
        "until": hold["until"],
        "files": 2,
        "bytes": 10,
    }


def test_a_folder_that_is_held_and_what_is_paused_are_told(facts: StatusFacts) -> None:
    """A pause is a hold with a list of its own; everything, where it has no folder."""
    holds = [
        Hold(Scope.FOLDER, "/b", "It is paused.", until=2e9, cause=HoldCause.PAUSED),
        Hold(Scope.FOLDER, "/a", "It left.", cause=HoldCause.FOLDER_MISSING),
    ]
    status = status_of(facts, HoldList(holds, 1), time.time())

    assert [folder["held"] for folder in status["folders"]] == [True, True]
    assert status["paused"] == [{"folder": "/b", "until": "2033-05-18T03:33:20.000+00:00"}]


def test_who_waits_is_told_with_a_time_that_is_to_come(facts: StatusFacts) -> None:
    """A turn of some seconds ago may have meant a moment that has passed."""
    now = time.time()
    waits = [Wait(FileState.CONVERTED, "more files", 2, now - 3), Wait(FileState.QUEUED, "its turn", 1)]
    told = status_of(facts, HoldList([], 0), now, waits)["waiting"]

    assert [(w["what"], w["why"], w["files"]) for w in told] == [
        ("converted", "more files", 2),
        ("queued", "its turn", 1),
    ]
    assert datetime.fromisoformat(told[0]["until"]).timestamp() == pytest.approx(now, abs=0.01)
    assert told[1]["until"] is None


async def test_a_cause_outlives_the_process(tmp_path: Path) -> None:
    """It is kept beside its hold, and goes with it; a row of an earlier version has what is usual in its scope."""
    journal = Journal(tmp_path)
    await journal.holds.set(TARGET)
    await journal.holds.set(Hold(Scope.PLATFORM, "", "No scope.", cause=HoldCause.KEY_SCOPE_MISSING))
    journal.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        conn.execute("DELETE FROM profile WHERE key = 'hold_cause:target:p/c'")
        conn.commit()

    journal = Journal(tmp_path)
    assert {hold.scope: hold.cause for hold in journal.live.holds} == {
        Scope.TARGET: HoldCause.TARGET_REFUSED,
        Scope.PLATFORM: HoldCause.KEY_SCOPE_MISSING,
    }
    await journal.holds.clear(Scope.PLATFORM)
    assert await journal.read(lambda db: db.conn.execute("SELECT key FROM profile").fetchall()) == [
        ("journal",)
    ]
    journal.close()


def test_a_cause_of_another_version_is_not_known() -> None:
    """Where its scope has no usual one, that is what the hold says."""
    assert cause_of(Scope.SESSION, "") is HoldCause.UNKNOWN
    assert cause_of(Scope.STAGING, "a_cause_of_tomorrow") is HoldCause.UNKNOWN


async def test_the_end_of_an_outage_makes_due_what_waits(tmp_path: Path) -> None:
    """Live sessions and transfers, but none that a person has to decide on, and none that is over."""
    journal = Journal(tmp_path)
    journal.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        for number, (state, hold) in enumerate(
            [("open", ""), ("completing", "look"), ("failed", ""), ("completed", "")], 1
        ):
            conn.execute(
                "INSERT INTO sessions (id, state, project_id, collection_id, item_id, asset_key, categorical, "
                "idempotency_key, body, file_count, total_bytes, retrying_since, not_before, hold, readback, "
                "created_at, changed_at) VALUES (?, ?, 'p', '', '', '', 0, ?, '{}', 1, 5, 5.0, 9e9, ?, ?, 1, 1)",
                (number, state, f"k{number}", hold, "due" if state == "completed" else None),
            )
        for number, state in enumerate(["batched", "queued", "stored"], 1):
            conn.execute(
                "INSERT INTO files (id, folder, path, current, state, sighting, size, session_id, retrying_since, "
                "not_before, discovered_at, changed_at) VALUES (?, '/d', ?, 1, ?, '', 9, 1, 5.0, 9e9, 1, 1)",
                (number, b"%d" % number, state),
            )
        conn.commit()
    journal = Journal(tmp_path)

    async def due() -> tuple[set[int], set[int]]:
        def query(db):
            return tuple(
                {row[0] for row in db.conn.execute(f"SELECT id FROM {table} WHERE not_before = 0")}
                for table in ("sessions", "files")
            )

        return await journal.read(query)

    await journal.holds.transfers_due(since=6.0)
    await journal.holds.clear(Scope.PLATFORM)
    assert await due() == (set(), set()), "who was asked to wait, waits"
    await journal.holds.transfers_due(since=5.0)
    assert await due() == (set(), {1})
    await journal.holds.clear(Scope.PLATFORM, due_since=5.0)
    assert await due() == ({1, 4}, {1})
    await journal.holds.clear(Scope.MACHINE, due_since=5.0)
    assert await due() == ({1, 4}, {1, 2})
    journal.close()
    assert set(hold_events.WAITING) == {Scope.PLATFORM, Scope.MACHINE}
