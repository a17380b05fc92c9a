"""Receipts are printed one after the other, in memory that does not grow with their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.receipts import journal, stream

pytestmark = pytest.mark.unit

ALLOWED = 24 << 10
"""Kilobytes by which a hundred times as many may differ; as lists they would take more than 100 MiB."""


@pytest.mark.parametrize("form", ["", "--json", "--csv", "--stac"])
def test_many_take_no_more_memory_than_few(tmp_path: Path, form: str) -> None:
    """Short form of `python -m tests.receipts stream`."""
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    few = stream(journal(tmp_path / "few", 300), form)
    many = stream(journal(tmp_path / "many", 30_000), form)

    assert many.size > 90 * few.size
    assert many.peak - few.peak < ALLOWED
