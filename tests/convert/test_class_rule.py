"""Where the rule for classes draws its line, on rasters as programs write them.

`python -m tests.classes DIR` measures it on real ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests import classes as command
from tests.support import compare
from tests.support.pool import convert
from uploader.convert import Job

pytestmark = pytest.mark.unit

_RANDOM = np.random.default_rng(11)
_SIDE = 120


def zones(values, dtype: str = "uint8") -> np.ndarray:
    """A patchwork of areas of these values, as maps of classes are."""
    picked = _RANDOM.choice(np.array(values, dtype), size=(_SIDE // 8, _SIDE // 8))
    picked.flat[: len(values)] = values
    return picked.repeat(8, axis=0).repeat(8, axis=1)


def written(path: Path, pixels: np.ndarray, **profile: object) -> Path:
    """A raster of one band."""
    height, width = pixels.shape
    shape = {"driver": "GTiff", "width": width, "height": height, "count": 1, "dtype": pixels.dtype.name}
    with rasterio.open(path, "w", **shape | profile) as dataset:
        dataset.write(pixels, 1)
    return path


_HOLES = np.where(zones([0, 1]) == 0, np.nan, zones([3, 4, 6], "float32")).astype(np.float32)

_RULE = {
    "mask 0 and 255": (zones([0, 255]), {}, True),
    "flow directions": (zones([1, 2, 4, 8, 16, 32, 64, 128]), {}, True),
    "codes far apart": (zones([111, 112, 311, 999], "int32"), {}, True),
    "a mask as float32": (zones([0, 1], "float32"), {}, True),
    "zones as float64": (zones([1, 3, 4, 6], "float64"), {"nodata": -9999}, True),
    "zones with holes of NaN": (_HOLES, {"nodata": float("nan")}, True),
    "holes that nobody declared": (_HOLES, {}, True),
    "a lowest float that nobody declared": (zones([-3.4028234663852886e38, 1, 2], "float32"), {}, True),
    "32 codes": (zones(range(1, 33)), {}, True),
    "32 codes and nodata": (zones(range(33)), {"nodata": 0}, True),
    "more codes than 32": (zones(range(1, 45)), {}, False),
    "floats that are not whole": (zones([0, 0.5, 1], "float32"), {}, False),
    "one value and NaN": (np.where(_HOLES > 0, 1, np.nan).astype(np.float32), {}, None),
    "heights in metres": (np.add.outer(np.arange(_SIDE), np.arange(_SIDE)).astype(np.float32), {}, False),
}


@pytest.mark.parametrize("name", _RULE)
def test_the_rule_at_its_edges(tmp_path: Path, name: str) -> None:
    """Few whole numbers are classes whatever their type; many, or others, are not; of one value nothing is said."""
    pixels, profile, expected = _RULE[name]
    judged = command.judge(name, "classes: of some kind", written(tmp_path / "a.tif", pixels, **profile))

    assert (judged.taken if judged else None) is expected


def test_the_command_counts_what_it_finds(tmp_path: Path, monkeypatch, capsys) -> None:
    """A row for each kind, a sum for each truth, and every wrong verdict by its name."""
    bare = written(tmp_path / "cover.tif", zones(range(40)))
    with rasterio.open(bare, "r+") as dataset:
        dataset.write_colormap(1, {value: (value, 255 - value, 7, 255) for value in range(256)})
    written(tmp_path / "few.tif", zones([7, 8, 9]))
    kinds = {"cover.tif": "classes: land cover", "few.tif": "quantity: counts"}
    (tmp_path / "classes.json").write_text(json.dumps(kinds))
    monkeypatch.setattr(sys, "argv", ["classes", str(tmp_path)])

    assert command._main() == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "| classes: land cover | 1 | 1 | 0 |",
        "| quantity: counts | 1 | 1 | 1 |",
        "| all classes | 1 | 1 | 0 |",
        "| all quantities | 1 | 1 | 1 |",
        "0 refused or of one value",
        "missed when bare: cover.tif (classes: land cover)",
        "falsely taken: few.tif (quantity: counts)",
    ]


@pytest.mark.anyio
@pytest.mark.e2e
async def test_overviews_of_float_classes_make_nothing_up(tmp_path: Path) -> None:
    """Masks and zones that were written as floats have only their own values at every level."""
    for dtype in ("float32", "float64"):
        pixels = np.tile(zones([0, 1, 2, 7], dtype), (11, 11))[3:, 5:]
        source = tmp_path / dtype / "in" / "source.tif"
        source.parent.mkdir(parents=True)
        written(source, pixels)
        report = await convert(Job(source, tmp_path / dtype / "out.tif"))

        assert report.categorical
        assert compare.differences(source, tmp_path / dtype / "out.tif") == []
        assert compare.invented(tmp_path / dtype / "out.tif") == []
