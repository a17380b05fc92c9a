"""Levels that GDAL compressed are read back from the finished file, be they lossy or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from uploader.convert import Job
from uploader.convert.isolation import confine
from uploader.convert.perform import perform
from uploader.convert.tiff import ifd
from uploader.convert.write import cog_levels
from uploader.convert.write.source_heads import structure

pytestmark = pytest.mark.e2e

_SIDE = 1100
_MOVE = cog_levels.move


def _damaged(number: int) -> Any:
    """Moving as it is, and then some bytes of a tile of this level are others."""

    def move(head: Any, images: Any, target: Path, *arguments: Any) -> None:
        _MOVE(head, images, target, *arguments)
        written = structure(target)
        assert written
        level = [each for each in written.directories if not written.number(each, ifd.SUBFILE) & ifd.MASK][
            number
        ]
        at = int(written.numbers(level, ifd.TILE_OFFSETS)[0])
        length = int(written.numbers(level, ifd.TILE_BYTES)[0])
        with target.open("r+b") as file:
            file.seek(at + length // 2)
            known = file.read(32)
            file.seek(at + length // 2)
            file.write(bytes(byte ^ 0x5A for byte in known))

    return move


@pytest.mark.parametrize("compress", ["jpeg", "zstd"])
@pytest.mark.parametrize("level", [None, 1, 2])
def test_a_damaged_level_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int | None, compress: str
) -> None:
    """The largest one and the smallest; then the raster is written anew instead."""
    monkeypatch.setattr(confine, "limit", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    for folder in ("in", "workshop"):
        (tmp_path / folder).mkdir()
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    noise = np.random.default_rng(1).normal(0, 3, (3, _SIDE, _SIDE))
    pixels = (120 + 60 * np.sin(columns / 80) + 40 * np.cos(rows / 60) + noise).astype(np.uint8)
    source = tmp_path / "in" / "source.tif"
    stored: dict[str, Any] = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": compress}
    stored |= {"photometric": "ycbcr" if compress == "jpeg" else "rgb"}
    with rasterio.open(
        source, "w", driver="GTiff", width=_SIDE, height=_SIDE, count=3, dtype="uint8", **stored
    ) as dataset:
        dataset.write(pixels)
    if level is not None:
        monkeypatch.setattr(cog_levels, "move", _damaged(level))
    job = Job(source, tmp_path / "out.tif", compression="deflate" if compress == "jpeg" else compress)

    report = perform(job, tmp_path / "workshop").report

    assert (report.method == "rewrite") == (level is None)
