"""One folder under several names: no file is taken twice, and what is the daemon's own is no drop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import mounts
from tests.support.rasters import make
from tests.support.world import World
from uploader.core import naming

pytestmark = pytest.mark.e2e

NO_MOUNTS = mounts.missing()
TOKEN = os.fsdecode(naming.TOKEN)


@pytest.fixture
def bind() -> Iterator[Callable[[Path, Path], None]]:
    """Show a folder at a second place, until the test ends."""
    made: list[Path] = []

    def show(source: Path, folder: Path) -> None:
        source.mkdir(parents=True, exist_ok=True)
        mounts.bind(source, folder)
        made.append(folder)

    yield show
    for folder in reversed(made):
        mounts.unmount(folder)


def archive_into(w: World, archive: Path) -> None:
    """The first folder's sources go there."""
    w.folders[0].update(after_upload="archive", archive_dir=str(archive))
    w.write_config()


@pytest.mark.root
@pytest.mark.skipif(bool(NO_MOUNTS), reason=NO_MOUNTS or "-")
@pytest.mark.parametrize("what", ["archive", "drop folder", "staging", "state", "archive shown below"])
def test_an_overlap_under_another_name_is_refused_at_the_start(
    make_world: Callable[..., World], bind: Callable[[Path, Path], None], what: str
) -> None:
    """By bind mounts, in either direction; nothing is uploaded."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=64)
    inner, alias = w.drop / "inner", w.root / "alias"
    match what:
        case "archive":
            bind(inner, alias)
            archive_into(w, alias)
        case "drop folder":
            bind(inner, alias)
            w.folders.append({"path": str(alias), "project_id": "p-1"})
        case "staging":
            bind(inner, alias)
            w.settings["staging"] = {"dir": str(alias)}
        case "state":
            bind(inner, w.state)
        case _:
            alias.mkdir()
            bind(alias, inner)
            archive_into(w, alias)
    w.write_config()

    said = w.until_idle(check=78).stderr

    assert "lies inside" in said or "overlaps" in said
    assert w.audit().items == ()


@pytest.mark.root
@pytest.mark.skipif(bool(NO_MOUNTS), reason=NO_MOUNTS or "-")
def test_an_archive_that_appears_in_a_drop_folder_holds_it(
    make_world: Callable[..., World], bind: Callable[[Path, Path], None]
) -> None:
    """Mounted there while the daemon runs: its files are not taken again, and all goes on once it is gone."""
    w = make_world()
    archive_into(w, w.root / "archive")
    make("dem_nodata", w.drop / "a.tif", size=64)
    with w.daemon():
        w.wait((w.root / "archive/a.tif").exists, "the source is archived")
        (w.drop / "shown").mkdir()
        bind(w.root / "archive", w.drop / "shown")
        (hold,) = w.wait(lambda: w.status()["holds"], "the folder is held")
        assert hold["scope"] == "folder"
        assert "archive" in hold["reason"]
        make("dem_nodata", w.drop / "b.tif", size=80)
        mounts.unmount(w.drop / "shown")
        w.wait(lambda: not w.status()["holds"] and (w.root / "archive/b.tif").exists(), "it goes on")
    assert len(w.audit().items) == 2
    assert w.problems() == []


def test_a_token_that_a_scan_meets_holds_the_folder(make_world: Callable[..., World]) -> None:
    """Where neither mounts nor inodes tell, the file in the archive does: here it came as a copy would."""
    w = make_world()
    archive_into(w, w.root / "archive")
    make("dem_nodata", w.drop / "a.tif", size=64)
    w.until_idle()
    assert (w.root / "archive" / TOKEN).exists()
    assert (w.state / TOKEN).exists()
    assert (w.state / "staging" / TOKEN).exists()
    (w.drop / "shown").mkdir()
    for name in (TOKEN, "a.tif"):
        (w.drop / "shown" / name).write_bytes((w.root / "archive" / name).read_bytes())

    w.until_idle(check=1)

    (hold,) = w.status()["holds"]
    assert TOKEN in hold["reason"]
    assert "shown" in hold["reason"]
    assert len(w.audit().items) == 1
    (w.drop / "shown" / TOKEN).unlink()
    w.until_idle()
    assert len(w.audit().items) == 2, "without the token it is a file that somebody has dropped"


def test_an_archived_file_is_never_taken_in_again(make_world: Callable[..., World]) -> None:
    """The very file under its name, wherever it shows; another name is a drop, and so is what was brought back."""
    w = make_world()
    archive_into(w, w.root / "archive")
    make("dem_nodata", w.drop / "a.tif", size=64)
    w.until_idle()
    (w.drop / "again").mkdir()
    os.link(w.root / "archive/a.tif", w.drop / "again/a.tif")

    with w.daemon():
        (warning,) = w.wait(lambda: w.status()["warnings"], "it is told")
        assert warning["code"] == "archived_again"
        assert len(w.audit().items) == 1
        (w.root / "archive/a.tif").unlink()
        w.wait(lambda: len(w.audit().items) == 2, "it was brought back")
    assert w.status()["warnings"] == []
