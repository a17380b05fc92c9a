"""The short form of the soak: the holds that come and go within seconds, all told alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.soak import soak
from tests.faults.troubles import TROUBLES
from tests.support import preload
from tests.support.views import Told
from uploader.core.hold_causes import CAUSES
from uploader.core.model import HoldCause, Scope

pytestmark = [pytest.mark.e2e, pytest.mark.storm, pytest.mark.plants]


@pytest.mark.skipif(bool(preload.missing()), reason=preload.missing() or "-")
def test_holds_come_and_go_and_all_tell_the_same(tmp_path: Path) -> None:
    """A real daemon, several holds at once; each has one beginning and one end in the log."""
    short = [one for one in TROUBLES if one.short]
    outcome = soak(tmp_path, samples=20, seed=1, troubles=short)

    assert outcome.wrong == []
    assert set(outcome.told) | set(outcome.skipped) == {one.cause for one in short}
    assert outcome.agreed > 20


def test_every_trouble_has_a_cause_of_its_scope() -> None:
    """As the table of causes has it."""
    for one in TROUBLES:
        assert Scope(one.scope) in CAUSES[HoldCause(one.cause)].scopes


def test_views_that_differ_are_found_out() -> None:
    """In number, in cause or in subject, and under one revision only."""
    one = Told.listed(3, [("folder", "/a", "paused")])

    assert not one.contradicts(one)
    assert not one.contradicts(Told(4, 0))
    assert not one.contradicts(Told(3, 1))
    assert one.contradicts(Told(3, 2))
    assert one.contradicts(Told(3, 1, causes=frozenset({("machine", "paused", 1)})))
    assert one.contradicts(Told.listed(3, [("folder", "/b", "paused")]))
