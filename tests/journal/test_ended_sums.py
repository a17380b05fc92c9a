"""The sums of what has ended: what is added is taken over, and comes to what reading everything again would give."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.sim.history import History
from tests.sim.sqlite import SqliteJournal
from uploader.journal import ended_sums
from uploader.journal.connection import connected
from uploader.journal.ended_sums import ENDED, HOUR, EndedSums, midnight
from uploader.journal.hold_rows import learn
from uploader.journal.opening import FILE_NAME
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer

pytestmark = pytest.mark.unit


class Followed(History):
    """A history in which the sums are taken over at every turn, and compared with those that are read anew."""

    sums: dict[str, Any] | None = None
    """As some turn before has kept them."""

    def judge(self, view, turn) -> None:
        """At a moment at which nothing is under way in the journal."""
        super().judge(view, turn)
        assert isinstance(self.journal, SqliteJournal)
        self.followed.update(self.journal.db)
        fresh, begun = EndedSums(), EndedSums()
        fresh.update(self.journal.db)
        names = ("completed", "disposed", "uploaded", "leaving")
        expected = {n: getattr(fresh, n) for n in names}
        assert {n: getattr(self.followed, n) for n in names} == expected
        if self.sums is not None:
            learn(self.journal.db, ENDED, self.sums)
            begun.update(self.journal.db)
            learn(self.journal.db, ENDED, None)
            assert {n: getattr(begun, n) for n in names} == expected, "begun with sums that were kept before"
        if self.sums is None or self.turns % 7 == 0:
            self.sums = fresh.kept()


@pytest.mark.parametrize("seed", range(40))
def test_what_is_taken_over_is_what_is_there(seed: int) -> None:
    """Through kills, bisected sessions, new versions and disposals that have to be tried again."""
    history = Followed(seed, memory=False)
    history.followed = EndedSums()
    history.run()

    assert history.wrong == []


def filled(state: Path, times: list[float]) -> Database:
    """A journal in which a file of five bytes was completed at each of these times."""
    Writer(state / FILE_NAME).close()
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        for number, at in enumerate(times, start=1):
            conn.execute(
                "INSERT INTO files (id, folder, path, state, sighting, size, object_size, after_upload, "
                "disposal, discovered_at, changed_at) "
                "VALUES (?, '/d', ?, 'completed', '', 9, 5, 'keep', 'kept', 1, 1)",
                (number, b"%d" % number),
            )
            for event, later in (("discovered", -3.0), ("stored", -1.0), ("completed", 0.0)):
                conn.execute(
                    "INSERT INTO events (time, file_id, event, state, note) VALUES (?, ?, ?, '', '')",
                    (at + later, number, event),
                )
        conn.commit()
    return Database(connected(state / FILE_NAME, read_only=True), execute_plugins=False)


def test_today_and_the_last_hour_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the local day; yesterday's are in the sum alone."""
    now = midnight(time.time()) + 10 * HOUR
    monkeypatch.setattr(ended_sums, "clock", lambda: now)
    times = [now - 30 * HOUR, now - 11 * HOUR, now - 9 * HOUR, now - 3 * HOUR, now - 1800, now - 60]
    db = filled(tmp_path, times)
    found = EndedSums()
    found.update(db)
    db.close()

    assert (found.completed["/d"], found.uploaded, found.last) == (6, 30, now - 60)
    assert found.since(midnight(now)) == (4, 20)
    assert found.since(now - HOUR) == (2, 10)
    assert found.first_since(now - HOUR) == pytest.approx(now - 1800, abs=60)


def test_a_journal_of_many_is_read_once(tmp_path: Path) -> None:
    """The second look reads what was added: nothing, however many there are."""
    db = filled(tmp_path, [time.time() - 5 * HOUR] * 500)
    found = EndedSums()
    found.update(db)
    steps = 0

    def counted() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.conn.set_progress_handler(counted, 100)
    found.update(db)
    again, steps = steps, 0
    EndedSums().update(db)
    db.close()

    assert again * 10 < steps


def test_a_source_that_is_to_go_after_all_is_counted_again(tmp_path: Path) -> None:
    """It was another file when it was to be archived; then a claim found that it has the content that was uploaded."""
    db = filled(tmp_path, [time.time() - 60])
    found = EndedSums()

    def happens(event: str, disposal: str | None) -> dict[int, str]:
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
            conn.execute("UPDATE files SET after_upload = 'archive', disposal = ?", (disposal,))
            conn.execute(
                "INSERT INTO events (time, file_id, event, state, note) VALUES (1, 1, ?, '', '')", (event,)
            )
            conn.commit()
        found.update(db)
        return dict(found.leaving)

    assert happens("looked", None) == {1: "/d"}
    assert happens("kept", "replaced") == {}
    assert happens("unchanged", None) == {1: "/d"}
    assert happens("disposed", "archived") == {}
    db.close()


def test_kept_sums_are_gone_on_from(tmp_path: Path) -> None:
    """Only what came later is read of the rows that have ended; today's files are counted all the same."""
    now = time.time()
    with closing(filled(tmp_path, [now - 100, now - 50])) as db:
        first = EndedSums()
        first.update(db)
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
            learn(Database(conn, execute_plugins=False), ENDED, first.kept())
            conn.execute("UPDATE files SET object_size = 1000")  # which nobody reads again

        begun = EndedSums()
        begun.update(db)

    assert (begun.completed, begun.uploaded, begun.last) == (first.completed, 10, first.last)
    assert begun.since(now - 90)[0] == first.since(now - 90)[0]
