"""When a URL is signed before it is needed, and for which file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from uploader.core.model import FileState
from uploader.core.signing_ahead import LIFE, SOON, following, fresh, nearly_sent

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("size", "sent", "seconds", "expected"),
    [
        (100, 100, 50.0, True),
        (100, 90, 90.0, False),
        (100, 95, 95.0, True),
        (100, 1, 0.0, True),
        (100, 0, 0.0, False),
        (1 << 40, 1 << 20, 0.01, False),
    ],
)
def test_a_url_is_signed_while_the_rest_takes_less_than_some_seconds(
    size: int, sent: int, seconds: float, expected: bool
) -> None:
    """Of a small file at once, of a large one near its end, and not before anything was sent."""
    assert SOON == 5.0
    assert nearly_sent(size, sent, seconds) is expected


def test_an_old_url_is_signed_again() -> None:
    """So that none expires before it is used; nor is one of a clock that was set back trusted."""
    assert (fresh(0.0), fresh(LIFE), fresh(-1.0)) == (True, False, False)


def test_the_next_file_is_the_first_that_is_not_taken_and_not_tried_before() -> None:
    """What failed before waits for its time; what is stored is done."""

    def member(number: int, state: FileState = FileState.BATCHED, tries: int = 0) -> Any:
        return SimpleNamespace(id=number, state=state, tries=tries)

    members = [member(1, FileState.STORED), member(2), member(3, tries=1), member(4), member(5)]

    assert following(members, {2}) is members[3]
    assert following(members, {2, 4, 5}) is None
