"""The short form of the simulation: histories end well, a seed is a history, and planted bugs are caught."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.sim import archives, scenes
from tests.sim.history import History, simulate
from tests.sim.memory import MemoryJournal
from tests.sim.month import Month
from tests.sim.planted import IN_ARCHIVES, PLANTED, Plant
from tests.sim.standins import ModelTools
from tests.sim.transactions import MemoryRows
from uploader.core.platform_traits import Repeated, Traits
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.journal.stored_rows import StoredRows

pytestmark = pytest.mark.unit

BOUND = 600
"""Histories within which a planted bug has to show."""


def wrong(seeds: range) -> list[str]:
    """Everything that goes wrong in these histories, until something does."""
    for seed in seeds:
        if found := simulate(seed)[2]:
            return [f"seed {seed}: {line}" for line in found]
    return []


def test_random_histories_end_well() -> None:
    """Crashes, lost answers, outages, changing files: each version one item, nothing open, nothing untold."""
    assert wrong(range(800)) == []


def test_histories_end_well_where_a_live_check_has_shown_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looking for items before a `complete` is repeated, and later than at once, loses and doubles nothing."""
    traits = Traits(silent_complete=True, visible_after=2.0, initiate_repeated=Repeated.REFUSED)
    monkeypatch.setattr(ModelTools, "traits", traits)

    assert wrong(range(1000, 1120)) == []


def test_histories_of_scenes_end_well() -> None:
    """One item for each issue of a scene, each raster once, its primary first, whatever comes when."""
    for seed in range(80):
        assert scenes.simulate(seed)[2] == [], f"seed {seed}"


def test_histories_of_archives_end_well() -> None:
    """Each member of what was dropped is one item, whenever a copy is lost, and whatever else lies there."""
    for seed in range(12):
        assert archives.simulate(seed)[2] == [], f"seed {seed}"


@pytest.mark.parametrize("plant", IN_ARCHIVES)
def test_a_planted_bug_in_archives_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would lose or double a member, or take the source of one that is no item yet."""
    plant(monkeypatch)

    assert any(archives.simulate(seed)[2] for seed in (4, 7, *range(100, 160)))


def test_both_journals_tell_the_same_of_scenes() -> None:
    """The model of the journal is not another rule."""
    for seed in range(5):
        assert scenes.simulate(seed) == scenes.simulate(seed, memory=False)


def test_a_seed_is_a_history() -> None:
    """The same seed gives the same events at the same times."""
    assert [simulate(seed) for seed in range(30)] == [simulate(seed) for seed in range(30)]


def test_a_seed_is_a_history_in_every_process() -> None:
    """Neither the order of sets nor the number of workers shows in the hash."""
    command = [sys.executable, "-m", "tests.sim.simulator", "--histories", "40", "--seed", "7", "--workers"]
    tallies = []
    for workers, salt in (("1", "1"), ("2", "2")):
        done = subprocess.run(
            [*command, workers],
            env={**os.environ, "PYTHONHASHSEED": salt},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        tallies.append(done.stdout.splitlines()[-1].rpartition(", ")[0])

    assert len(set(tallies)) == 1
    assert "hash" in tallies[0]


def test_the_model_of_the_journal_is_the_journal() -> None:
    """Every row, every hold and every event are the same as with SQLite, also where a session waits for a person."""
    for seed in (*range(60), 810301, 821323):
        model, real = History(seed), History(seed, memory=False)
        model.run()
        real.run()

        assert model.journal.digest() == real.journal.digest(), seed
        assert _text(model) == _text(real), seed


def _text(history: History) -> list[str]:
    """All rows and holds; an enumeration's member is its word."""
    journal = history.journal
    rows = [*journal.table(), *journal.holdings()]
    found: Any = MemoryRows(journal.tables) if isinstance(journal, MemoryJournal) else StoredRows(journal.db)
    records = [found.file(row[0]) for row in journal.table()]
    records += [found.session(session_id) for session_id in range(1, found.next_session_id())]
    return ["|".join(str(column) for column in row) for row in rows] + [_record(record) for record in records]


def _record(record: FileRecord | SessionRecord) -> str:
    """What a transition reads of a row; NULL is nothing, and how a sighting is kept is each journal's own affair."""
    kind = FileRecord if isinstance(record, FileRecord) else SessionRecord
    names = [field.name for field in fields(kind) if field.name != "sighting"]
    return " ".join(f"{name}={getattr(record, name) or ''}" for name in names)


def test_a_day_with_everything_in_it_ends_well() -> None:
    """The long form, short: restarts, outages, quota, key, disk and folder, with rows that leave the model."""
    said: list[str] = []
    month = Month(3, days=2, files=1200, faults=0.01)

    assert month.run(said.append), said
    assert not month.tables.files
    assert sum(month.ended.values()) >= 1200

    again = Month(3, days=2, files=1200, faults=0.01)
    again.run(said.append)
    assert again.journal.digest() == month.journal.digest()


@pytest.mark.parametrize("name", ["expectations.py", "properties.py", "history.py"])
def test_the_checkers_share_no_rule_with_the_program(name: str) -> None:
    """They know its nouns, and the plan that they judge; a mistake in a table or a limit is not made twice."""
    tree = ast.parse((Path(__file__).parent / name).read_text())
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    used = {f"{n.module}.{alias.name}" for n in froms for alias in n.names}
    program = {name for name in used if name.startswith("uploader.")}
    nouns = ("uploader.core.model.", "uploader.core.planner_view.")

    assert {name for name in program if not name.startswith(nouns)} <= {
        "uploader.core.actions",
        "uploader.core.planning_pass.Plan",
    }


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_bug_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these would lose, double, leak, tear down or forget something, and some history shows it."""
    plant(monkeypatch)

    assert wrong(range(BOUND))
