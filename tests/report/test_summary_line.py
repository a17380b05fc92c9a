"""How it stands, in one line."""

from __future__ import annotations

import pytest

from uploader.report.summary_line import summary

pytestmark = pytest.mark.unit


def test_the_summary_is_one_line() -> None:
    """For systemctl status and for logs."""
    hold = {"scope": "folder", "reason": "gone\nagain", "until": None}
    status = {"pending": 3, "completed": 0, "rejected": 1, "holds": [hold, hold], "retrying": [{}]}
    assert summary(status) == r"3 pending, 0 completed, 1 rejected, 1 retrying, held: gone\nagain (+1)"
