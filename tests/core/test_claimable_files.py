"""Files that may be claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_settle_queue import numbered
from uploader.core.claimable_files import FIRST, SMALLEST, ClaimableFiles
from uploader.core.model import Sighting

pytestmark = pytest.mark.unit


def sized(number: int, size: int) -> Sighting:
    """A file of so many bytes."""
    seen = numbered(number)
    return replace(seen, fingerprint=replace(seen.fingerprint, size=size))


def test_a_turn_sees_the_first_and_the_smallest() -> None:
    """Of a thousand large ones only the first; small ones behind them may find room where they do not."""
    files = ClaimableFiles("oldest")
    for number in range(1000, 0, -1):
        files.put(number, sized(number, number))
    small = [*range(900, 900 + SMALLEST)]
    for number in small:
        files.put(number, sized(number, 0))

    shown = files.shown()
    assert [number for number, _ in shown] == [*range(1, FIRST + 1), *small]
    assert dict(shown)[900].fingerprint.size == 0
    assert files.shown() is shown


def test_a_turn_sees_them_in_the_order_of_the_folder() -> None:
    """Also those that were there before the order was changed."""
    files = ClaimableFiles("oldest")
    for number in (1, 2, 3):
        files.put(number, sized(number, 5))
    files.reorder("newest")

    assert [number for number, _ in files.shown()] == [3, 2, 1]


def test_who_is_dropped_is_seen_no_more() -> None:
    """Also twice, and whoever comes back is seen as it was found then."""
    files = ClaimableFiles("oldest")
    files.put(1, sized(1, 5))
    files.drop(1)
    files.drop(1)
    assert (files.shown(), files.get(1), len(files), 1 in files) == ((), None, 0, False)
    files.put(1, sized(1, 7))
    assert files.shown() == ((1, sized(1, 7)),)
    assert list(files) == [1]
