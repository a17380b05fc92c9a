"""Archives through real daemons: a SAFE product in a zip becomes one item, across a kill and lost copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import archives
from tests.support.live import amiss
from tests.support.rasters import make
from tests.support.world import World
from uploader.journal import Reader
from uploader.journal.receipt_rows import Selection, by_time

pytestmark = pytest.mark.e2e

PRODUCT = "S2A_MSIL2A_20220125T101331_N0400_R022_T33UUP_20220125T140332"
IMAGES = f"{PRODUCT}.SAFE/GRANULE/L2A_T33UUP_A034436_20220125T101606/IMG_DATA"
FILE = "T33UUP_20220125T101331"


def safe(tree: Path) -> list[str]:
    """The tree of a product with four rasters that are taken, and others; returns the assets of those."""
    for number, place in enumerate(("R10m/B02", "R10m/B04", "R20m/B05", "R20m/SCL", "R20m/B02")):
        folder, band = place.split("/")
        make("dem_nodata", tree / IMAGES / folder / f"{FILE}_{band}_{folder[1:]}.tif", size=64, seed=number)
    (tree / f"{PRODUCT}.SAFE" / "manifest.safe").write_text("<xfdu/>")
    return ["B02", "B04", "B05", "SCL"]


def test_a_product_in_an_archive_is_one_item_and_its_source_goes_as_a_whole(
    make_world: Callable[..., World],
) -> None:
    """Killed when its rasters had just become files, and without their copies: it is unpacked again, and once told."""
    w = make_world()
    w.folders[0].update(
        include=["*.zip"],
        scenes=[{"recipe": "sentinel-2-l2a"}],
        after_upload="archive",
        archive_dir=str(w.root / "archive"),
    )
    w.write_config()
    assets = safe(w.root / "tree")
    archives.zip_tree(w.drop / f"{PRODUCT}.zip", w.root / "tree")

    died = w.until_idle(check=None, environment={"UPLOADER_FAILPOINT": "commit.unpacked.after"})
    assert died.returncode == -9
    (unpacked,) = (w.state / "staging").glob("*.out")
    shutil.rmtree(unpacked)
    w.until_idle()

    with Reader(w.state) as reader:
        told, states = list(by_time(reader.db, Selection())), reader.status()["files"]
    assert {(row["item_id"], row["scene"]) for row in told} == {
        (told[0]["item_id"], "S2A_MSIL2A_20220125T101331_R022_T33UUP_20220125T101606")
    }
    assert sorted(row["asset_key"] for row in told) == assets
    assert all(bytes(row["path"]).startswith(f"{PRODUCT}.zip/{IMAGES}/".encode()) for row in told)
    assert amiss(w, 0) == []
    assert [path.name for path in (w.root / "archive").rglob("*.zip")] == [f"{PRODUCT}.zip"]
    assert (list(w.drop.iterdir()), w.copies()) == ([], [])
    assert (states["completed"], states["unpacked"]) == (4, 1)
