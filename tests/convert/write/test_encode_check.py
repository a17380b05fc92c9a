"""What is read back of an encoded file: every square that shows a level anew, whichever thread has its rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from uploader.convert import Job
from uploader.convert.isolation import confine
from uploader.convert.perform import perform
from uploader.convert.pyramid import level_stream
from uploader.convert.tiff import ifd
from uploader.convert.write import encoded_cog

pytestmark = pytest.mark.e2e

_HEIGHT, _WIDTH = 2500, 70
_SHRUNK = level_stream.shrunk


def _wrong_in(row: int) -> Any:
    """Levels whose first one has another pixel where this row of the raster is; no sum tells that."""

    def shrunk(above: Any, *arguments: Any) -> Any:
        samples, masks = _SHRUNK(above, *arguments)
        piece = above.piece
        if above.samples.shape[2] == _WIDTH and piece.row <= row < piece.row + piece.height:
            samples[:, (row - piece.row) // 2, 3] ^= 1
        return samples, masks

    return shrunk


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A raster of five rows of tiles, converted in this process."""
    monkeypatch.setattr(confine, "limit", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    for folder in ("in", "workshop"):
        (tmp_path / folder).mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (1, _HEIGHT, _WIDTH), dtype=np.uint8)
    shape = {"width": _WIDTH, "height": _HEIGHT, "count": 1, "dtype": "uint8"}
    with rasterio.open(tmp_path / "in" / "source.tif", "w", driver="GTiff", **shape) as dataset:
        dataset.write(pixels)
    return tmp_path / "in" / "source.tif"


@pytest.mark.parametrize(("threads", "verify"), [(1, "full"), (3, "full"), (3, "sample")])
@pytest.mark.parametrize("row", [None, 2, _HEIGHT - 3])
@pytest.mark.usefixtures("either_size")
def test_one_wrong_pixel_of_a_level_is_found_in_the_squares(
    source: Path, monkeypatch: pytest.MonkeyPatch, row: int | None, threads: int, verify: Any
) -> None:
    """In the first square and in the last one, and nothing is found where nothing is wrong."""
    monkeypatch.setattr(encoded_cog, "threads_for", lambda _: threads)
    if row is not None:
        monkeypatch.setattr(level_stream, "shrunk", _wrong_in(row))
    workshop = source.parent.parent / "workshop"

    report = perform(Job(source, workshop.parent / "out.tif", verify=verify), workshop).report

    assert report.method == ("encode" if row is None else "cog_driver")


def test_a_level_whose_head_says_another_height_is_found(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all its rows are there: GDAL is shown whole tiles, whose height says nothing of it."""
    complete, done = encoded_cog.head_completion.complete, []

    def shortened(head: ifd.Tiff) -> ifd.Tiff:
        *others, level = head.directories
        height = head.entry(ifd.LONG, [head.number(level, ifd.HEIGHT) - 1])
        shorter = replace(level, entries={**level.entries, ifd.HEIGHT: height})
        return replace(head, directories=(*others, shorter))

    def wrong_once(result: Path, *arguments: Any) -> None:
        complete(result, *arguments)
        if not done:
            ifd.edit(result, shortened)
        done.append(result)

    monkeypatch.setattr(encoded_cog.head_completion, "complete", wrong_once)
    workshop = source.parent.parent / "workshop"

    report = perform(Job(source, workshop.parent / "out.tif"), workshop).report

    assert report.method == "cog_driver"
