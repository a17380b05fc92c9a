"""What is known of each worker of a cluster."""

from __future__ import annotations

import pytest

from uploader.convert.engine.api import WorkerFacts
from uploader.convert.engine.cluster.worker_ledger import MOST_NAMES, WorkerLedger

pytestmark = pytest.mark.unit


def test_each_worker_is_told_with_what_it_has_begun() -> None:
    """Until the attempt is over; what was done and lost is counted of those that are there."""
    ledger = WorkerLedger()
    ledger.began("1", "a", "x.tif")
    ledger.began("1", "a", "x.tif")
    ledger.began("2", "b", "y.tif")
    ledger.began("3", "", "nobody knows.tif")
    assert ledger.facts({"a": 1, "b": 2}, ["b"]) == (
        WorkerFacts("a", 1, ("x.tif",)),
        WorkerFacts("b", 2, ("y.tif",), avoided=True),
    )
    ledger.done("a")
    ledger.ended("1")
    ledger.ended("2", lost=True)
    ledger.ended("3", lost=True)
    assert ledger.facts({"a": 1, "b": 2}, []) == (WorkerFacts("a", 1, done=1), WorkerFacts("b", 2, lost=1))


def test_a_worker_that_has_left_is_forgotten() -> None:
    """A cluster that comes and goes costs no memory; and one that says it begins everything fills no page."""
    ledger = WorkerLedger()
    for number in range(100):
        ledger.done(f"w{number}")
        ledger.began(f"{number}", "a", f"{number}.tif")
    assert ledger.facts({}, []) == ()
    assert len(ledger._done) == 0
    (told,) = ledger.facts({"a": 1}, [])
    assert len(told.converting) == MOST_NAMES
