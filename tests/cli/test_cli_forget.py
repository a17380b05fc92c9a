"""`forget` without a daemon: what is given up, what is refused, what is not known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli_journal import run_json, uploaded  # noqa: F401 - a fixture
from uploader import cli
from uploader.journal import Reader

pytestmark = pytest.mark.unit


def states(root) -> dict[str, str]:
    """The state of each file by name."""
    with Reader(root / "state") as reader:
        return {Path(file["path"]).name: file["state"] for file in reader.files()}


def test_files_that_are_not_there_are_given_up(setup, tmp_path, capsys):
    """A queued and a rejected one, by path and by pattern; the log tells it, and nothing is listed any more."""
    found = run_json(capsys, "forget", "-c", setup, "--json", "good.tif", "b?d.tif")
    assert found == {"forgotten": 2, "refused": [], "unknown": []}
    assert [states(tmp_path)[name] for name in ("good.tif", "bad.tif")] == ["gone", "gone"]
    with Reader(tmp_path / "state") as reader:
        assert (reader.status()["pending"], reader.status()["rejected"]) == (0, 1)
        assert reader.story(b"good.tif")[-1]["event"] == "forgotten"


def test_what_still_lies_there_is_refused(setup, tmp_path, capsys):
    """With words; all below a folder is meant where a folder is named."""
    (tmp_path / "drop" / "bad.tif").touch()
    assert cli.execute(["forget", "-c", str(setup), str(tmp_path / "drop")]) == 1
    said = capsys.readouterr()
    assert "2 files are forgotten." in said.out
    assert "bad.tif is not forgotten: it still lies there." in said.err
    assert states(tmp_path)["bad.tif"] == "rejected"


def test_what_nobody_knows_is_said_with_what_is_near(setup, tmp_path, capsys):
    """The others are forgotten all the same."""
    assert cli.execute(["forget", "-c", str(setup), "bed.tif", "good.tif"]) == 1
    said = capsys.readouterr()
    assert "1 file is forgotten." in said.out
    assert "bed.tif: The journal knows no file at this path." in said.err
    assert "Near is: bad.tif" in said.err


def test_a_kill_leaves_all_or_nothing(setup, tmp_path):
    """And the command can be given again."""
    for when, state in (("before", "rejected"), ("after", "gone")):
        environment = {**os.environ, "UPLOADER_FAILPOINT": f"commit.forget.{when}"}
        died = subprocess.run(
            [sys.executable, "-m", "uploader", "forget", "-c", str(setup), "bad.tif"],
            env=environment,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        assert died.returncode == -signal.SIGKILL
        assert states(tmp_path)["bad.tif"] == state


def test_the_source_of_an_item_may_be_lost(uploaded, tmp_path, capsys):  # noqa: F811
    """It was to stay, and its path is history now: the item is none the less told."""
    assert run_json(capsys, "forget", "-c", uploaded, "--json", "2024/a.tif")["forgotten"] == 1
    assert states(tmp_path)["a.tif"] == "completed"
    assert run_json(capsys, "forget", "-c", uploaded, "--json", "2024/")["forgotten"] == 1
    assert states(tmp_path)["b.tif"] == "gone"


@pytest.mark.parametrize("path", ["", "/"])
def test_nobody_forgets_everything_by_mistake(setup, tmp_path, capsys, path):
    """An unset variable of a script is wrong usage, and not the wish to forget all files."""
    assert cli.execute(["forget", "-c", str(setup), "good.tif", path]) == 2
    assert "would mean everything" in capsys.readouterr().err
    assert "gone" not in states(tmp_path).values()
