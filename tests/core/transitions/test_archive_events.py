"""What becomes true of archives and their members: each rule on rows of its own, without a journal."""

from __future__ import annotations

import pytest

from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.core.transitions import archive_events as events
from uploader.core.transitions.change import Change
from uploader.core.transitions.file_events import Claimed
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.repaired import NOTHING, Repaired
from uploader.core.transitions.source_events import SightedGroup

pytestmark = pytest.mark.unit

NOW = 1000.0


def file(state: FileState, *, id: int = 7, archive_id: int | None = 1, **columns: object) -> FileRecord:  # noqa: A002
    """A member of the archive 1, unless it is another one's."""
    return FileRecord(
        id=id, folder="/d", path=b"o.zip/a.tif", state=state, sighting="s", archive_id=archive_id, **columns
    )


def archive(state: FileState = FileState.UNPACKED, *, id: int = 1, **columns: object) -> FileRecord:  # noqa: A002
    """An archive of the drop folder."""
    return FileRecord(id=id, folder="/d", path=b"o.zip", state=state, sighting="s", **columns)


@pytest.mark.parametrize(("policy", "disposal"), [("keep", "kept"), ("archive", None), ("delete", None)])
def test_an_archive_ends_with_what_becomes_of_its_source(policy: str, disposal: str | None) -> None:
    """One that stays needs nothing more."""
    change = events.unpacked(NOW, archive(FileState.QUEUED), "2 rasters of 3 files", policy)

    assert change.files[1]["state"] is FileState.UNPACKED
    assert (change.files[1]["after_upload"], change.files[1]["disposal"]) == (policy, disposal)
    assert [(line.event, line.note) for line in change.log] == [("unpacked", "2 rasters of 3 files")]


@pytest.mark.parametrize("state", [FileState.GONE, FileState.DISPOSED])
def test_nothing_comes_of_an_archive_that_was_given_up(state: FileState) -> None:
    """Whoever asks sees by the empty change that its members are not wanted either."""
    assert events.unpacked(NOW, archive(state), "", "keep").files == {}


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ([], None),
        ([file(FileState.COMPLETED, content="other")], None),
        ([file(FileState.COMPLETED, content="same")], 7),
        ([file(FileState.COMPLETED, content="same"), file(FileState.QUEUED, id=8, content="other")], 7),
        ([file(FileState.COMPLETED, content="other"), file(FileState.SETTLING, id=8)], 8),
        ([file(FileState.REJECTED, content="same")], 7),
        ([file(FileState.REJECTED, content="same", archive_id=3)], None),
    ],
)
def test_a_member_is_the_version_that_waits_or_has_its_content(
    versions: list[FileRecord], found: int | None
) -> None:
    """What another archive brought, and was rejected, is tried again."""
    known = events.taken_over(archive(), versions, "same")
    assert (known.id if known else None) == found


def test_a_new_member_is_a_row_of_its_archive() -> None:
    """It settles for the rest of the transaction."""
    sighting = Sighting("/d", b"o.zip/a.tif", Fingerprint(1, 2, 10, 3, 4))
    change = events.found(NOW, archive(), [file(FileState.REJECTED)], SightedGroup(sighting, "s"), 9)

    assert (change.new_files[9]["state"], change.new_files[9]["archive_id"]) == (FileState.SETTLING, 1)
    assert change.files == {7: {"current": None}}


def test_what_is_gone_with_its_archive_ends_or_goes_on() -> None:
    """Who waits for it ends; who has a private copy goes on, and is no version of its path any more."""
    members = [file(FileState.SETTLING), file(FileState.REJECTED, id=8), file(FileState.QUEUED, id=9)]
    change = events.gone(NOW, [*members, file(FileState.COMPLETED, id=10, current=None)])

    assert {i: (columns.get("state"), columns["current"]) for i, columns in change.files.items()} == {
        7: (FileState.GONE, None),
        8: (FileState.GONE, None),
        9: (None, None),
    }


def test_an_archive_that_another_one_replaced_needs_nothing_more() -> None:
    """One whose source was put away, or stays anyhow, is left as it is."""
    change = events.replaced(
        NOW, [archive(), archive(id=2, disposal="kept"), archive(FileState.QUEUED, id=3)]
    )
    assert change.files == {1: {"disposal": "replaced"}}


@pytest.mark.parametrize(
    ("holds_it", "state", "settles"),
    [
        (archive(), FileState.SETTLING, True),
        (archive(FileState.QUEUED), FileState.SETTLING, False),
        (archive(FileState.REJECTED), FileState.REJECTED, False),
        (None, FileState.GONE, False),
    ],
)
def test_a_lost_copy_has_its_archive_unpacked_again(
    holds_it: FileRecord | None, state: FileState, *, settles: bool
) -> None:
    """Where that is not under way, and the archive still is there and good."""
    change = events.copy_lost(NOW, file(FileState.QUEUED), holds_it, None, "It is gone.")

    assert change.files[7]["state"] is state
    assert (change.files.get(1, {}).get("state") is FileState.SETTLING) is settles


def test_an_archive_settles_once_for_all_that_need_it() -> None:
    """Several members may ask in one change."""
    change, one = Change(NOW), archive(content="c", disposal=None)
    events.unpack_again(change, one, "first")
    events.unpack_again(change, one, "second")

    assert change.files[1]["content"] is None
    assert [line.note for line in change.log] == ["first"]


def test_members_of_which_nothing_is_known_are_made_as_they_are_claimed() -> None:
    """One row each, written once, with both lines of the log; what may have been uploaded before is rejected."""
    sightings = [
        Sighting("/d", path, Fingerprint(1, 2, 3, 4, 5)) for path in (b"o.zip/a.tif", b"o.zip/b.tif")
    ]
    copies = [Claimed(SightedGroup(seen, f"s{n}"), f"c{n}", 9) for n, seen in enumerate(sightings)]

    change = events.entered(NOW, archive(), [(copies[0], NOTHING), (copies[1], Repaired(unsure=True))], 20)

    assert change.files == {}
    told = {
        i: (row["path"], row["state"], row["content"], row["archive_id"])
        for i, row in change.new_files.items()
    }
    assert told == {
        20: (b"o.zip/a.tif", FileState.QUEUED, "c0", 1),
        21: (b"o.zip/b.tif", FileState.REJECTED, "c1", 1),
    }
    assert sorted((line.file_id, line.event) for line in change.log) == [
        *((20, "claimed"), (20, "discovered"), (21, "discovered"), (21, "rejected"))
    ]
