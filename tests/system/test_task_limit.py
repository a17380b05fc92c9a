"""How many processes and threads may still be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tasks
from uploader.system import task_limit

pytestmark = pytest.mark.unit


def _group(folder: Path, most: str, now: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pids.max").write_text(f"{most}\n")
    (folder / "pids.current").write_text(f"{now}\n")


@pytest.mark.parametrize(
    ("line", "top"),
    [("0::/a.slice/b.service", "."), ("8:pids:/a.slice/b.service\n0::/", "pids")],
    ids=["version 2", "version 1"],
)
def test_the_narrowest_of_the_groups_above_counts(tmp_path: Path, line: str, top: str) -> None:
    """A slice may give less than the unit within it."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self/cgroup").write_text(f"1:name=systemd:/x\n{line}\n")
    _group(groups / top / "a.slice", "100", 90)
    _group(groups / top / "a.slice/b.service", "512", 12)

    found = task_limit.room(proc, groups)

    assert found is not None
    assert found.tasks == 10
    assert "a.slice" in found.limit


def test_without_limits_or_without_proc_none_is_known(tmp_path: Path) -> None:
    """An odd host is no reason not to convert."""
    assert list(task_limit._folders(tmp_path / "none", tmp_path)) == []
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text("0::/x\n")
    _group(tmp_path / "x", "max", 7)
    assert [room for room in task_limit._limits(tmp_path, tmp_path) if "pids.max" in room.limit] == []


@pytest.mark.root
@pytest.mark.skipif(bool(tasks.missing()), reason=tasks.missing() or "-")
def test_a_real_group_is_seen() -> None:
    """The kernel's own files, of whichever version this machine has."""
    code = "from uploader.system import task_limit; print(task_limit.room().tasks)"
    with tasks.group("seen") as group:
        group.limit(40)
        done = subprocess.run(
            [sys.executable, "-c", code], preexec_fn=group.enter, capture_output=True, check=True
        )
    assert 35 <= int(done.stdout) <= 39
