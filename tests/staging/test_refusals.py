"""When staging counts as refusing everything."""

from __future__ import annotations

import pytest

from uploader.staging import Refusals
from uploader.staging.refusals import LASTING

pytestmark = pytest.mark.unit


def test_what_is_refused_for_a_while_is_told() -> None:
    """From the first refusal on, in the words of the last one."""
    refusals = Refusals()
    assert refusals.trouble(1e9) == ""

    refusals.refused("It is full.", 100.0)
    refusals.refused("Its quota is used up.", 110.0)
    assert refusals.trouble(100.0 + LASTING - 1) == ""
    assert refusals.trouble(100.0 + LASTING) == "Its quota is used up."


def test_one_success_ends_it() -> None:
    """A smaller file that passes shows that something can be written."""
    refusals = Refusals()
    refusals.refused("It is full.", 100.0)
    refusals.took()
    assert refusals.trouble(1e9) == ""

    refusals.refused("It is full.", 500.0)
    assert refusals.trouble(500.0 + LASTING) == "It is full."
