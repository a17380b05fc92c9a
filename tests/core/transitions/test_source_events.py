"""What becomes true of files by their sources: each rule on rows of its own, without a journal."""

from __future__ import annotations

import pytest

from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.core.transitions import source_events as events
from uploader.core.transitions.change import LogLine
from uploader.core.transitions.records import NEW_STEP, FileRecord
from uploader.core.transitions.source_events import SightedGroup

pytestmark = pytest.mark.unit

NOW = 1000.0
SIGHTING = Sighting("/d", b"a.tif", Fingerprint(1, 2, 10, 3, 4))
SEEN = SightedGroup(SIGHTING, "as it lies")


def file(state: FileState = FileState.SETTLING, *, id: int = 7, **columns) -> FileRecord:  # noqa: A002
    """A version of the path."""
    given = {"sighting": "as it lay", **columns}
    return FileRecord(id=id, folder="/d", path=b"a.tif", state=state, **given)


def test_a_path_without_a_settling_version_gets_one() -> None:
    """The new row has the next id, and rejected versions of the path are not tried again."""
    refused = file(FileState.REJECTED, id=3)
    change, (file_id,) = events.discovered(NOW, [([refused], SEEN)], 8)

    assert file_id == 8
    assert change.new_files[8]["state"] is FileState.SETTLING
    assert change.new_files[8]["discovered_at"] == NOW
    assert change.files == {3: {"current": None}}
    assert change.log == [LogLine("discovered", "settling", "10 bytes", 8)]


def test_a_settling_version_takes_a_new_sighting_over() -> None:
    """No row is made; looks and tries begin anew."""
    change, (file_id,) = events.discovered(NOW, [([file(looks=2)], SEEN)], 8)

    assert file_id == 7
    assert change.files == {7: {"looks": 0, "size": 10, "sighting": "as it lies", **NEW_STEP}}
    assert not change.new_files
    assert not change.log


def test_a_settling_version_that_lies_as_it_lay_is_left_alone() -> None:
    """The same sighting twice changes nothing."""
    change, (file_id,) = events.discovered(NOW, [([file(sighting="as it lies")], SEEN)], 8)

    assert file_id == 7
    assert not change.files


@pytest.mark.parametrize("state", sorted(set(FileState) - {FileState.SETTLING}))
def test_what_has_left_settling_neither_changes_nor_vanishes(state: FileState) -> None:
    """A scan that comes late says nothing about a file that was claimed meanwhile."""
    assert not events.changed(NOW, file(state), SEEN).files
    assert state is FileState.REJECTED or not events.vanished(NOW, [file(state)]).files


def test_a_settling_file_that_vanishes_is_gone() -> None:
    """Its path's history is over."""
    change = events.vanished(NOW, [file()])

    assert change.files[7]["state"] is FileState.GONE
    assert change.files[7]["current"] is None


def test_a_rejected_file_that_vanishes_is_gone() -> None:
    """Nobody has to mend it any more; the reason stays, and an earlier version of the path is history."""
    change = events.vanished(NOW, [file(FileState.REJECTED), file(FileState.REJECTED, id=9, current=None)])

    assert change.files == {7: {"state": FileState.GONE, "current": None, "changed_at": NOW}}


def test_a_look_that_fails_is_counted_and_its_beginning_stays() -> None:
    """`retrying_since` is the time of the first failure."""
    first = events.looked(NOW, file(), "half", 10.0).files[7]
    later = events.looked(NOW, file(looks=1, retrying_since=900.0), "half", 20.0).files[7]

    assert first == {"looks": 1, "retrying_since": NOW, "not_before": 1010.0, "last_error": "half"}
    assert later == {"looks": 2, "retrying_since": 900.0, "not_before": 1020.0, "last_error": "half"}


def test_forgotten_versions_are_history() -> None:
    """All versions of the path, and their states stay, but for a rejected one, which is gone."""
    versions = [file(FileState.COMPLETED), file(FileState.REJECTED, id=8), file(FileState.QUEUED, id=9)]
    change = events.forgotten(NOW, versions)

    assert change.files == {
        7: {"current": None},
        8: {"state": FileState.GONE, "current": None, "changed_at": NOW},
        9: {"current": None},
    }


@pytest.mark.parametrize("outcome", ["archived", "deleted", "missing"])
def test_a_source_that_is_gone_ends_its_path(outcome: str) -> None:
    """What is dropped there next is new."""
    change = events.disposed(NOW, file(FileState.COMPLETED), outcome, b"/a/x", SEEN, identity="1:2")

    assert change.files[7]["state"] is FileState.DISPOSED
    assert change.files[7]["current"] is None
    assert change.files[7]["archived_identity"] == "1:2"
    assert change.log[0].note == f"{outcome} /a/x"


def test_a_source_that_was_replaced_stays() -> None:
    """It is told once; the file stays completed, and the path exists."""
    change = events.disposed(NOW, file(FileState.COMPLETED, sighting="as it lies"), "replaced", b"", SEEN)

    assert change.files == {7: {"disposal": "replaced", "archived_as": None, **NEW_STEP}}
    assert change.log == [LogLine("kept", "completed", "source replaced, left alone", 7)]


def test_a_source_whose_content_was_found_again_is_tried_once_more() -> None:
    """A claim took another sighting over while the disposal looked at the old one."""
    assert not events.disposed(NOW, file(FileState.COMPLETED), "replaced", b"", SEEN).files
