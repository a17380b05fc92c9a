"""Satellite deliveries through the daemon: each raster with what its product says, and no sidecar before its time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio

from tests.support import products
from tests.support.live import amiss
from tests.support.world import World
from uploader.journal import Reader

pytestmark = pytest.mark.e2e


def prepare(w: World, **folder: object) -> None:
    """Change the first folder's table."""
    w.folders[0].update(folder)
    w.write_config()


def stored(w: World, source: Path) -> list[Path]:
    """The objects of a source, by the stem of its name."""
    found = (n for n in w.audit().file_names if n.rpartition("-")[0] == source.stem.replace("__", "_"))
    return [w.object(name) for name in found]


@pytest.mark.parametrize(
    "failpoint", ["", "dispose.hidden", "dispose.gathered", "dispose.arrived", "claim.copied"]
)
def test_a_tiled_product_is_taken_and_archived_as_a_whole(
    make_world: Callable[..., World], failpoint: str
) -> None:
    """Every tile has its own coefficients, and the archive in the end the whole delivery, also across a kill."""
    w = make_world()
    archive = w.root / "archive"
    prepare(w, after_upload="archive", archive_dir=str(archive))
    tiles = products.pleiades(w.drop / "order")
    names = sorted(path.name for path in (w.drop / "order").iterdir())

    if failpoint:
        assert w.until_idle(check=None, environment={"UPLOADER_FAILPOINT": f"{failpoint}:2"}).returncode == -9
    w.until_idle()

    assert sorted(path.name for path in (archive / "order").iterdir()) == names
    assert list((w.drop / "order").iterdir()) == []
    assert len(w.audit().items) == len(tiles)
    assert amiss(w, w.status()["possibly_leaked_bytes"]) == []  # a kill may have met an answer on its way
    for number, tile in enumerate(tiles):
        (cog,) = stored(w, tile)
        with rasterio.open(cog) as dataset:
            row, column = divmod(number, 2)
            assert (dataset.rpcs.line_off, dataset.rpcs.samp_off) == (
                pytest.approx(99.5 - row * products.SIDE),
                pytest.approx(119.25 - column * products.SIDE),
            )


def test_metadata_in_words_that_comes_late_changes_nothing(make_world: Callable[..., World]) -> None:
    """A scene's text that arrives after its bands were uploaded makes no new items, but goes with the last of them."""
    w = make_world(options={"items_visible_after": 8.0})
    prepare(w, after_upload="delete")
    bands = products.landsat(w.drop, ("B4", "B5"))
    late = w.drop / f"{products.LANDSAT}_MTL.txt"
    late.rename(w.root / "late")
    with w.daemon():
        w.wait(lambda: len(w.audit().items) == 2, "both bands")
        (w.root / "late").rename(late)
        os.utime(late)
        w.wait(lambda: not any(band.exists() for band in bands), "the disposal")
    w.until_idle()

    assert len(w.audit().items) == 2
    assert list(w.drop.iterdir()) == []
    assert w.problems() == []


def test_coefficients_that_come_late_make_a_new_version(make_world: Callable[..., World]) -> None:
    """Where a raster lies is part of what it is: with its coefficients it is another one."""
    w = make_world()
    (tile,) = products.pleiades(w.drop, tiles=1)
    rpc = w.drop / f"RPC_{products.PLEIADES}.XML"
    rpc.rename(w.root / rpc.name)
    w.until_idle()
    (w.root / rpc.name).rename(rpc)

    w.until_idle()

    found = []
    for cog in stored(w, tile):
        with rasterio.open(cog) as dataset:
            found.append(dataset.rpcs is not None)
    assert sorted(found) == [False, True]


def test_what_is_lost_of_a_product_is_told(make_world: Callable[..., World]) -> None:
    """The item's receipt and the log name the sidecar whose words are not in the result."""
    w = make_world()
    source = products.planet(w.drop)

    w.until_idle()

    with Reader(w.state) as reader:
        (item,) = reader.items()
    assert [warning["code"] for warning in item["warnings"]] == ["product_metadata_lost"]
    assert "20200101_093456_0f22_metadata.json" in item["warnings"][0]["text"]
    assert "product_metadata_lost" in w.command("log", "-c", str(w.config), str(source), check=0).stdout
