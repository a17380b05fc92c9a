"""`pause` and `resume` without a daemon, and beside a real one."""

from __future__ import annotations

import time

import pytest

from tests.cli.test_cli_journal import run_json
from uploader import cli
from uploader.journal import Reader

pytestmark = pytest.mark.unit


def holds(tmp_path) -> list[tuple[str, str]]:
    """What is held, as whoever reads the journal is told."""
    with Reader(tmp_path / "state") as reader:
        return [(hold["scope"], hold["subject"]) for hold in reader.status()["holds"]]


def test_without_a_daemon_the_journal_keeps_it(setup, tmp_path, capsys):
    """A folder, then everything; each is a hold; `resume` ends one, or all."""
    drop = str(tmp_path / "drop")
    assert run_json(capsys, "pause", "-c", setup, drop, "--json") == {"paused": drop, "until": None}
    assert run_json(capsys, "pause", "-c", setup, "--json") == {"paused": None, "until": None}
    assert holds(tmp_path) == [("machine", ""), ("folder", drop)]

    assert run_json(capsys, "resume", "-c", setup, drop, "--json") == {"resumed": [drop]}
    assert holds(tmp_path) == [("machine", "")]
    assert run_json(capsys, "resume", "-c", setup, "--json") == {"resumed": [None]}
    assert holds(tmp_path) == []


def test_a_pause_may_end_by_itself(setup, tmp_path, capsys):
    """When, is said, and told as the hold's end."""
    assert cli.execute(["pause", "-c", str(setup), "--for", "1h30m"]) == 0
    assert "Everything is paused until 20" in capsys.readouterr().out
    with Reader(tmp_path / "state") as reader:
        (pause,) = reader.pauses()
    assert pause.until == pytest.approx(time.time() + 5400, abs=60)


def test_an_unknown_folder_is_refused_with_what_is_near(setup, tmp_path, capsys):
    """Nothing is paused then."""
    assert cli.execute(["pause", "-c", str(setup), str(tmp_path / "drip")]) == 1
    assert f"Those are, the nearest first: {tmp_path / 'drop'}." in capsys.readouterr().err
    assert holds(tmp_path) == []


def test_a_span_without_a_unit_is_wrong_usage(setup, capsys):
    """With what to write."""
    assert cli.execute(["pause", "-c", str(setup), "--for", "90"]) == 2
    assert "write for example 90s" in capsys.readouterr().err


def test_who_resumes_a_folder_while_everything_is_paused_is_told(setup, tmp_path, capsys):
    """It would not go on; what ends it is named."""
    cli.execute(["pause", "-c", str(setup)])
    assert cli.execute(["resume", "-c", str(setup), str(tmp_path / "drop")]) == 1
    assert "`uploader resume` without a folder" in capsys.readouterr().err


def test_nothing_to_resume_is_said(setup, capsys):
    """And is no failure."""
    assert cli.execute(["resume", "-c", str(setup)]) == 0
    assert "Nothing was paused." in capsys.readouterr().out
