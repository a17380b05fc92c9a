"""Every attack of the family ends soon, touches nothing foreign, and harms nobody but itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest
import rasterio

from tests.security import attacks
from tests.security.family import ATTACKS, Attack
from tests.security.lures import MARK, Lure
from tests.support.world import World, world
from uploader.journal import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 300.0


@pytest.mark.parametrize("kind", ["names", "bombs", "titles"])
async def test_attacks_end_and_touch_nothing(tmp_path: Path, kind: str) -> None:
    """No foreign byte, no connection, no death of a child, nothing left, and the next good raster at once."""
    _, wrong = await attacks.run(attacks.chosen(kind), tmp_path, seconds=_SECONDS)

    assert wrong == []


async def test_a_raster_that_is_read_where_it_lies_reaches_nothing_else(tmp_path: Path) -> None:
    """What plain GDAL falls for is held off as well where the child can open one file of people's folder."""
    baits = [attack for attack in attacks.chosen("names") if attack.proven]
    told, wrong = await attacks.run(baits, tmp_path, seconds=_SECONDS, linked=True)

    assert len(told) == len(baits)
    assert wrong == []


async def test_nothing_is_touched_where_nothing_confines(tmp_path: Path) -> None:
    """On a host without a single layer, the way rasters are opened holds alone."""
    paths = os.pathsep.join([str(ROOT), *(p for p in sys.path if p)])
    lacking = ["tests.security.denying", "landlock,namespaces,seccomp", "--", sys.executable]
    done = await anyio.run_process(
        [sys.executable, "-m", *lacking, "-m", "tests.security.attacks", "--kind", "names"],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
    )

    assert done.returncode == 0, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize(
    "attack", [attack for attack in ATTACKS.values() if attack.proven], ids=lambda attack: attack.name
)
def test_the_bait_is_real(tmp_path: Path, attack: Attack) -> None:
    """GDAL as it comes from the box falls for it: so that it is our doing that nothing was touched."""
    folder = tmp_path / "in"
    folder.mkdir()
    with Lure.laid(tmp_path / "lure") as lure:
        attack.make(folder, lure)
        lure.touched()
        with rasterio.open(folder / "source.tif") as dataset:
            dataset.overviews(1)
            dataset.read(1, out_shape=(60, 60))
            dataset.read_masks(1, out_shape=(60, 60))

        assert lure.touched()


def test_the_daemon_outlives_them(tmp_path: Path) -> None:
    """Dropped among good rasters, under names of their own, they are rejected or harmless; the good become items."""
    with world(tmp_path / "w") as w, Lure.laid(tmp_path / "lure") as lure:
        dropped = _drop(w, lure)
        lure.touched()
        w.until_idle(check=None)
        with Reader(w.state) as reader:
            status, items = reader.status(), {row["path"] for row in reader.items()}
        touched = lure.touched()
        wrong = w.problems()
        leaks = [p for p in (tmp_path / "w").rglob("*") if p.is_file() and MARK.encode() in p.read_bytes()]

    told = {failure["path"] for failure in status["failed"]}
    assert (touched, wrong, leaks) == ([], [], [])
    assert {str(path) for path in dropped} == told | items
    assert {str(path) for path in dropped if path.name.startswith(("good", "-", "HDF5", "vrt"))} <= items


def _drop(w: World, lure: Lure) -> list[Path]:
    dropped = []
    for number, name in enumerate(
        ("a_vrt_in_disguise", "overviews_beside", "more_than_was_declared", "settings_beside")
    ):
        folder = w.drop / name
        folder.mkdir()
        ATTACKS[name].make(folder, lure)
        dropped.append(folder / "source.tif")
        dropped.append(attacks.good(w.drop / f"good{number}.tif", seed=number))
    for number, title in enumerate(("-c.tif", "HDF5:a.tif", "vrt:%2e%2e,a!b.tif")):
        dropped.append(attacks.good(w.drop / title, seed=10 + number))
    return dropped
