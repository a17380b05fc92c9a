"""What a refusal of `complete` is about, by its words."""

from __future__ import annotations

import pytest

from uploader.core.complete_refusal import Bisect, HoldTarget, RejectFiles, Resend, judge, says_missing
from uploader.core.errors import Problem

pytestmark = pytest.mark.unit

NAMES = ["a-0123456789ab.tif", "b-ba9876543210.tif"]


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (f"{NAMES[0]} is not a raster", RejectFiles((0,))),
        (f"missing objects: {NAMES[1]}", Resend((1,))),
        ("objects missing", Resend((0, 1))),
        ("target collection was deleted", HoldTarget()),
        ("computer says no", Bisect((0,), (1,))),
    ],
)
def test_a_refusal_is_read(detail: str, expected: object) -> None:
    """The words of a 422 decide whether one file, some bytes, the target or a half is the matter."""
    assert judge(Problem(422, detail=detail), NAMES) == expected


def test_a_single_file_refused_alone_is_rejected() -> None:
    """There is nothing left to halve."""
    assert judge(Problem(422, detail="computer says no"), NAMES[:1]) == RejectFiles((0,))


def test_a_target_that_is_missing_is_not_missing_bytes() -> None:
    """Sending files again would not bring a collection back."""
    problem = Problem(422, detail="the collection was not found")

    assert not says_missing(problem)
    assert judge(problem, NAMES) == HoldTarget()


def test_a_field_of_the_target_holds_it_without_words() -> None:
    """A validation error names the field and may say nothing else."""
    assert judge(Problem(422, fields=("target_collection_id",)), NAMES) == HoldTarget()


def test_a_refusal_that_names_every_file_is_halved() -> None:
    """It says no more than one that names none."""
    assert judge(Problem(422, detail=" ".join(NAMES)), NAMES) == Bisect((0,), (1,))


def test_names_are_found_in_what_else_the_answer_carries() -> None:
    """Members of problem+json that are not of the standard, and names in other case."""
    problem = Problem(422, title="Refused", extra={"files": [NAMES[1].upper()]})

    assert judge(problem, NAMES) == RejectFiles((1,))


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_halves_are_all_files_once(count: int) -> None:
    """None is lost and none is in both, and both are smaller than the whole."""
    found = judge(Problem(422), [f"{n}.tif" for n in range(count)])

    assert isinstance(found, Bisect)
    assert (*found.first, *found.second) == tuple(range(count))
    assert 0 < len(found.second) <= len(found.first) < count
