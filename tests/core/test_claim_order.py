"""Which file of a folder goes first."""

from __future__ import annotations

import pytest

from uploader.core.claim_order import Order, rank

pytestmark = pytest.mark.unit

SIZES = {1: 30, 2: 10, 3: 20, 4: 20}


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("oldest", [1, 2, 3, 4]),
        ("newest", [4, 3, 2, 1]),
        ("smallest", [2, 3, 4, 1]),
        ("largest", [1, 3, 4, 2]),
    ],
)
def test_each_order_ranks_by_its_own(order: Order, ids: list[int]) -> None:
    """By discovery or by size; of equal size whoever was discovered first."""
    assert sorted(SIZES, key=lambda file_id: rank(order, file_id, SIZES[file_id])) == ids


@pytest.mark.parametrize("order", ["oldest", "newest", "smallest", "largest"])
def test_a_rank_ends_with_the_id(order: Order) -> None:
    """So that no two files are alike."""
    assert rank(order, 7, 10)[-1] == 7
