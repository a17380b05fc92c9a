"""What is left over at the end of a run is said."""

from __future__ import annotations

import pytest

from uploader.core import waits
from uploader.core.model import FileState, Hold, Scope
from uploader.core.planning_pass import Wait
from uploader.daemon.until_idle import left_over

pytestmark = pytest.mark.unit


def test_what_is_left_over_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Holds have been in the log since they began; whoever waits for others is named now."""
    assert not left_over([], [])
    assert left_over([Hold(Scope.PLATFORM, "", "why")], [])
    assert caplog.text == ""

    assert left_over([], [Wait(FileState.SETTLING, waits.ARRIVAL, 1)])
    assert "not waited for: 1 file" in caplog.text
    assert waits.ARRIVAL in caplog.text
