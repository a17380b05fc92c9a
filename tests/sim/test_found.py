"""What the simulation has found, each as small as it can be told: on the real journal, and in one plan."""

from __future__ import annotations

import pytest

from tests.sim.disk import FOLDER
from tests.sim.history import History
from tests.sim.sqlite import SqliteJournal
from tests.sim.standins import drive
from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core import errors as err
from uploader.core.model import FileState, Fingerprint, HoldCause, Scope, Sighting
from uploader.core.planner import plan
from uploader.core.planner_view import Disposal, PlannerView
from uploader.core.verdicts import Park

pytestmark = pytest.mark.unit

PATH = b"a.tif"


class Still:
    """A world in which nothing happens."""

    now = 1_000_000.0

    def crash(self, name: str) -> None:
        """Nobody dies here."""


@pytest.fixture
def journal() -> SqliteJournal:
    """An empty one."""
    return SqliteJournal(Still())


def seen(inode: int) -> Sighting:
    """A look at the path, when this file lay there."""
    return Sighting(FOLDER, PATH, Fingerprint(1, inode, 10, inode, inode))


def claimed(journal: SqliteJournal, inode: int) -> int:
    """A version of the path that has its private copy."""
    (file_id,) = drive(journal.files.discovered([seen(inode)]))
    drive(journal.files.claimed(file_id, seen(inode), f"{inode:064x}", 10, None))
    return int(file_id)


def test_a_copy_is_not_discarded_while_its_source_is_disposed_of() -> None:
    """One thing at a time is done about a file: the next turn does the other."""
    view = PlannerView(
        {"/d": a_folder("p", after_upload="delete")}, discards=(1,), disposals=(Disposal(1), Disposal(2))
    )

    assert plan(view, 0.0, settings_with()).actions == [act.Discard((1,)), act.Dispose(2)]


def test_a_damaged_copy_of_a_replaced_source_is_gone(journal: SqliteJournal) -> None:
    """It cannot be looked at again, because a newer version lies in its place: it used to settle for ever."""
    old = claimed(journal, 1)
    (new,) = drive(journal.files.discovered([seen(2)]))

    drive(journal.files.look_again(old, "it does not open", 10.0))

    assert journal.file(old).state is FileState.GONE
    assert journal.newest(PATH, seen(2)) == (new, "settling", True)


def test_a_damaged_copy_of_a_vanished_source_is_gone(journal: SqliteJournal) -> None:
    """Nobody looks at a path that does not exist any more."""
    old = claimed(journal, 1)
    drive(journal.files.forgotten(FOLDER, [PATH]))

    drive(journal.files.look_again(old, "it does not open", 10.0))

    assert journal.file(old).state is FileState.GONE


def test_a_damaged_copy_of_a_source_that_is_there_settles_again(journal: SqliteJournal) -> None:
    """The usual case: the file may still be on its way."""
    old = claimed(journal, 1)

    drive(journal.files.look_again(old, "it does not open", 10.0))

    assert journal.file(old).state is FileState.SETTLING


def test_a_rejected_version_that_was_replaced_is_not_retried(journal: SqliteJournal) -> None:
    """`retry --all` used to bring it back to wait for a file that is not there."""
    old = claimed(journal, 1)
    drive(journal.files.discovered([seen(2)]))
    drive(journal.files.rejected(old, "no raster"))

    assert drive(journal.retrying.retried(None)) == 0
    assert journal.file(old).state is FileState.REJECTED


def test_a_rejected_file_that_is_there_is_retried(journal: SqliteJournal) -> None:
    """The usual case."""
    old = claimed(journal, 1)
    drive(journal.files.rejected(old, "no raster"))

    assert drive(journal.retrying.retried(None)) == 1
    assert journal.file(old).state is FileState.SETTLING


def test_a_platform_that_refuses_a_call_is_there() -> None:
    """The last call was a `fail` of a session that had ended: the hold of the revoked key before it stayed for ever."""
    world = History(1)
    with world.doors():
        world.crashes = 0.0
        hold = world.tools.hold(Park(Scope.PLATFORM, HoldCause.KEY_REFUSED, "the key is refused", "", 60.0))
        drive(world.journal.holds.set(hold))
        world.tools.platform_held_since = 0.0
        drive(world.tools.answered(err.Refused("no", err.Problem(401))))
        assert world.journal.holdings()
        drive(world.tools.answered(err.Refused("it has ended", err.Problem(404))))
        assert not world.journal.holdings()
