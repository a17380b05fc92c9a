"""What nobody foresaw in one action: contained, or the end of the daemon."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.journal.test_journal import stored
from tests.support.tools import few
from uploader.core.actions import Action, AdvanceScene, Claim, Complete, Convert, PlanSession
from uploader.core.batching import Batch
from uploader.core.errors import JournalError
from uploader.core.lifecycle import IllegalTransition
from uploader.core.model import Fingerprint, SessionKey, Sighting
from uploader.core.planner_view import Waiting
from uploader.core.unexpected_errors import MOST_IN_A_ROW
from uploader.daemon import containment
from uploader.daemon.containment import Containment
from uploader.journal import Journal
from uploader.journal.rows import rows
from uploader.journal.writer import CommitInDoubt

pytestmark = [pytest.mark.unit, pytest.mark.anyio, pytest.mark.plants]


OTHER = Sighting("/drop", b"b.tif", Fingerprint(6, 7, 8, 9, 10))


class Bench:
    """A containment over a real journal with one settling file, and an effect that a test sets."""

    def __init__(self, root: Path) -> None:
        self.journal = Journal(root)
        self.postponed: list[tuple[int, float]] = []
        intake = SimpleNamespace(unsettled=lambda *what: self.postponed.append(what))
        self.contained = Containment(few(journal=self.journal, intake=intake))
        self.error: BaseException | None = None

    async def effect(self, tools: Any, action: Action) -> None:
        """Raise what was set."""
        if self.error is not None:
            raise self.error

    async def enter(self) -> int:
        """One settling file, whose name is no text."""
        sighting = Sighting("/drop", b"\xe9.tif", Fingerprint(1, 2, 3, 4, 5))
        return (await self.journal.files.discovered([sighting]))[0]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """One, with its effect in place of the real ones."""
    made = Bench(tmp_path)
    monkeypatch.setattr(containment, "perform", made.effect)
    yield made
    made.journal.close()


async def test_a_mistake_concerns_its_file_alone_and_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """With the traceback in the log, words without secrets in the hold, and the file's name."""
    file_id = await bench.enter()
    bench.error = KeyError("gpra_CANARY\n\udcff")
    await bench.contained.perform(Convert(file_id))
    (mistake,) = bench.contained.current(time.time())

    assert (mistake.subject, mistake.step, mistake.name) == (("file", file_id), "Convert", r"\xe9.tif")
    assert "KeyError" in mistake.text
    assert "CANARY" not in mistake.text
    assert mistake.text.isprintable()
    assert "Traceback" in caplog.text

    bench.error = None
    await bench.contained.perform(Convert(file_id))
    assert bench.contained.current(time.time()) == ()


async def test_a_mistake_with_a_scene_is_told_of_no_session(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """One of the same number is there, and has nothing to do with it."""
    session_id, _ = await stored(bench.journal, b"a.tif")
    bench.error = ValueError()
    await bench.contained.perform(AdvanceScene(session_id))
    (scene,) = bench.contained.current(time.time())
    await bench.contained.perform(Complete(session_id))
    _, session = bench.contained.current(time.time())

    assert (scene.name, session.name) == (f"scene {session_id}", "u1")
    told = [record.getMessage() for record in caplog.records if containment.CONTAINED in record.getMessage()]
    assert ["session=" in line for line in told] == [False, True]


async def test_a_file_that_has_ended_waits_for_nothing(bench: Bench) -> None:
    """It is gone, say: what went wrong with it before holds nobody up. What became of others changes nothing."""
    first, second = [await bench.enter(), *await bench.journal.files.discovered([OTHER])]
    bench.error = ValueError()
    for file_id in (first, second):
        await bench.contained.perform(Claim(file_id))
    await bench.journal.files.vanished([first])

    assert [mistake.subject for mistake in bench.contained.current(time.time())] == [("file", second)]


async def test_a_claim_gives_its_file_back_to_the_intake(bench: Bench) -> None:
    """Or it would be thought to be under way for ever."""
    file_id = await bench.enter()
    bench.error = ValueError()
    await bench.contained.perform(Claim(file_id))

    assert bench.postponed == [(file_id, 5.0)]


async def test_what_cannot_be_planned_concerns_all_its_files(bench: Bench) -> None:
    """Other files may be planned meanwhile."""
    file_id = await bench.enter()
    file = Waiting(file_id, "/drop", 1, 0.0, False, "a.tif")
    bench.error = ValueError()
    await bench.contained.perform(PlanSession(Batch(SessionKey("p", "", "", "", categorical=False), (file,))))

    assert [mistake.subject for mistake in bench.contained.current(time.time())] == [("file", file_id)]


async def test_an_illegal_event_changes_nothing_and_concerns_its_row(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is rolled back with all that was in its transaction."""
    file_id = await bench.enter()
    before = await bench.journal.read(
        lambda db: (rows(db, "SELECT * FROM files"), rows(db, "SELECT * FROM events"))
    )

    async def illegal(tools: Any, action: Action) -> None:
        await bench.journal.files.twin(file_id)

    monkeypatch.setattr(containment, "perform", illegal)
    await bench.contained.perform(Convert(file_id))
    (mistake,) = bench.contained.current(time.time())

    assert IllegalTransition.__name__ in mistake.text
    after = await bench.journal.read(
        lambda db: (rows(db, "SELECT * FROM files"), rows(db, "SELECT * FROM events"))
    )
    assert after == before


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ExceptionGroup("", [ValueError(), ExceptionGroup("", [MemoryError()])]),
        JournalError("It is damaged."),
        CommitInDoubt(),
        sqlite3.OperationalError("no such table"),
        sqlite3.DatabaseError("malformed"),
    ],
    ids=repr,
)
async def test_what_no_file_is_to_blame_for_ends_the_daemon(bench: Bench, error: Exception) -> None:
    """Memory, the journal, and doubt about a commit."""
    file_id = await bench.enter()
    bench.error = error
    with pytest.raises(type(error)):
        await bench.contained.perform(Convert(file_id))


@pytest.mark.parametrize(
    "error", [sqlite3.ProgrammingError("type 'list' is not supported"), sqlite3.IntegrityError()]
)
async def test_values_that_a_statement_does_not_take_are_a_mistake_like_others(
    bench: Bench, error: Exception
) -> None:
    """They were rolled back, and the journal is as it was."""
    file_id = await bench.enter()
    bench.error = error
    await bench.contained.perform(Convert(file_id))

    assert bench.contained.current(time.time())


async def test_nothing_but_mistakes_ends_the_daemon(bench: Bench) -> None:
    """Ten in a row, of a session that the journal does not even know."""
    bench.error = ValueError("the last one")
    for _ in range(MOST_IN_A_ROW - 1):
        await bench.contained.perform(Complete(99))
    with pytest.raises(ValueError, match="the last one"):
        await bench.contained.perform(Complete(99))


async def test_a_commit_that_fails_oddly_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised beside the transactions of a group may have come after their commit."""
    journal = Journal(tmp_path)

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(journal._writer._mark_file, "note", broken)
    with pytest.raises(CommitInDoubt, match="Input/output"):
        await journal.files.discovered([Sighting("/drop", b"a.tif", Fingerprint(1, 2, 3, 4, 5))])


async def test_a_person_may_have_it_tried_at_once(bench: Bench) -> None:
    """A file that could not be claimed settles again without its pause."""
    file_id = await bench.enter()
    bench.error = KeyError("once")
    await bench.contained.perform(Claim(file_id))
    assert bench.contained.try_now() == 1
    assert bench.postponed[-1] == (file_id, 0.0)
    assert bench.contained.try_now() == 0
