"""Sidecars that many rasters of a satellite product share: they go with the last of them, and never before."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.groups import crashed_at, seen, tree
from uploader.core.model import Sighting
from uploader.disposal import Disposed, disposing
from uploader.system.failpoints import within

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("leases")]

TILES = ("IMG_X_R1C1.TIF", "IMG_X_R1C2.TIF", "IMG_X_R2C1.TIF")
SHARED = {"DIM_X.XML": b"index", "RPC_X.XML": b"polynomials"}


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A drop folder with three tiles of a product, and one of another."""
    folder = tmp_path / "drop"
    folder.mkdir()
    for name in (*TILES, "IMG_Y_R1C1.TIF"):
        (folder / name).write_bytes(b"raster " + name.encode())
    for name, content in {**SHARED, "DIM_Y.XML": b"other"}.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(params=["same", "other"])
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An archive on the drop folder's file system, and one on another."""
    shm = Path("/dev/shm")
    if request.param == "other" and not (
        os.access(shm, os.W_OK) and shm.stat().st_dev != tmp_path.stat().st_dev
    ):
        pytest.skip("/dev/shm is no second file system to write to")
    path = Path(tempfile.mkdtemp(dir=tmp_path if request.param == "same" else shm))
    yield path
    shutil.rmtree(path)


def run(policy: str, sighting: Sighting, archive: Path | None = None) -> Disposed:
    """A disposal that nobody stops."""
    return disposing.dispose(policy, sighting, archive, threading.Event())


def sightings(drop: Path, names: tuple[str, ...] = TILES) -> list[Sighting]:
    """A look at each tile, with all that lies beside it."""
    return [seen(drop, name) for name in names]


@pytest.mark.parametrize("policy", ["delete", "archive"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_shared_sidecars_go_with_the_last_raster(
    drop: Path, archive: Path, policy: str, order: tuple[int, ...]
) -> None:
    """Whichever is the last; the other product's stay."""
    tiles = sightings(drop)
    for number in order[:2]:
        assert run(policy, tiles[number], archive).outcome in {"deleted", "archived"}
        assert SHARED.keys() <= tree(drop).keys()
    run(policy, tiles[order[2]], archive)

    assert sorted(tree(drop)) == ["DIM_Y.XML", "IMG_Y_R1C1.TIF"]
    assert sorted(tree(archive)) == (sorted([*TILES, *SHARED]) if policy == "archive" else [])


def kills() -> list[tuple[str, int]]:
    """Every failpoint of a disposal; files are unlinked one by one."""
    return [
        (name, nth)
        for name in within("dispose")
        for nth in ((1, 2, 3) if name == "dispose.unlinked" else (1,))
    ]


@pytest.mark.parametrize("policy", ["delete", "archive"])
@pytest.mark.parametrize("victim", [0, 2])
@pytest.mark.parametrize(("name", "nth"), kills())
def test_a_kill_at_any_point_takes_nothing_from_the_others(  # noqa: PLR0917 - a matrix
    drop: Path, archive: Path, policy: str, victim: int, name: str, nth: int
) -> None:
    """The others go on before the disposal that was killed is repeated; nothing is left, lost or renamed."""
    tiles = sightings(drop)
    before = {name: content for name, content in tree(drop).items() if "_Y" not in name}
    for tile in tiles[:victim]:
        run(policy, tile, archive)

    crashed_at(name, nth, lambda: run(policy, tiles[victim], archive))
    if victim == 0:
        assert SHARED.keys() <= tree(drop).keys()
        assert [run(policy, tile, archive).outcome for tile in tiles[1:]] == [
            "archived" if policy == "archive" else "deleted"
        ] * 2
    done = run(policy, tiles[victim], archive)

    assert done.outcome in ({"archived"} if policy == "archive" else {"deleted", "missing"})
    assert sorted(tree(drop)) == ["DIM_Y.XML", "IMG_Y_R1C1.TIF"]
    assert not list(drop.glob(".uploader-*"))
    assert tree(archive) == (before if policy == "archive" else {})


@pytest.mark.parametrize("policy", ["delete", "archive"])
def test_two_that_are_hidden_at_once_leave_nothing_behind(
    drop: Path, archive: Path, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last two are hidden before either has gathered, one takes the sidecars and the other goes without."""
    (drop / TILES[2]).unlink()
    first, second = sightings(drop, TILES[:2])
    both, gather = threading.Barrier(2), disposing._gather
    outcomes: list[str] = []

    def together(work: object) -> bool:
        both.wait(20)
        return gather(work)  # type: ignore[arg-type]

    monkeypatch.setattr(disposing, "_gather", together)
    threads = [
        threading.Thread(target=lambda s=s: outcomes.append(run(policy, s, archive).outcome))
        for s in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if len(outcomes) < 2:  # an archive on another disk lacks the copies of what came to be the last one's
        monkeypatch.undo()
        outcomes += [run(policy, s, archive).outcome for s in (first, second)]

    assert set(outcomes) <= {"archived", "deleted", "missing"}
    assert sorted(tree(drop)) == ["DIM_Y.XML", "IMG_Y_R1C1.TIF"]
    if policy == "archive":
        assert sorted(tree(archive)) == sorted([*TILES[:2], *SHARED])


def add_rpc(drop: Path) -> None:
    """Coefficients of the tile's own arrive after it was uploaded."""
    (drop / "RPC_X_R1C1.XML").write_bytes(b"late")


def change_rpc(drop: Path) -> None:
    """The coefficients are others now."""
    (drop / "RPC_X.XML").write_bytes(b"others")


@pytest.mark.parametrize("change", [add_rpc, change_rpc])
def test_other_coefficients_make_another_raster(drop: Path, change: Callable[[Path], None]) -> None:
    """What changes where the raster lies is a new version: it is left alone."""
    sighting = seen(drop, TILES[0])
    change(drop)
    before = tree(drop)

    assert run("delete", sighting) == Disposed("replaced")
    assert tree(drop) == before


def test_words_that_come_late_or_change_hold_nothing_up(tmp_path: Path) -> None:
    """Metadata in words that is not what was uploaded stays; the raster goes."""
    (tmp_path / "scene_B4.TIF").write_bytes(b"raster")
    (tmp_path / "scene_B5.TIF").write_bytes(b"raster")
    first = seen(tmp_path, "scene_B4.TIF")
    (tmp_path / "scene_MTL.txt").write_bytes(b"late")
    second = seen(tmp_path, "scene_B5.TIF")

    assert run("delete", first) == Disposed("deleted")
    (tmp_path / "scene_MTL.txt").write_bytes(b"changed")
    assert run("delete", second) == Disposed("deleted")
    assert tree(tmp_path) == {"scene_MTL.txt": b"changed"}


def test_a_taken_name_in_the_archive_gets_a_number(drop: Path, archive: Path) -> None:
    """A product that is delivered again replaces nothing there."""
    for _ in range(2):
        for name in TILES:
            (drop / name).write_bytes(b"raster")
        for name, content in SHARED.items():
            (drop / name).write_bytes(content)
        for sighting in sightings(drop):
            run("archive", sighting, archive)

    assert {"DIM_X.XML", "DIM_X-2.XML", "RPC_X-2.XML", "IMG_X_R1C1-2.TIF"} <= tree(archive).keys()
    assert len(tree(archive)) == 10
