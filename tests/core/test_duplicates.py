"""Which of several files with the same content goes, and what the others do."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from uploader.core.duplicates import judge_twins
from uploader.core.model import FileState

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ([], None),
        ([(5, FileState.QUEUED)], None),
        ([(9, FileState.QUEUED)], None),
        ([(1, FileState.QUEUED)], FileState.QUEUED),
        ([(9, FileState.CONVERTED)], FileState.QUEUED),
        ([(9, FileState.STORED), (1, FileState.GONE)], FileState.QUEUED),
        ([(1, FileState.REJECTED), (9, FileState.DUPLICATE)], None),
        ([(9, FileState.COMPLETED), (1, FileState.QUEUED)], FileState.DUPLICATE),
        ([(1, FileState.DISPOSED)], FileState.DUPLICATE),
    ],
)
def test_one_of_the_twins_goes(others: list[tuple[int, FileState]], verdict: FileState | None) -> None:
    """Of file 5: a twin that is further along goes first, also one that came later."""
    assert judge_twins(5, others) is verdict


def test_exactly_one_of_several_queued_twins_goes() -> None:
    """However many there are and whoever is asked first: else all would wait, or two would go."""
    for ids in permutations((3, 5, 8)):
        twins = [(file_id, FileState.QUEUED) for file_id in ids]

        assert [file_id for file_id, _ in twins if judge_twins(file_id, twins) is None] == [3]


def test_a_twin_never_waits_for_one_that_came_to_nothing() -> None:
    """Whatever ended otherwise than as an item frees the way."""
    nothing = (FileState.REJECTED, FileState.GONE, FileState.DUPLICATE)
    for first, second in product(nothing, repeat=2):
        assert judge_twins(5, [(1, first), (9, second)]) is None
