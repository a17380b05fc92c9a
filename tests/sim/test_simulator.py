"""The short form of the simulation, and proof that it would notice: planted bugs are caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import uploader.effects.session as session_effects
import uploader.journal.sessions as sessions_module
from tests.sim.simulator import simulate
from uploader.core import failures
from uploader.core.lifecycle import COUPLED, FileEvent, SessionEvent

pytestmark = pytest.mark.unit

Patch = Callable[[pytest.MonkeyPatch], None]


def wrong(seeds: range) -> list[str]:
    """Everything that goes wrong in these histories, until something does."""
    for seed in seeds:
        found = simulate(seed)[2]
        if found:
            return found
    return []


def test_random_histories_end_well() -> None:
    """Crashes, lost answers and changing files: one item each, nothing open, nothing untold."""
    assert wrong(range(300)) == []


def test_a_seed_is_a_history() -> None:
    """The same seed gives the same events at the same times."""
    assert [simulate(seed) for seed in range(20)] == [simulate(seed) for seed in range(20)]


def _gives_up_on_doubt(patch: pytest.MonkeyPatch) -> None:
    """A session is lost when its repeated `complete` goes unanswered."""
    true = session_effects.classify

    def classify(step: failures.Step, error: Any, known: failures.Known) -> failures.Verdict:
        if step is failures.Step.COMPLETE and known.doubtful:
            return failures.Lost("impatient")
        return true(step, error, known)

    patch.setattr(session_effects, "classify", classify)


def _forgets_doubt(patch: pytest.MonkeyPatch) -> None:
    """Every failed `initiate` counts as clear."""
    patch.setattr(session_effects, "is_clear", lambda _: True)


def _leaves_members_behind(patch: pytest.MonkeyPatch) -> None:
    """A failed session does not release its files."""
    patch.setattr(sessions_module, "couple", lambda *_: None)


def _completes_on_loss(patch: pytest.MonkeyPatch) -> None:
    """A lost session completes its files."""
    patch.setitem(COUPLED, SessionEvent.LOST, FileEvent.COMPLETED)


@pytest.mark.parametrize(
    "plant",
    [_gives_up_on_doubt, _forgets_doubt, _leaves_members_behind, _completes_on_loss],
)
def test_a_planted_bug_is_caught(plant: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these would lose, double or leak something, and some history shows it."""
    plant(monkeypatch)

    assert wrong(range(600))
