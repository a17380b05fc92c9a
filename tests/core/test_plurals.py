"""Numbers of things in sentences."""

from __future__ import annotations

import pytest

from uploader.core.plurals import count_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_one_is_not_many(number: int, text: str) -> None:
    """None takes the plural, too."""
    assert count_of(number, "file") == text
