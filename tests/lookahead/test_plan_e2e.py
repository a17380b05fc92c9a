"""What a plan says, and what a daemon then does with the same files: equal, but for what is called an estimate."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lookahead.comparison import differences, happened, plan
from tests.support.live import live
from uploader.convert.job import EFFORTS

pytestmark = pytest.mark.e2e

KINDS = {
    "rgb/plain.tif": "rgba",
    "dem.tif": "dem_nodata",
    "cog.tif": "ready_cog",
    "tiles.tif": "cog_without_statistics",
    "palette.tif": "palette",
    "wide.tif": "int64",
    "bands.tif": "many_bands",
}
"""By path: what is dropped. The last has more bands than its folder takes."""


def test_what_a_plan_said_happens(tmp_path: Path) -> None:
    """Each file with its method, its kind and its fate; what was left is not in the journal."""
    with live(tmp_path, start=False, settings={"limits": {"max_bands": 16}}) as made:
        for name, kind in KINDS.items():
            made.drop(name, kind=kind)
        left = {"notes.txt": "no_pattern", "order.zip": "archive", "half.tif.part": "ignored"}
        for name in left:
            (made.w.drop / name).write_bytes(b"x")
        (made.w.drop / "link.tif").symlink_to("dem.tif")
        before = {path: path.stat().st_ctime_ns for path in made.dropped}
        code, said, sums = plan(made, "--json")

        assert code == 1
        assert {path: path.stat().st_ctime_ns for path in made.dropped} == before
        assert not made.w.state.exists()
        assert {Path(path).name: one["code"] for path, one in said.items() if one["verdict"] == "left"} == {
            **left,
            "link.tif": "odd",
        }

        made.up()
        made.idle()
        rows = happened(made)

    assert differences(said, rows) == []
    assert sums["files"] == {"upload": 6, "opened": 0, "refused": 1, "waits": 0, "left": 4, "failed": 0}
    assert set(sums["estimated_bytes_by_level"]) == set(EFFORTS)


def test_scenes_are_told_with_what_they_cost(tmp_path: Path) -> None:
    """Two bands and a mask of one scene, in one of two folders that were asked for."""
    product = "LC09_L2SP_193024_20240605_20240622_02_T1"
    names = [f"{product}_SR_B4.TIF", f"{product}_SR_B5.TIF", f"{product}_QA_PIXEL.TIF"]
    with live(tmp_path, start=False) as made:
        for name in names:
            made.drop(f"in/{name}", kind="dem_nodata")
        made.drop("elsewhere.tif")
        with made.w.config.open("a") as config:
            config.write('[[folders.scenes]]\nrecipe = "landsat-c2"\n')
        code, said, sums = plan(made, str(made.w.drop / "in"), "--json")

    told = [said[str(made.w.drop / "in" / name)] for name in names]
    assert code == 0
    assert len(said) == 3
    assert {one["scene"] for one in told} == {"LC09_L2_193024_20240605_02"}
    assert [one["asset"] for one in told] == ["SR_B4", "SR_B5", "QA_PIXEL"]
    assert [one["categorical"] for one in told] == [False, False, True]
    assert told[0]["properties"]["start_datetime"] == "2024-06-05T00:00:00Z"
    assert (sums["sessions"], sums["scene_items"], sums["calls"]) == (3, 1, 12)
    assert sum(one["calls"] for one in told) == sums["scenes"]["calls"] == 12
