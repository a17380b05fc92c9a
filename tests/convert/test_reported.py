"""What people report of rasters in public trackers, made anew and tried; `python -m tests.reports` prints a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports import tried
from tests.support.reports.table import REPORTS

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_comes_out_right(name: str, tmp_path: Path) -> None:
    """Kept as it is, or what is lost is named."""
    assert tried(name, tmp_path)[1] == []
