"""The documents tell what the code does."""

from __future__ import annotations

import pytest

from tests.support.diagrams import DOCUMENT, TABLES, rendered

pytestmark = pytest.mark.unit


def test_the_diagrams_are_those_of_the_tables() -> None:
    """Run `python -m tests.support.diagrams` after a change of the tables."""
    text = DOCUMENT.read_text()

    assert text.count("```mermaid") == len(TABLES)
    assert rendered(text) == text
