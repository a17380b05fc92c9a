"""What becomes true of files: each rule on rows of its own, without a journal."""

from __future__ import annotations

import pytest

from uploader.core.hold_text import joined
from uploader.core.lifecycle import IllegalTransition
from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.core.transitions import file_events as events
from uploader.core.transitions.change import LogLine
from uploader.core.transitions.file_events import Claimed, Converted
from uploader.core.transitions.records import NEW_STEP, FileRecord
from uploader.core.transitions.repaired import NOTHING, UNSURE, KnownItem, Repaired
from uploader.core.transitions.source_events import SightedGroup

pytestmark = pytest.mark.unit

NOW = 1000.0
SIGHTING = Sighting("/d", b"a.tif", Fingerprint(1, 2, 10, 3, 4))
SEEN = SightedGroup(SIGHTING, "as it lies")
COPY = Claimed(SEEN, "abcdefabcdefabcd", 10, b"s" * 32, 7)


def file(state: FileState = FileState.SETTLING, *, id: int = 7, **columns) -> FileRecord:  # noqa: A002
    """A version of the path."""
    given = {"sighting": "as it lay", **columns}
    return FileRecord(id=id, folder="/d", path=b"a.tif", state=state, **given)


def test_a_claim_queues_the_file() -> None:
    """What was copied is what the row says from now on."""
    change, state = events.claimed(NOW, file(), None, COPY, NOTHING)

    assert state is FileState.QUEUED
    claimed = {
        "content": COPY.content,
        "size": 10,
        "staged": 1,
        "sighting": "as it lies",
        "source_sha256": b"s" * 32,
        "object_sha256": b"s" * 32,
        "object_crc32c": 7,
        **NEW_STEP,
    }
    assert change.files == {7: {**claimed, "state": "queued", "changed_at": NOW}}
    assert change.log == [LogLine("claimed", "queued", "10 bytes, sha256 abcdefabcdef", 7)]


@pytest.mark.parametrize(
    ("disposal", "expected"), [("replaced", {"disposal": None}), ("kept", {}), (None, {})]
)
def test_the_content_that_a_path_has_already_is_no_new_version(disposal: str | None, expected: dict) -> None:
    """The version that has it takes the sighting over, and a source that was left alone can go after all."""
    same = file(FileState.COMPLETED, id=3, disposal=disposal)
    change, state = events.claimed(NOW, file(), same, COPY, Repaired(KnownItem(1, "i"), unsure=True))

    assert state is FileState.DUPLICATE
    assert change.files[7]["current"] is None
    assert change.files[3] == {"sighting": "as it lies", **expected}
    assert not change.taken


def test_a_claim_after_a_repair_is_the_item_that_the_platform_has_shown() -> None:
    """The record is the file's from now on, and the policy of the folder decides about the source."""
    change, state = events.claimed(
        NOW, file(), None, COPY, Repaired(KnownItem(5, "i1"), name="a-x.tif", after_upload="delete")
    )

    assert state is FileState.COMPLETED
    assert change.taken == {5: 7}
    assert change.files[7]["item_id"] == "i1"
    assert change.files[7]["disposal"] is None


def test_a_claim_that_may_have_been_uploaded_before_a_repair_waits_for_a_person() -> None:
    """It is rejected with words that say what to do."""
    change, state = events.claimed(NOW, file(), None, COPY, Repaired(unsure=True))

    assert state is FileState.REJECTED
    assert change.files[7]["last_error"] == UNSURE


def test_a_conversion_tells_its_method_and_warnings() -> None:
    """The log has them in words, the row as they are."""
    made = Converted(
        *(12, 7, "encode"),
        categorical=True,
        file_name="a-x.tif",
        warnings=[{"code": "no_crs", "text": "none"}],
        declared={"nodata": "0"},
    )
    change = events.converted(NOW, file(FileState.QUEUED), made)

    assert change.files[7]["state"] is FileState.CONVERTED
    assert change.files[7]["categorical"] == 1
    assert change.files[7]["warnings"] == [{"code": "no_crs", "text": "none"}]
    assert change.log[0].note == "encode, 12 bytes; declared by the folder: nodata = 0; no_crs: none"


def test_what_is_known_of_a_copy_stays_without_it() -> None:
    """Its row is the receipt of an item; a rejected file may be tried again."""
    change = events.discarded(NOW, [file(FileState.COMPLETED)])

    assert change.files == {7: {"staged": 0}}


def test_a_row_has_the_times_that_its_events_tell() -> None:
    """The events are forgotten first."""
    made = Converted(
        12, 7, "encode", categorical=True, file_name="a-x.tif", facts={"width": 5, "raw_bytes": 9}
    )
    converted = events.converted(NOW, file(FileState.QUEUED), made)
    batched = file(FileState.BATCHED)
    batched.session_id = 3
    stored = events.stored(NOW, batched, 3)

    assert converted.files[7]["converted_at"] == stored.files[7]["stored_at"] == NOW
    assert converted.files[7]["facts"] == {"width": 5}, "what no receipt tells is not kept"


def test_a_damaged_copy_is_looked_for_again() -> None:
    """The look counts; it settles once more."""
    change = events.look_again(NOW, file(FileState.QUEUED), file(FileState.QUEUED), "damaged", 5.0)

    assert change.files[7]["state"] is FileState.SETTLING
    assert change.files[7]["looks"] == 1
    assert change.files[7]["content"] is None


@pytest.mark.parametrize(
    ("current", "newest"),
    [(None, None), (1, FileRecord(id=8, folder="/d", path=b"a.tif", sighting=""))],
)
def test_a_superseded_version_is_not_looked_for(current: int | None, newest: FileRecord | None) -> None:
    """Its path is gone, or another version lies there: it is gone, and a rejection leaves nothing to retry."""
    again = events.look_again(NOW, file(FileState.QUEUED, current=current), newest, "damaged", 5.0)
    refused = events.rejected(NOW, file(FileState.QUEUED, current=current), newest, "no raster")

    assert [line.event for line in again.log] == ["look_again", "vanished"]
    assert again.files[7]["state"] is FileState.GONE
    assert refused.files[7]["current"] is None


def test_a_rejection_keeps_its_reason_and_leaves_the_session() -> None:
    """A person can retry it, for it is the path's newest version."""
    change = events.rejected(NOW, file(FileState.BATCHED, session_id=4), file(), "no raster")

    assert change.files[7]["last_error"] == "no raster"
    assert change.files[7]["session_id"] is None
    assert "current" not in change.files[7]
    assert change.log == [LogLine("rejected", "rejected", "no raster", 7, None)]


@pytest.mark.parametrize(
    ("state", "session_id", "expected"),
    [(FileState.BATCHED, 4, True), (FileState.BATCHED, 5, False), (FileState.CONVERTED, None, False)],
)
def test_bytes_count_for_the_session_they_were_sent_in(
    state: FileState, session_id: int | None, expected: bool
) -> None:
    """A file that has left the session meanwhile is not stored."""
    assert bool(events.stored(NOW, file(state, session_id=session_id), 4).files) is expected


def test_an_outage_uses_up_nothing() -> None:
    """Only what is the file's own fault counts as a refusal, and only a lonely try as an attempt."""
    outage = events.retried_later(NOW, file(), "down", 5.0).files[7]
    own = events.retried_later(NOW, file(), "killed", 5.0, counted=True, attempted=True, alone=True).files[7]

    assert (outage["tries"], "refusals" in outage, "attempts" in outage) == (1, False, False)
    assert (own["tries"], own["refusals"], own["attempts"], own["alone"]) == (1, 1, 1, 1)


def test_a_stuck_source_says_so() -> None:
    """Its reason is a hold of the file, and it is tried again."""
    change = events.stuck(NOW, file(FileState.COMPLETED, tries=1), joined("read-only", "Mount it."), 60.0)

    assert change.files[7]["hold"] == joined("read-only", "Mount it.")
    assert change.files[7]["last_error"] == "read-only Mount it."
    assert change.files[7]["tries"] == 2
    assert change.files[7]["not_before"] == 1060.0


def test_a_twin_ends_and_private_copies_go() -> None:
    """Another path brought the same content in."""
    assert events.twin(NOW, file(FileState.QUEUED)).files[7]["state"] is FileState.DUPLICATE
    assert events.discarded(NOW, [file(FileState.GONE)]).files == {7: {"staged": 0}}


def test_an_illegal_event_is_loud() -> None:
    """The change is void: nobody gets it."""
    with pytest.raises(IllegalTransition):
        events.twin(NOW, file(FileState.COMPLETED))
