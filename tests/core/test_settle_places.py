"""Who has a place."""

from __future__ import annotations

import pytest

from tests.core.test_settle_queue import numbered
from uploader.core.settle_entry import SettleEntry, entry_of
from uploader.core.settle_places import Places
from uploader.core.settle_rules import Phase

pytestmark = pytest.mark.unit


def filled(*numbers: int) -> tuple[Places, list[SettleEntry]]:
    """Four places, of which these files have some."""
    places = Places(4, "oldest")
    entries = [entry_of(number, numbered(number), float(number)) for number in numbers]
    for entry in entries:
        places.add(entry)
    return places, entries


def test_each_phase_is_counted_through_all_moves() -> None:
    """Whoever has ended still has a place, and counts no more."""
    places, (first, second, third) = filled(1, 2, 3)
    places.move(first, Phase.READY)
    places.move(second, Phase.ENDED)
    assert [places.counted(phase) for phase in (Phase.SETTLING, Phase.READY, Phase.ENDED)] == [1, 1, 1]
    assert (places.count, places.room, places.roomy) == (2, 1, False)

    places.remove(second)
    places.remove(third)
    assert (places.count, places.room, places.roomy) == (1, 3, True)
    assert list(places.unsettled()) == []
    assert (places.at(b"2.tif"), places.get(2), places.at(b"1.tif")) == (None, None, first)


def test_who_is_done_has_no_look_and_who_is_written_to_no_claim() -> None:
    """Phases keep the plan of looks and the list of claims in order."""
    places, (first,) = filled(1)
    places.looks.set(1, 5.0)
    places.move(first, Phase.READY)
    places.claimable.put(1, numbered(1))
    assert places.looks.first() is None

    places.move(first, Phase.WRITTEN)
    assert len(places.claimable) == 0


def test_paths_that_were_asked_for_are_looked_at_before_those_that_are_due() -> None:
    """Each once, with the state at its last look where it has a place."""
    places, (first, second) = filled(1, 2)
    places.looks.set(1, 5.0)
    places.looks.set(2, 9.0)
    assert (places.asked, places.next_look()) == (False, 5.0)

    places.ask(b"new.tif")
    assert (places.asked, places.next_look()) == (True, float("-inf"))
    assert list(places.next_looks(10.0, 2).items()) == [(b"new.tif", None), (first.path, first.state)]
    assert places.next_looks(10.0, 2) == {second.path: second.state}
    assert places.next_looks(10.0, 2) == {}
