"""A small table of made-up rasters of all kinds; `python -m tests.corpus --generated 500` is the long form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests import corpus as command
from tests.judge import heads as reading
from tests.support import generated
from tests.support.heads import table as heads
from tests.support.heads.base import KINDS

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_COUNT, _SEED = 60, 7


async def test_rasters_of_all_kinds_are_exact(tmp_path: Path) -> None:
    """Each becomes an exact COG with exact statistics, or is refused for what GeoTIFF cannot hold."""
    cases, _ = generated.table(_COUNT, _SEED)
    small = [case for case in cases if max(case.width, case.height) < 600]
    outcome = await command.run(command.of_table(small), tmp_path)

    assert outcome.bad() == []
    assert outcome.row()["exact"] > 0.9 * len(small)


async def test_odd_heads_are_kept_named_or_refused(tmp_path: Path) -> None:
    """Each kind of head, once: nothing in it goes without a word."""
    outcome = await command.run(command.of_heads(heads.table(len(KINDS), _SEED)), tmp_path)

    assert outcome.bad() == []


@pytest.mark.unit
def test_the_table_is_the_same_each_time() -> None:
    """The same count and seed give the same rasters; every type and validity that can be is among many."""
    cases, skipped = generated.table(400, 3)

    assert cases == generated.table(400, 3)[0]
    assert cases != generated.table(400, 4)[0]
    assert skipped
    assert {case.validity for case in cases} == set(generated.VALIDITIES)
    assert {case.layout for case in cases} == set(generated.LAYOUTS)
    assert {case.place for case in cases} == set(generated.PLACES)


@pytest.mark.unit
def test_the_table_of_heads_is_the_same_each_time(tmp_path: Path) -> None:
    """The same count and seed give the same bytes, and all kinds are among as many."""
    cases = heads.table(len(KINDS), 3)
    twice = [
        [heads.make(case, tmp_path / str(turn) / str(case.number)).read_bytes() for case in cases]
        for turn in range(2)
    ]

    assert {case.kind for case in cases} == set(KINDS)
    assert cases != heads.table(len(KINDS), 4)
    assert twice[0] == twice[1]


@pytest.mark.unit
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_head_is_a_raster(kind: str, tmp_path: Path) -> None:
    """GDAL reads the samples that were written, and the judge reads the head."""
    case = heads.HeadCase(0, 11, kind, "<", big=False)
    pictures = KINDS[kind](np.random.default_rng(case.seed))
    path = heads.make(case, tmp_path / "made")
    with rasterio.open(path) as dataset:
        pixels = dataset.read().transpose(1, 2, 0)

    assert reading.read(path).base.number(256, 0) == pictures[0].pixels.shape[1]
    if kind not in ("old JPEG", "CIELab", "CMYK"):  # which GDAL shows as RGB
        assert np.array_equal(pixels, pictures[0].pixels, equal_nan=pixels.dtype.kind == "f")
