"""Receipts are printed one after the other, in memory that does not grow with their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.receipts import journal, stream

pytestmark = pytest.mark.unit

ALLOWED = 24 << 10
"""Kilobytes by which a hundred times as many may differ; as lists they would take more than 100 MiB."""


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The journals of 300 and of 30,000 receipts, which are only read."""
    return [journal(tmp_path_factory.mktemp(f"of{count}"), count) for count in (300, 30_000)]


@pytest.mark.parametrize("form", ["", "--json", "--csv", "--stac"])
def test_many_take_no_more_memory_than_few(journals: list[Path], form: str) -> None:
    """Short form of `python -m tests.receipts stream`."""
    few, many = (stream(each, form) for each in journals)

    assert many.size > 90 * few.size
    assert many.peak - few.peak < ALLOWED
