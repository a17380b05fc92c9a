"""The folder of an attempt, from both sides: who may write there, what is taken from there, and that it goes away."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from uploader.convert.engine.cluster import attempt_folder, task
from uploader.convert.engine.cluster.answers import Done, WorkerUnfit
from uploader.convert.engine.cluster.attempt import Attempt
from uploader.convert.engine.cluster.attempt_folder import BEGUN, RESULT
from uploader.convert.job import Job, Report
from uploader.core.errors import NoSpace, StagedDamaged

pytestmark = pytest.mark.unit

COG = b"a whole result"
REPORT = Report(method="encode", categorical=False)


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    """One that has begun, on a worker that is this process."""
    monkeypatch.setattr(task, "_address", lambda: "tcp://worker")
    return Attempt.begin(Job(tmp_path / "in.tif", tmp_path / "7.tif"))


def finished(attempt: Attempt, content: bytes = COG) -> Done:
    """Work as a worker does, and say so."""
    (attempt.folder / BEGUN).write_bytes(attempt.token.encode())
    (attempt.folder / RESULT).write_bytes(content)
    return Done("tcp://worker", REPORT, len(COG), hashlib.sha256(COG).hexdigest())


def test_a_whole_result_replaces_an_earlier_one(attempt: Attempt) -> None:
    """And nothing else is left beside it."""
    attempt.job.target.write_bytes(b"an older result")
    attempt.take(finished(attempt))
    assert attempt.end()
    assert attempt.job.target.read_bytes() == COG
    assert [path.name for path in attempt.job.target.parent.iterdir()] == ["7.tif"]


@pytest.mark.parametrize("wrong", ["hash", "size", "empty", "link", "none", "token", "folder"])
def test_what_is_not_as_the_worker_says_is_not_taken(attempt: Attempt, tmp_path: Path, wrong: str) -> None:
    """The worker is at fault, and not the raster."""
    content = {"hash": COG[::-1], "size": COG[:-1], "empty": b""}.get(wrong, COG)
    done, result = finished(attempt, content), attempt.folder / RESULT
    if wrong == "link":
        (tmp_path / "other").write_bytes(COG)
        result.unlink()
        result.symlink_to(tmp_path / "other")
    if wrong in {"none", "folder"}:
        result.unlink()
    if wrong == "folder":
        result.mkdir()
    if wrong == "token":
        (attempt.folder / BEGUN).write_bytes(b"another")
    with pytest.raises(WorkerUnfit):
        attempt.take(done)
    assert not attempt.job.target.exists()


def test_a_folder_that_was_removed_is_nobodys_fault(attempt: Attempt, tmp_path: Path) -> None:
    """Neither the raster's nor the worker's; one that cannot be made is a matter of the disk."""
    done = finished(attempt)
    attempt.end()
    with pytest.raises(StagedDamaged):
        attempt.take(done)
    with pytest.raises(StagedDamaged):
        Attempt.begin(Job(tmp_path / "in.tif", tmp_path / "gone" / "7.tif"))
    (tmp_path / "file").touch()
    with pytest.raises(NoSpace):
        Attempt.begin(Job(tmp_path / "in.tif", tmp_path / "file" / "7.tif"))


def answer(attempt: Attempt, **changed: Any) -> dict[str, Any]:
    """What a worker answers, when it is not to convert anything."""
    return task.run(attempt.request() | changed)


def test_an_attempt_is_begun_once(attempt: Attempt) -> None:
    """The next worker gives the answer of the first, or says that it is lost: it never writes."""
    (attempt.folder / BEGUN).touch()
    assert "lost" in answer(attempt)
    attempt_folder.write_answer(attempt.folder, {"report": 1})
    assert answer(attempt) == {"report": 1}
    assert not (attempt.folder / RESULT).exists()


def test_who_comes_late_finds_no_place(attempt: Attempt) -> None:
    """He says that he does not see the folder, and makes none."""
    attempt.end()
    assert "does not find" in answer(attempt)["unfit"]
    assert list(attempt.job.target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"version": "0.0.1"}, "the daemon 0.0.1"), ({"token": "other"}, "sees another folder")],
)
def test_a_worker_that_does_not_fit_says_why(attempt: Attempt, changed: dict[str, str], words: str) -> None:
    """Another version, or another folder at the same path."""
    told = answer(attempt, **changed)
    assert (words in told["unfit"], told["worker"]) == (True, "tcp://worker")
    assert attempt.sign() is None


def test_the_sign_of_a_worker_is_seen(attempt: Attempt) -> None:
    """Each touch is another."""
    assert attempt.sign() is None
    (attempt.folder / BEGUN).touch()
    first = attempt.sign()
    assert first is not None
    assert first[1] == ""
    (attempt.folder / BEGUN).write_bytes(attempt_folder.beginning(attempt.token, "tcp://worker"))
    assert attempt.came_back()
    first = attempt.sign()
    assert first is not None
    assert first[1] == "tcp://worker"
    task._touched(attempt.folder / BEGUN, sign=True)
    assert first != attempt.sign()
    attempt.end()
    with pytest.raises(OSError, match="No such file"):
        task._touched(attempt.folder / BEGUN, sign=False)
