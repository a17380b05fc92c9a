"""The short form of the storms: a small one, and the failpoints at which a crash would hurt most."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.failpoints import attempt
from tests.faults.storm import Weather, storm

pytestmark = [pytest.mark.e2e, pytest.mark.storm]

WORST = (
    "claim.copied",
    "convert.after",
    "initiate.after",
    "commit.opened.before",
    "put.after",
    "complete.after",
    "commit.completed.before",
    "dispose.hidden",
    "dispose.copied",
    "dispose.archived",
    "commit.disposed.before",
)


@pytest.mark.parametrize("name", WORST)
def test_a_kill_at_a_failpoint_loses_nothing(tmp_path: Path, name: str) -> None:
    """Killed there, started again: one item for each source, nothing open, nothing reserved."""
    died, wrong = attempt(tmp_path, name)

    assert died
    assert wrong == []


@pytest.mark.parametrize("replay", [True, False])
def test_a_small_storm_loses_nothing(tmp_path: Path, replay: bool) -> None:
    """Eight kills among twelve files, with and without replay of `initiate`."""
    outcome = storm(tmp_path, files=12, kills=8, seed=7, weather=Weather(replay), longest=1.6)

    assert outcome.wrong == []
    assert outcome.items == 12


def test_kills_while_calls_fail_and_urls_die_lose_nothing(tmp_path: Path) -> None:
    """Five kills among six files, one call in ten fails, URLs live two seconds and tokens five."""
    weather = Weather(percent=10.0, url_seconds=2.0, token_seconds=5.0)
    outcome = storm(tmp_path, files=6, kills=5, seed=3, weather=weather, longest=1.6)

    assert outcome.wrong == []
    assert outcome.items == 6
