"""A damaged journal stops the daemon, is rebuilt on command, and nothing is uploaded twice: seen from the platform."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.support.live import judged
from tests.support.rasters import make
from tests.support.world import World
from uploader.config import load
from uploader.core.errors import AlreadyRunning, JournalError, UploaderError
from uploader.journal import FILE_NAME, Journal, Reader
from uploader.journal.recovery.snapshots import Snapshots, listed
from uploader.repair import RepairResult, repair
from uploader.system.failpoints import REPAIR
from uploader.system.locks import hold_locks

pytestmark = pytest.mark.e2e


def drop(w: World, *names: str, first: int = 1) -> list[Path]:
    """Rasters of different content."""
    return [
        make("dem_nodata", w.drop / f"{name}.tif", size=64, seed=first + n) for n, name in enumerate(names)
    ]


def ruin(w: World) -> None:
    """Damage the journal where it hurts; its log goes with it."""
    path = w.state / FILE_NAME
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    (w.state / f"{FILE_NAME}-wal").unlink(missing_ok=True)


def mended(w: World) -> RepairResult:
    """The repair within this process."""
    done = anyio.run(repair, load(w.config))
    assert done is not None
    return done


def snapshot(w: World) -> None:
    """Make a copy of the journal now, and let it be the only one."""
    for old in listed(w.state):
        old.path.unlink()
    assert Snapshots(w.state).make() is not None


def die_at(w: World, failpoint: str) -> None:
    """A run that is killed there."""
    done = w.until_idle(check=None, environment={"UPLOADER_FAILPOINT": failpoint})
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_what_was_uploaded_since_the_copy_is_recognised(make_world: Callable[..., World]) -> None:
    """The start is refused in plain words; the copy knows of no upload, the platform does; new files are uploaded."""
    w = make_world()
    sources = drop(w, "a", "b", "c")
    w.until_idle()
    ruin(w)
    done = w.until_idle(check=78)
    assert "--repair-journal" in done.stderr
    assert "Traceback" not in done.stderr

    done = w.command("check", "-c", str(w.config), "--repair-journal", "--json", check=0)

    found = json.loads(done.stdout)
    assert (found["base"], found["listed"], found["unsure"]) == ("snapshot", 3, 0)
    sources += drop(w, "d", first=40)
    w.until_idle()
    assert judged(w, sources) == []
    assert len(w.audit().items) == 4
    assert {row["id"] for row in w.items()} == {item.id for item in w.audit().items}
    assert found["damaged"] == str(next(w.state.glob("journal.damaged-*.sqlite")))


@pytest.mark.parametrize("moment", ["commit.opened.after"])
def test_a_session_that_the_copy_shows_open_is_not_repeated(
    make_world: Callable[..., World], moment: str
) -> None:
    """It was completed since, and its sources were removed, which is entered where the copy knows of them."""
    w = make_world()
    w.folders[0]["after_upload"] = "delete"
    w.write_config()
    sources = drop(w, "a", "b")
    die_at(w, moment)
    snapshot(w)
    w.until_idle()
    assert not any(source.exists() for source in sources)
    ruin(w)

    found = mended(w).outcome

    assert (found.base, found.recognised, found.sessions_completed) == ("snapshot", 2, 1)
    w.until_idle()
    assert len(w.audit().items) == 2
    assert judged(w, sources, missing_sources=True) == []


def test_where_names_do_not_come_back_nothing_is_uploaded_twice_unasked(
    make_world: Callable[..., World],
) -> None:
    """What lay there waits with words for a person; what is dropped afterwards goes its way."""
    w = make_world(options={"names_in_items": False})
    known = drop(w, "a", "b")
    w.until_idle()
    ruin(w)
    done = w.command("check", "-c", str(w.config), "--repair-journal", check=1)
    assert "2 files may have been uploaded" in done.stdout
    assert "uploader retry FILE" in done.stdout

    drop(w, "new", first=50)
    w.until_idle(check=1)

    assert len(w.audit().items) == 3
    with Reader(w.state) as reader:
        failed = reader.status()["failed"]
    assert {entry["path"] for entry in failed} == {str(path) for path in known}


def test_private_copies_of_nobody_are_put_aside(make_world: Callable[..., World]) -> None:
    """A source was removed while its copy was on its way, and no copy of the journal knows of it."""
    w = make_world()
    (source,) = drop(w, "a")
    die_at(w, "commit.claimed.after")
    data = source.read_bytes()
    source.unlink()
    ruin(w)

    copies = mended(w).copies

    assert copies == w.state / "staging" / "aside"
    (kept,) = copies.glob("*/source.tif")
    assert kept.read_bytes() == data
    w.until_idle()
    assert kept.exists()


def test_the_platform_and_the_folders_must_answer_first(make_world: Callable[..., World]) -> None:
    """Without them nothing is changed, and the words say what to do; nor beside a daemon, nor without a reason."""
    w = make_world()
    drop(w, "a")
    w.until_idle()
    assert anyio.run(repair, load(w.config)) is None
    ruin(w)
    before = {path: path.read_bytes() for path in w.state.glob("journal.*")}
    with hold_locks(w.state, []), pytest.raises(AlreadyRunning):
        mended(w)
    w.drop.rename(w.root / "elsewhere")
    with pytest.raises(UploaderError, match="drop folder"):
        mended(w)
    (w.root / "elsewhere").rename(w.drop)
    (w.root / "key").write_text("gpra_another_key")
    with pytest.raises(UploaderError, match="key"):
        mended(w)
    assert {path: path.read_bytes() for path in w.state.glob("journal.*")} == before
    (w.root / "key").write_text(w.box.api_key)
    assert mended(w).outcome.listed == 1


DYING = """
import sys, anyio
from pathlib import Path
from uploader.config import load
from uploader.repair import repair
anyio.run(repair, load(Path(sys.argv[1])))
"""


def test_a_repair_that_is_killed_is_run_again(make_world: Callable[..., World]) -> None:
    """At each of its steps: the daemon is refused in between, and the next repair comes to the same end."""
    w = make_world()
    sources = drop(w, "a", "b")
    w.until_idle()
    ruin(w)
    shutil.copytree(w.state, w.root / "ruined")
    for point in REPAIR:
        shutil.rmtree(w.state)
        shutil.copytree(w.root / "ruined", w.state)
        died = subprocess.run(
            [sys.executable, "-c", DYING, str(w.config)],
            env={**os.environ, **w.environment(UPLOADER_FAILPOINT=point)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL, f"{point}: {died.stderr}"
        if point != "repair.swapped":
            with pytest.raises(JournalError):
                Journal(w.state)
            found = mended(w).outcome
            assert (found.base, found.listed) == ("snapshot", 2)
        assert len(list(w.state.glob("journal.damaged-*.sqlite"))) == 1
    w.until_idle()
    assert judged(w, sources) == []
    assert len(w.audit().items) == 2
