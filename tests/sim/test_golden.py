"""A part of the golden histories, at every run of the tests; `python -m tests.sim.golden` compares all of them."""

from __future__ import annotations

import pytest

from tests.sim import golden

pytestmark = pytest.mark.unit

SOME = golden.chunks()[::10]


def test_histories_are_as_they_were() -> None:
    """What is planned, sent and logged changes only with a commit that says so."""
    assert golden.differing({first: golden.chunk(first) for first in SOME}) == []


def test_all_golden_histories_are_kept() -> None:
    """The file has the hashes of each chunk, and of no other."""
    assert list(golden.kept()) == list(golden.chunks())
