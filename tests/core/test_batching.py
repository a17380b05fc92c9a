"""Which converted files share a session, and when it closes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.configured import a_folder, settings_with
from uploader.core.batching import (
    FIRST_SESSION_FILES,
    Batch,
    candidates,
    cap_after_refusal,
    cap_after_success,
    closes_at,
    fill,
    most_files,
    ordered,
)
from uploader.core.model import Layout, OwnTarget, SessionKey
from uploader.core.planner_view import PlannerView, Waiting

pytestmark = pytest.mark.unit

NOW = 1000.0
KEY = SessionKey("p", "", "", "", categorical=False)
SETTINGS = settings_with(
    batch={"max_files": 100, "max_bytes": 1000, "linger_seconds": 10.0, "max_wait_seconds": 300.0}
)


def file(file_id: int, size: int = 10, name: str = "", since: float = NOW, **more: object) -> Waiting:
    """A converted file."""
    return Waiting(file_id, more.pop("folder", "/d"), size, since, False, name or f"{file_id}.tif", **more)  # type: ignore[arg-type]


def test_files_are_put_together_by_what_a_session_is_for() -> None:
    """Folders with the same destination share, halves of a bisected batch do not, and who waits longest is first."""
    view = PlannerView(
        destinations={"/d": a_folder("p"), "/e": a_folder("p"), "/f": a_folder("q")},
        waiting=(
            file(1),
            file(2, folder="/e"),
            file(3, folder="/f", since=NOW - 5),
            file(4, group="7.a"),
            file(5, not_before=NOW + 1),
            file(6, folder="/gone"),
            file(7, not_before=NOW),
        ),
    )

    assert [[one.file_id for one in found.files] for found in candidates(view, view.waiting, NOW)] == [
        [3],
        [1, 2, 7],
        [4],
    ]


def test_a_file_may_go_elsewhere_than_its_folder_says() -> None:
    """What it does not say itself its folder does; an empty text is a word, too."""
    own = OwnTarget(collection_id="c", asset_key="")
    view = PlannerView(
        destinations={"/d": a_folder("p", item_id="i", asset_key="a")},
        waiting=(file(1), file(2, own_target=own), file(3, own_target=own)),
    )

    assert [
        (found.key, [one.file_id for one in found.files]) for found in candidates(view, view.waiting, NOW)
    ] == [
        (SessionKey("p", "", "i", "a", categorical=False), [1]),
        (SessionKey("p", "c", "i", "", categorical=False), [2, 3]),
    ]


def test_the_highest_priority_goes_first() -> None:
    """Before those that have waited longer."""
    view = PlannerView(
        destinations={"/d": a_folder("p"), "/e": a_folder("q")},
        waiting=(file(1, since=NOW - 100), file(2, folder="/e"), file(3, folder="/e", priority=1)),
    )

    assert [[one.file_id for one in found.files] for found in candidates(view, view.waiting, NOW)] == [
        [2, 3],
        [1],
    ]


@pytest.mark.parametrize(
    ("key", "layout", "most"),
    [
        (KEY, Layout.PER_FILE, 100),
        (KEY, Layout.UNKNOWN, FIRST_SESSION_FILES),
        (SessionKey("p", "", "item", "", categorical=False), Layout.PER_FILE, 1),
        (SessionKey("p", "", "", "asset", categorical=False), Layout.PER_FILE, 1),
    ],
)
def test_a_session_holds_so_many_files(key: SessionKey, layout: Layout, most: int) -> None:
    """Two at first, to learn the layout; one where item or asset is named."""
    assert most_files(key, layout, SETTINGS.batch) == most


@pytest.mark.parametrize("other", ["A.TIF", "a\u0301.tif"])
def test_names_that_a_platform_might_confuse_do_not_share(other: str) -> None:
    """Case twins and Unicode twins."""
    first = "a.tif" if other.isascii() else "\u00e1.tif"

    taken, full = fill([file(1, name=first), file(2, name=other), file(3)], most=9, most_bytes=1000)

    assert [one.file_id for one in taken] == [1, 3]
    assert not full


def test_what_is_too_large_for_any_session_goes_alone() -> None:
    """It would wait for ever otherwise, and others do not go with it."""
    taken, full = fill([file(1, 5000), file(2)], most=9, most_bytes=1000)

    assert ([one.file_id for one in taken], full) == ([1], True)


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=30), st.integers(1, 10))
def test_a_session_never_exceeds_its_limits(sizes: list[int], most: int) -> None:
    """Neither in files nor, but for one that is larger by itself, in bytes; and it is never empty."""
    taken, full = fill([file(n, size) for n, size in enumerate(sizes)], most=most, most_bytes=1000)

    assert 1 <= len(taken) <= most
    assert len(taken) == 1 or Batch(KEY, taken).total_bytes <= 1000
    assert full or len(taken) == len(sizes)


def test_a_session_closes_in_time() -> None:
    """At once when full; after a pause when nothing more comes; never later than `max_wait` after the first."""
    files = [file(1, since=NOW - 200), file(2, since=NOW - 3)]

    def closes(*files: Waiting, at_once: bool = False, more: bool = False, idle: bool = False) -> float:
        return closes_at(files, SETTINGS.batch, NOW, at_once=at_once, more_to_come=more, line_free=idle)

    assert closes(*files, at_once=True) == NOW
    assert closes(*files) == NOW - 3 + 10
    assert closes(*files, more=True) == NOW - 200 + 300
    assert closes(file(1, since=NOW - 299), file(2)) == NOW + 1


@pytest.mark.parametrize("more", [False, True])
def test_an_idle_line_waits_for_no_batch_to_grow(*, more: bool) -> None:
    """The first file of a batch waits for `linger_seconds` at most, whatever else can be expected."""
    files = [file(1, since=NOW - 7), file(2, since=NOW - 3)]

    assert closes_at(files, SETTINGS.batch, NOW, at_once=False, more_to_come=more, line_free=True) == NOW + 3


def test_a_short_quota_lets_the_smallest_pass() -> None:
    """Without a shortage the order of arrival stands."""
    files = [file(1, 30), file(2, 10), file(3, 20), file(4, 10)]

    assert [one.file_id for one in ordered(files, None)] == [1, 2, 3, 4]
    assert [one.file_id for one in ordered(files, 100)] == [2, 4, 3, 1]


def test_the_cap_halves_and_grows_back() -> None:
    """It never reaches nothing, and is forgotten once it no longer matters."""
    assert (cap_after_refusal(1000), cap_after_refusal(1)) == (500, 1)
    assert cap_after_success(None, 10, 1000) is None
    assert cap_after_success(100, 10, 1000) == 200
    assert cap_after_success(100, 300, 1000) == 600
    assert cap_after_success(500, 10, 1000) is None
