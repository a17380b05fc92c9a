"""The throughput of a day: each line counted once, and never more than so many lines at a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.page import Acted
from uploader.journal import Reader, stage_history
from uploader.journal.stage_history import DAY, SPAN, StageHistory

pytestmark = pytest.mark.unit


def sums(found: stage_history.Throughput) -> dict[str, tuple[int, int]]:
    """Files and bytes of the whole day, by stage."""
    return {event: (sum(f for f, _ in made), sum(b for _, b in made)) for event, made in found.stages.items()}


def test_a_day_is_read_bit_by_bit_and_what_is_new_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older lines follow with each look until the day is whole; what is older than a day counts nowhere."""
    monkeypatch.setattr(stage_history, "FIRST_LOOK", 8)
    monkeypatch.setattr(stage_history, "OLDER", 8)
    acted, history = Acted(tmp_path), StageHistory()
    acted.add("old.tif", ago=DAY + 3600)
    for number in range(5):
        acted.add(f"{number}.tif", ago=20_000 - 3000 * number)
    with Reader(acted.state) as reader:
        first = history.look(reader.db)
        acted.add("new.tif", "queued", ago=1)
        second, third = history.look(reader.db), history.look(reader.db)
    assert (first.whole, sums(first)["completed"]) == (False, (2, 6_000_000))
    assert (second.whole, sums(second)["completed"][0]) == (False, 4)
    assert third.whole
    assert sums(third) == {
        "claimed": (6, 18_000_000),
        "converted": (5, 15_000_000),
        "stored": (5, 15_000_000),
        "completed": (5, 15_000_000),
    }
    assert len(third.stages["stored"]) in {DAY / SPAN, DAY / SPAN + 1}


def test_more_than_can_be_read_at_once_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looked for hours: the newest lines first, and nothing twice."""
    monkeypatch.setattr(stage_history, "NEWER", 3)
    acted, history = Acted(tmp_path), StageHistory()
    acted.add("a.tif", ago=50)
    with Reader(acted.state) as reader:
        history.look(reader.db)
        acted.add("b.tif", ago=40)
        assert sums(history.look(reader.db))["completed"][0] == 2
