"""The text of a hold that a row has of its own."""

from __future__ import annotations

import pytest

from uploader.core.hold_text import joined, one_line, parted

pytestmark = pytest.mark.unit


def test_reason_and_way_out_come_back_as_they_went_in() -> None:
    """A line break within one of them parts nothing."""
    assert parted(joined("The disk\nis full.", "Make\n room.")) == ("The disk is full.", "Make room.")
    assert parted(joined("It is full.", "")) == ("It is full.", "")
    assert one_line(joined("It is full.", "Make room.")) == "It is full. Make room."
