"""Whatever happens to the journal's files: it is never taken for whole when it is not, and never begun empty."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from uploader.core.errors import JournalError
from uploader.core.model import Fingerprint, Sighting
from uploader.journal import FILE_NAME, Journal, Reader, opening
from uploader.journal.high_water_mark import MARK_NAME, Mark
from uploader.journal.maintenance import Upkeep
from uploader.journal.opening import CHECKED_WHOLE, REPAIRED_NAME, SNAPSHOTS
from uploader.journal.recovery import salvage
from uploader.journal.recovery.snapshots import Snapshots
from uploader.system.locks import hold_locks

pytestmark = pytest.mark.unit

FILES = 150


def copy_of(state: Path) -> None:
    """Make a snapshot."""
    assert Snapshots(state).make() is not None


def discovered(count: int, first: int = 0) -> list[Sighting]:
    """Files of a folder."""
    return [Sighting("/d", b"%05d.tif" % (first + n), Fingerprint(1, 1, 10, 5, 6)) for n in range(count)]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory as SIGKILL leaves it: a snapshot, then commits that are in the write-ahead log only."""
    state = tmp_path_factory.mktemp("good")

    async def make() -> None:
        journal = Journal(state / "live")
        await journal.files.discovered(discovered(FILES - 50))
        journal._writer._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copy_of(state / "live")
        await journal.files.discovered(discovered(50, FILES - 50))
        shutil.copytree(state / "live", state / "killed")
        journal.close()

    (state / "live").mkdir()
    anyio.run(make)
    return state


@pytest.fixture
def state(good: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    return Path(shutil.copytree(good / "killed", tmp_path / "state"))


def flip(path: Path, offset: int, bit: int) -> None:
    """Turn one bit."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def content(state: Path, name: str = FILE_NAME) -> dict[str, bytes]:
    """The bytes of the journal and its log, by what follows the name."""
    found = {tail: state / f"{name}{tail}" for tail in ("", "-wal")}
    return {tail: path.read_bytes() for tail, path in found.items() if path.exists() and path.stat().st_size}


def paths(state: Path) -> set[str]:
    """The files that the journal knows."""
    with Reader(state) as reader:
        return {row["path"] for row in reader.files()}


def fold(state: Path) -> None:
    """Another program has folded the log into the file, which is no damage."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def zero_header(state: Path) -> None:
    """The first 100 bytes are gone."""
    fold(state)
    with (state / FILE_NAME).open("r+b") as file:
        file.write(bytes(100))


def truncate(state: Path) -> None:
    """Half of the file is gone."""
    fold(state)
    with (state / FILE_NAME).open("r+b") as file:
        file.truncate((state / FILE_NAME).stat().st_size // 2)


def empty(state: Path) -> None:
    """All of it is, and its log."""
    remove(state)
    (state / FILE_NAME).touch()


def remove(state: Path) -> None:
    """The file itself is missing."""
    for path in state.glob(f"{FILE_NAME}*"):
        path.unlink()


def remove_log(state: Path) -> None:
    """Only the write-ahead log is missing: what is left is a sound file of an earlier time."""
    (state / f"{FILE_NAME}-wal").unlink()


def cut_log(state: Path) -> None:
    """The last commits are missing."""
    with (state / f"{FILE_NAME}-wal").open("r+b") as file:
        file.truncate(32)


def foreign(state: Path) -> None:
    """A database of another program."""
    remove(state)
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        conn.execute("CREATE TABLE bookmarks (url)")
        conn.commit()


def another(state: Path) -> None:
    """The journal of another state directory."""
    remove(state)
    (state / "other").mkdir()
    Journal(state / "other").close()
    shutil.copy(state / "other" / FILE_NAME, state / FILE_NAME)


DAMAGE = [zero_header, truncate, empty, remove, remove_log, cut_log, foreign, another]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda d: d.__name__)
def test_it_is_refused_and_rebuilt_from_what_is_sound(state: Path, damage: Callable[[Path], None]) -> None:
    """The start is refused with the command that helps; the new journal begins from a copy, never empty."""
    damage(state)
    before = content(state)

    with pytest.raises(JournalError, match=r"--repair-journal") as caught:
        Journal(state)

    assert str(state / FILE_NAME) in caught.value.reason
    assert salvage.finding(state)
    base = salvage.choose(state)
    assert base.kind == ("journal" if damage in (remove_log, cut_log) else "snapshot")
    with closing(sqlite3.connect(base.path)) as conn:
        (count,) = conn.execute("SELECT COUNT(*) FROM files").fetchone()
    assert count == FILES - 50
    salvage.finish(state, base)
    with pytest.raises(JournalError, match="interrupted"):
        Journal(state)
    aside = salvage.swap(state)
    assert (aside is None) == (damage is remove)
    assert before == content(state, aside.name if aside else FILE_NAME + "?")
    Journal(state).close()
    assert len(paths(state)) == FILES - 50


def test_a_flipped_bit_never_changes_what_was_committed(good: Path, tmp_path: Path) -> None:
    """Twenty places of the file, one at a time: each is harmless, or is found before anything is done."""
    whole = shutil.copytree(good / "live", tmp_path / "whole")  # ended in order: all is in the main file
    rng, sound = random.Random(11), (whole / FILE_NAME).read_bytes()
    expected = paths(whole)
    for _ in range(20):
        (whole / FILE_NAME).write_bytes(sound)
        flip(whole / FILE_NAME, rng.randrange(len(sound)), rng.randrange(8))
        if salvage.finding(whole):
            assert salvage.choose(whole).kind == "snapshot"
        else:
            assert paths(whole) == expected


def test_many_flipped_bits_are_found(good: Path, tmp_path: Path) -> None:
    """Twenty places at once in the tables and indexes of files."""
    whole = shutil.copytree(good / "live", tmp_path / "whole")
    rng = random.Random(12)
    for page in range(1, (whole / FILE_NAME).stat().st_size // 4096):
        flip(whole / FILE_NAME, page * 4096 + rng.randrange(8), rng.randrange(8))

    assert "damaged" in salvage.finding(whole)
    assert salvage.choose(whole).kind == "snapshot"


def test_a_journal_that_was_ended_in_order_needs_no_repair(state: Path) -> None:
    """Also when another program has folded the log into it meanwhile."""
    fold(state)
    assert not (state / f"{FILE_NAME}-wal").exists()

    assert salvage.finding(state) == ""
    Journal(state).close()
    assert len(paths(state)) == FILES


def test_without_a_good_copy_it_is_begun_from_nothing_but_only_on_command(state: Path) -> None:
    """A damaged snapshot is none."""
    zero_header(state)
    for snapshot in (state / SNAPSHOTS).iterdir():
        flip(snapshot, 17, 3)
    with pytest.raises(JournalError):
        Journal(state)

    base = salvage.choose(state)

    assert base.kind == "nothing"
    salvage.finish(state, base)
    assert salvage.swap(state) is not None
    Journal(state).close()
    assert paths(state) == set()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
def test_what_root_repairs_belongs_to_the_daemons_user(state: Path) -> None:
    """The service runs as somebody else, who could not write to root's file."""
    os.chown(state, 61_234, 61_235)
    zero_header(state)
    salvage.finish(state, salvage.choose(state))
    salvage.swap(state)

    Journal(state).close()
    with hold_locks(state, []):
        made = [state / name for name in (FILE_NAME, MARK_NAME, "lock")]
    assert {(file.stat().st_uid, file.stat().st_gid) for file in made} == {(61_234, 61_235)}


def test_sessions_are_read_from_a_damaged_file_as_far_as_it_goes(state: Path) -> None:
    """Only for the sum of what may be reserved."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        for number in range(40):
            conn.execute(
                "INSERT INTO sessions (state, project_id, collection_id, item_id, asset_key, categorical, "
                "idempotency_key, body, file_count, total_bytes, upload_id, initiates_sent, created_at, changed_at) "
                "VALUES (?, 'p', '', '', '', 0, ?, '{}', 1, 100, ?, 1, 0, 0)",
                ("open" if number % 2 else "completed", f"k{number}", f"u{number}"),
            )
        conn.commit()
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (state / salvage.WORK).mkdir()

    assert len(salvage.lost_sessions(state)) == 20
    truncate(state)
    assert all(lost.total_bytes == 100 for lost in salvage.lost_sessions(state))


def test_a_first_start_that_was_killed_is_a_first_start(tmp_path: Path) -> None:
    """The journal appears whole or not at all."""
    (tmp_path / "lock").touch()
    (tmp_path / f"{FILE_NAME}.new").write_bytes(b"half")

    Journal(tmp_path).close()

    assert paths(tmp_path) == set()


def test_the_mark_never_runs_ahead(tmp_path: Path) -> None:
    """It names the last event that was committed; what cannot be read is no mark."""

    async def go() -> None:
        journal = Journal(tmp_path)
        await journal.files.discovered(discovered(3))
        journal.close()

    anyio.run(go)
    mark = Mark.read(tmp_path)
    assert mark is not None
    assert mark.event == 3
    (tmp_path / MARK_NAME).write_bytes(b"\0" * 20)
    assert Mark.read(tmp_path) is None
    Journal(tmp_path).close()


def test_a_repair_that_was_interrupted_is_told(tmp_path: Path) -> None:
    """A finished one that is not in its place yet is no reason to start with the old one."""
    Journal(tmp_path).close()
    shutil.copy(tmp_path / FILE_NAME, tmp_path / REPAIRED_NAME)

    with pytest.raises(JournalError, match="interrupted"):
        Journal(tmp_path)


@pytest.mark.anyio
async def test_a_large_journal_is_checked_beside_the_first_work(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a start takes no minutes; what is damaged ends the daemon all the same, as soon as it is found."""
    monkeypatch.setattr(opening, "CHECKED", 0)
    fold(state)
    path = state / FILE_NAME
    with closing(sqlite3.connect(path)) as conn:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'events_session'"
        (page,), (size,) = conn.execute(sql).fetchone(), conn.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(data)

    journal = Journal(state)
    try:
        with pytest.raises(JournalError, match="damaged"):
            await Upkeep(journal, state).snapshot()
    finally:
        journal.close()


def test_small_journals_are_checked_with_their_indexes() -> None:
    """So most are, before anything is done."""
    assert CHECKED_WHOLE >= 16 << 20
