"""The short form of the fault matrix: the rows that take a few seconds, and the tables themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.drip import drip
from tests.faults.halves import WAYS, Circumstances, drops
from tests.faults.matrix import PAGE, ROWS
from tests.faults.poison import poison
from tests.faults.rows.base import Row, Skipped

pytestmark = [pytest.mark.e2e, pytest.mark.storm]


@pytest.mark.parametrize("row", [row for row in ROWS if row.short], ids=lambda row: f"row{row.number}")
def test_a_row_of_the_fault_matrix(tmp_path: Path, row: Row) -> None:
    """The fault is injected for real, and nothing is wrong on the platform's side."""
    assert row.run is not None
    try:
        result = row.run(tmp_path, 1)
    except Skipped as reason:
        pytest.skip(str(reason))

    assert result.trials
    assert result.wrong == []


def test_half_written_files_are_not_taken(tmp_path: Path) -> None:
    """One of each way, all at once."""
    assert drops(tmp_path, 1, 1, tuple(WAYS)).wrong == []


@pytest.mark.root
def test_a_daemon_that_waits_too_short_is_found_out(tmp_path: Path) -> None:
    """The judgement of half-written files can fail: quiet times of a tenth of what the writers keep to."""
    hasty = Circumstances(stranger=True, settle=0.1)
    try:
        found = drops(tmp_path, 1, 6, ("preallocated", "sidecar"), hasty)
    except Skipped as reason:
        pytest.skip(str(reason))

    assert any("taken before it was whole" in line for line in found.wrong)


def test_poisoned_files_are_rejected_alone(tmp_path: Path) -> None:
    """Two of a dozen, by halving; and one `retry --all` afterwards."""
    assert poison(tmp_path, 1, files=12, poisoned=2, batch=12).wrong == []


def test_a_short_drip_arrives(tmp_path: Path) -> None:
    """One call in ten fails for a while; everything becomes an item."""
    assert drip(tmp_path, 1, seconds=5.0, percent=10.0, every=0.5).wrong == []


def test_every_row_is_in_the_table() -> None:
    """Each row of the matrix has a test or names one, and stands in the page."""
    text = PAGE.read_text()
    assert [row.number for row in ROWS] == list(range(1, 52))
    for row in ROWS:
        assert row.run or row.refers
        assert f"| {row.number} | {row.fault} |" in text
