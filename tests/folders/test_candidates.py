"""Who is looked at by turns, and who is ready."""

from __future__ import annotations

import pytest

from uploader.core.model import Fingerprint, Sighting
from uploader.core.settle_rules import SettleRule
from uploader.folders import candidates as module
from uploader.folders.candidates import Unclaimed

pytestmark = pytest.mark.unit

F = "/drop"


def sighted(number: int, version: int = 0) -> Sighting:
    """A look at a file."""
    return Sighting(F, b"%d.tif" % number, Fingerprint(1, number, 10 + version, 0, version))


@pytest.fixture
def known() -> Unclaimed:
    """Room for four files, and a clock that stands still."""
    return Unclaimed({F: SettleRule(10.0)}, clock=lambda: 0.0, window=4)


def test_places_are_counted(known: Unclaimed) -> None:
    """Adding takes one, dropping gives it back, looking again does neither."""
    for number in (1, 2, 3):
        known.add(number, sighted(number))
    known.add(1, sighted(1))
    known.drop(2)
    known.drop(2)

    assert (known.count(F), known.present(F), known.room(F)) == (2, 2, 2)
    assert known.roomy(F)
    assert (known.id_of(F, b"2.tif"), known.key_of(1)) == (None, (F, b"1.tif"))


def test_what_is_postponed_is_not_expected_soon(known: Unclaimed) -> None:
    """Until it is written to, ready, or hastened to its next look."""
    for number in (1, 2):
        known.add(number, sighted(number))
        known.postpone(number, 60.0)
        known.postpone(number, 60.0)
    assert known.present(F) == 0
    assert known.settling(F).next_due() == 60.0

    known.add(1, sighted(1, version=1))
    known.hasten(F)

    assert known.present(F) == 1
    assert (F, b"2.tif") in known.settling(F).due(0.0)


def test_a_newer_row_takes_the_place_of_an_older_one(known: Unclaimed) -> None:
    """A path has one row at a time."""
    known.add(1, sighted(1))
    known.add(7, sighted(1))

    assert (known.count(F), known.id_of(F, b"1.tif"), known.key_of(1)) == (1, 7, None)


def test_a_turn_knows_who_ended_in_it(known: Unclaimed) -> None:
    """Turns may overlap, and each sees what ended since its own beginning."""
    known.add(1, sighted(1))
    known.add(2, sighted(2))
    with known.turn() as outer:
        known.drop(1)
        with known.turn() as inner:
            known.drop(2)
        known.drop(3)

    assert (outer, inner) == ({1, 2, 3}, {2})


def test_a_change_during_the_claim_shows(known: Unclaimed) -> None:
    """The sighting that is being copied is compared with the last look."""
    known.add(1, sighted(1))
    known.ready(1, sighted(1))
    assert known.claiming(1) == sighted(1)
    assert (known.being_claimed(1), known.touched(1)) == (True, False)

    known.add(1, sighted(1, version=1))

    assert known.touched(1)
    assert known.settled() == ()


def test_enough_are_ready(known: Unclaimed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks stop when there is more than can be claimed soon; the earliest come first."""
    monkeypatch.setattr(module, "READY_MOST", 2)
    for number in (3, 1):
        known.add(number, sighted(number))
        assert not known.full(F)
        known.ready(number, sighted(number))

    assert known.full(F)
    assert [file.file_id for file in known.settled()] == [1, 3]


def test_what_grows_or_is_open_is_not_expected_soon() -> None:
    """A batch waits for files that are quiet by and by, and not for those that somebody still writes to."""
    now = 0.0
    known = Unclaimed({F: SettleRule(10.0)}, clock=lambda: now)
    known.add(1, sighted(1, version=1))
    assert known.coming(F, within=10.0) == 1
    now = 5.0
    known.add(1, sighted(1, version=2))
    assert known.coming(F, within=10.0) == 1, "begun a moment ago, and maybe finished"
    now = 15.0
    known.add(1, sighted(1, version=3))
    assert known.coming(F, within=10.0) == 0, "it grows"
    known.add(1, sighted(1, version=3))
    assert known.coming(F, within=10.0) == 1, "it has stopped"
    known.open_for_writing(1)
    assert known.coming(F, within=10.0) == 0, "it is open"
    known.drop(1)
    assert known.coming(F, within=10.0) == 0


def test_what_needs_longer_to_settle_is_not_expected_sooner() -> None:
    """With a long quiet time only the last part of it is within the linger time."""
    now = 0.0
    known = Unclaimed({F: SettleRule(60.0)}, clock=lambda: now)
    known.add(1, sighted(1))
    assert known.coming(F, within=10.0) == 0
    now = 50.0
    assert known.coming(F, within=10.0) == 1
