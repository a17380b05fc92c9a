"""A journal that is older than the world learns what happened since, and never more than the platform shows."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.configured import a_folder
from uploader.core.batching import Batch
from uploader.core.model import FileState, Fingerprint, SessionKey, SessionState, Sighting
from uploader.core.naming import file_name
from uploader.core.planner_view import Waiting
from uploader.core.recovery_matching import Listed, Target, names_come_back
from uploader.core.transitions.repaired import UNSURE
from uploader.journal import FILE_NAME, Converted, Journal
from uploader.journal.queries import file_row, session_row
from uploader.journal.recovery.rebuild import Outcome, Reality
from uploader.journal.recovery.reconciliation import reconcile
from uploader.journal.recovery.salvage import LostSession
from uploader.journal.view_queries import read_view

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

TARGET = Target("p")
DESTINATIONS = {"/d": a_folder("p"), "/gone": a_folder("p", after_upload="delete")}
KEY = SessionKey("p", "", "", "", categorical=False)


def content(name: str) -> str:
    """A hash for a file of this name."""
    return f"{sum(name.encode()):012x}" + "0" * 52


def seen(name: str, folder: str = "/d", *, inode: int = 1) -> Sighting:
    """One look at a file."""
    return Sighting(folder, f"{name}.tif".encode(), Fingerprint(1, inode, 10, 5, 6))


def called(name: str) -> str:
    """The name under which it is uploaded."""
    return file_name(f"{name}.tif".encode(), content(name))


def item(
    name: str, item_id: str = "", *, upload: str = "", target: Target = TARGET, named: bool = True
) -> Listed:
    """A record of the platform."""
    record = {
        "id": item_id or f"it-{name}",
        "upload_id": upload,
        "name": called(name) if named else "a raster",
    }
    return Listed.of(target, record)


class Past:
    """A journal that is being written, and then is found to be old."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = Journal(root)

    async def queued(self, name: str, folder: str = "/d") -> int:
        """A claimed file."""
        (file_id,) = await self.journal.files.discovered([seen(name, folder)])
        await self.journal.files.claimed(file_id, seen(name, folder), content(name), 10)
        return file_id

    async def converted(self, name: str, folder: str = "/d") -> int:
        """A file that waits for a session."""
        file_id = await self.queued(name, folder)
        made = Converted(12, 7, "encode", categorical=False, file_name=called(name))
        await self.journal.files.converted(file_id, made)
        return file_id

    async def session(
        self, *names: str, until: str = "open", upload: str = "u1", after: str = "keep"
    ) -> tuple[int, list[int]]:
        """A session of these files that has come so far: planned, open, stored, completing, completed, failing."""
        ids = [await self.converted(name) for name in names]
        files = tuple(Waiting(i, "/d", 12, 0.0, False, called(n)) for i, n in zip(ids, names, strict=True))
        sessions = self.journal.sessions
        session_id = await sessions.planned(Batch(KEY, files), {}, f"key-{upload}", dict.fromkeys(ids, after))
        if until == "planned":
            return session_id, ids
        await sessions.initiating(session_id)
        await sessions.opened(session_id, upload, None)
        if until == "open":
            return session_id, ids
        if until == "failing":
            await sessions.abandoned(session_id, "a bad file")
            return session_id, ids
        for file_id in ids:
            await self.journal.files.stored(file_id, session_id)
        if until in {"completing", "completed"}:
            await sessions.completing(session_id)
        if until == "completed":
            await sessions.completed(session_id, [], {}, readback=False)
        return session_id, ids

    def repaired(
        self, listed: Iterable[Listed], *, lying: Iterable[Sighting] = (), lost: tuple[LostSession, ...] = ()
    ) -> Outcome:
        """Close it, reconcile it, and open it again."""
        self.journal.close()
        with closing(sqlite3.connect(self.root / FILE_NAME)) as conn:
            conn.execute("PRAGMA journal_mode=DELETE")
        outcome = reconcile(
            self.root / FILE_NAME,
            Reality(list(listed), DESTINATIONS, lying, lost=lost),
            Outcome(base="snapshot"),
        )
        self.journal = Journal(self.root)
        return outcome

    async def states(self, *ids: int) -> list[str]:
        """What the journal says of these files."""
        return [str((await self.journal.read(lambda db, i=i: file_row(db, i))).state) for i in ids]

    async def state_of(self, session_id: int) -> SessionState:
        """What the journal says of a session."""
        return (await self.journal.read(lambda db: session_row(db, session_id))).state

    async def claim(self, name: str, folder: str = "/d", *, inode: int = 2) -> FileState:
        """A file that the journal does not know is claimed after the repair."""
        sighting = seen(name, folder, inode=inode)
        (file_id,) = await self.journal.files.discovered([sighting])
        return await self.journal.files.claimed(file_id, sighting, content(name), 10, DESTINATIONS[folder])


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    """An empty journal."""
    made = Past(tmp_path)
    yield made
    made.journal.close()


async def test_a_file_on_its_way_whose_item_is_there_is_completed(past: Past) -> None:
    """Whatever it was doing; one that is not there goes on."""
    ids = [await past.queued("a"), await past.converted("b"), await past.queued("c")]

    outcome = past.repaired([item("a"), item("b")])

    assert await past.states(*ids) == ["completed", "completed", "queued"]
    assert (outcome.recognised, outcome.again, outcome.unsure) == (2, 1, 0)
    status = await past.journal.status()
    assert (status["completed"], status["pending"]) == (2, 1)


async def test_an_unknown_file_is_recognised_when_it_is_claimed(past: Past) -> None:
    """By its content and stem; each item is one file, and a file of other content is new."""
    past.repaired([item("a")])

    assert await past.claim("a") is FileState.COMPLETED
    assert await past.claim("b") is FileState.QUEUED
    (found,) = [row for row in past.journal._reader.items() if row["id"]]
    assert found["id"] == "it-a"


async def test_twins_are_counted(past: Past) -> None:
    """Two paths of one name and content are two items; where there is one, the other is uploaded."""
    past.repaired([item("a", "it-1")])

    assert await past.claim("a") is FileState.COMPLETED
    assert await past.claim("a", "/gone") is FileState.QUEUED


async def test_items_of_completed_files_are_nobody_elses(past: Past) -> None:
    """The item of a file that the journal knows does not stand for a twin, also where its id was never read."""
    await past.session("a", until="completed")

    past.repaired([item("a", upload="u1")])

    assert await past.claim("a", "/gone") is FileState.QUEUED


async def test_the_source_of_a_recognised_file_goes_as_its_folder_says(past: Past) -> None:
    """The listing was the reading back."""
    past.repaired([item("a")])
    assert await past.claim("a", "/gone") is FileState.COMPLETED

    view = await past.journal.read(lambda db: read_view(db, DESTINATIONS))
    assert len(view.disposals) == 1


@pytest.mark.parametrize("until", ["open", "stored", "completing"])
async def test_a_session_whose_items_are_all_there_is_completed(past: Past, until: str) -> None:
    """`complete` was sent after the copy was made."""
    session_id, ids = await past.session("a", "b", until=until)

    outcome = past.repaired([item("a", upload="u1"), item("b", upload="u1")])

    assert await past.states(*ids) == ["completed", "completed"]
    assert await past.state_of(session_id) is SessionState.COMPLETED
    assert (outcome.recognised, outcome.sessions_completed, outcome.possibly_leaked_bytes) == (2, 1, 0)


async def test_a_session_without_items_goes_on(past: Past) -> None:
    """It is repeated: a repeat on what was done is no matter."""
    session_id, ids = await past.session("a", until="stored")

    past.repaired([])

    assert await past.states(*ids) == ["stored"]
    session = await past.journal.read(lambda db: session_row(db, session_id))
    assert (session.state, session.doubtful) == (SessionState.OPEN, True)


async def test_a_planned_session_is_never_opened_again(past: Past) -> None:
    """It may have been: its bytes are counted, and its files wait for another one."""
    session_id, ids = await past.session("a", "b", until="planned")

    outcome = past.repaired([item("b")])

    assert await past.states(*ids) == ["converted", "completed"]
    assert await past.state_of(session_id) is SessionState.LOST
    assert outcome.possibly_leaked_bytes == 24


async def test_a_session_with_some_items_went_another_way(past: Past) -> None:
    """It was halved: what is there is completed, the rest is uploaded in a session of its own."""
    session_id, ids = await past.session("a", "b", until="stored")

    past.repaired([item("a", upload="u7")])

    assert await past.states(*ids) == ["completed", "converted"]
    assert await past.state_of(session_id) is SessionState.LOST


async def test_a_failing_session_still_fails(past: Past) -> None:
    """Its reservation is given back; what became an item meanwhile has left it."""
    session_id, ids = await past.session("a", "b", until="failing")

    past.repaired([item("a")])

    assert await past.states(*ids) == ["completed", "batched"]
    assert await past.state_of(session_id) is SessionState.FAILING


async def test_where_names_do_not_come_back_nothing_is_sent_unasked(past: Past) -> None:
    """What may have been uploaded is rejected with words; a person releases it, and what comes later is uploaded."""
    ids = [await past.queued("a")]
    outcome = past.repaired([item("x", named=False)], lying=[seen("a"), seen("b", inode=2)])

    assert await past.states(*ids) == ["rejected"]
    assert outcome.unsure == 2
    assert outcome.unsure_targets == ["p"]
    assert await past.claim("b", inode=2) is FileState.REJECTED
    assert await past.claim("c") is FileState.QUEUED
    assert {row["reason"] for row in (await past.journal.status())["failed"]} == {UNSURE}

    assert await past.journal.retrying.retried([b"/d/b.tif"]) == 1
    (row,) = past.journal._reader.files("settling")
    assert (
        await past.journal.files.claimed(row["id"], seen("b", inode=2), content("b"), 10, DESTINATIONS["/d"])
        is FileState.QUEUED
    )


async def test_without_names_a_session_is_completed_by_its_number_of_items(past: Past) -> None:
    """Where the platform shows of which session they are; with fewer, a person has to look."""
    done, files = await past.session("a", "b", until="stored", upload="u1")
    open_one, others = await past.session("c", "d", until="stored", upload="u2")

    outcome = past.repaired(
        [item(n, f"i{n}", upload=u, named=False) for n, u in (("a", "u1"), ("b", "u1"), ("c", "u2"))]
    )

    assert await past.states(*files, *others) == ["completed", "completed", "rejected", "rejected"]
    assert await past.state_of(done) is SessionState.COMPLETED
    assert await past.state_of(open_one) is SessionState.LOST
    assert outcome.possibly_leaked_bytes == 24


async def test_sessions_that_only_the_damaged_file_knew_are_counted(past: Past) -> None:
    """Unless the platform shows items of theirs."""
    lost = (LostSession("k1", "u8", 100), LostSession("k2", "u9", 1000))

    outcome = past.repaired([item("a", upload="u9")], lost=lost)

    assert outcome.possibly_leaked_bytes == 100
    assert (await past.journal.status())["possibly_leaked_bytes"] == 100


@pytest.mark.parametrize(
    ("records", "certain"),
    [
        ([], True),
        ([item("a")], True),
        ([item("a", named=False)], False),
        ([item("a"), item("b", named=False)], True),
        ([item("a"), item("b", "mine", named=False)], False),
        ([item("a"), item("b", upload="u1", named=False)], False),
    ],
)
async def test_when_an_absent_name_proves_something(records: list[Listed], certain: bool) -> None:
    """Where the target is empty, or all that is ours shows its name."""
    assert names_come_back(records, {"mine"}, {"u1"}) is certain


async def test_ids_are_no_names() -> None:
    """A UUID ends with 12 hex digits as well."""
    uuid = "550e8400-e29b-41d4-a716-446655440000"
    assert (
        Listed.of(TARGET, {"id": uuid, "href": f"https://x/{uuid}", "of": f"it_{uuid}"}).stems == frozenset()
    )
    assert Listed.of(TARGET, {"id": "1", "href": f"https://x/y/{called('a')}?sig=1"}).stems == {
        called("a").removesuffix(".tif")
    }
