"""Counting what events missed."""

from __future__ import annotations

import pytest

from uploader.folders import Missed
from uploader.folders.missed_events import GRACE

pytestmark = pytest.mark.unit


def test_what_no_event_told_is_counted_after_its_grace() -> None:
    """A finding of the scan counts once its event had time to come."""
    missed = Missed()
    missed.found(b"a.tif", 0.0)
    missed.found(b"a.tif", 1.0)

    assert missed.total(GRACE) == 0
    assert missed.total(GRACE + 0.1) == 1
    assert missed.total(1000.0) == 1


def test_an_event_before_or_after_the_scan_clears_a_finding() -> None:
    """Scan and event may come in either order."""
    missed = Missed()
    missed.told([b"a.tif"], 0.0)
    missed.found(b"a.tif", 1.0)
    missed.found(b"b.tif", 1.0)
    missed.told([b"b.tif"], 2.0)

    assert missed.total(1000.0) == 0


def test_an_old_event_says_nothing_of_a_new_change() -> None:
    """An hour later the file has changed again, and nobody told."""
    missed = Missed()
    missed.told([b"a.tif"], 0.0)
    missed.found(b"a.tif", 3600.0)

    assert missed.total(4000.0) == 1
