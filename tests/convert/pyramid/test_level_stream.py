"""Levels that are made of rows as they come, against levels that are made region by region."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from uploader.convert.pyramid import level_stream
from uploader.convert.pyramid.level_stream import LevelStream
from uploader.convert.pyramid.overview_writer import Pyramid, shrunk
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints, sizes
from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, PER_DATASET, BandFacts, Facts
from uploader.convert.read.windows import Piece

pytestmark = pytest.mark.unit

_TILE = 64


def pyramid(width: int, height: int, validity: int, dtype: str) -> Pyramid:
    """Three bands, and an alpha band where that tells what is valid."""
    nodata = 7.0 if validity == NODATA else None
    alpha = bool(validity & ALPHA)
    bands = tuple(BandFacts(n, dtype, (1, width), "undefined", validity, nodata) for n in range(1, 4)) + (
        (BandFacts(4, dtype, (1, width), "alpha", ALL_VALID),) if alpha else ()
    )
    return Pyramid(Facts("GTiff", width, height, 0, bands), _TILE, "mean", {}, nodata)


def pixels(wanted: Pyramid) -> Block:
    """Noise with a hole in it."""
    facts = wanted.facts
    random = np.random.default_rng(facts.width)
    samples = random.integers(0, 200, (facts.count, facts.height, facts.width)).astype(facts.dtypes[0])
    valid = random.random(samples.shape[1:]) < 0.9
    valid[: facts.height // 3, : facts.width // 2] = False
    masks = {band.index: valid for band in facts.bands if not band.mask & ALL_VALID}
    if wanted.nodata is not None:
        samples[:, ~valid] = wanted.nodata
        masks = {n: samples[n - 1] != wanted.nodata for n in masks}
    if wanted.alpha:
        samples[3] = np.where(valid, np.maximum(samples[3], 1), 0)
    return Block(Piece(0, 0, facts.width, facts.height, tuple(range(1, facts.count + 1))), samples, masks)


def in_regions(above: Block, wanted: Pyramid) -> list[Block]:
    """All levels, each at once."""
    found = []
    for width, height in sizes(above.piece.width, above.piece.height, _TILE):
        down, across = Axis(above.piece.height, height), Axis(above.piece.width, width)
        made = shrunk(above, Footprints(down.cover(0, height), across.cover(0, width)), wanted)
        above = Block(replace(above.piece, width=width, height=height), *made)
        found.append(above)
    return found


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("validity", [ALL_VALID, NODATA, PER_DATASET, PER_DATASET | ALPHA])
@pytest.mark.parametrize("size", [(512, 512), (511, 513), (130, 700), (700, 65), (257, 3)])
def test_levels_of_rows_as_they_come(size: tuple[int, int], validity: int, dtype: str) -> None:
    """Whatever the sides and what is valid: in rows of tiles, none left out, and each as of the whole level."""
    wanted = pyramid(*size, validity, dtype)
    whole = pixels(wanted)
    stream, found = LevelStream(wanted), {}
    for row in range(0, size[1], _TILE):
        piece = Piece(0, row, size[0], min(_TILE, size[1] - row), whole.piece.bands)
        for number, rows in stream.add(whole.part(piece)):
            assert rows.piece.row % _TILE == 0
            assert rows.piece.height == min(_TILE, sizes(*size, _TILE)[number][1] - rows.piece.row)
            found.setdefault(number, []).append(rows)

    for number, level in enumerate(in_regions(whole, wanted)):
        made = found[number]
        assert np.array_equal(np.concatenate([rows.samples for rows in made], axis=1), level.samples)
        for index, mask in level.masks.items():
            assert np.array_equal(np.concatenate([rows.masks[index] for rows in made]), mask)


def test_where_all_counts_levels_are_made_in_few_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge of a mask costs the stretch of columns that it is in, not those beside it."""
    wanted = pyramid(512, 512, PER_DATASET, "uint8")
    whole = pixels(wanted)
    shown = np.broadcast_to(np.arange(512) >= 100, (512, 512))
    mixed = []

    def noted(above: Block, *arguments: Any) -> Any:
        if above.masks[1].any() and not above.masks[1].all():
            mixed.append(above.piece.width)
        return shrunk(above, *arguments)

    monkeypatch.setattr(level_stream, "shrunk", noted)
    [*LevelStream(wanted).add(replace(whole, masks=dict.fromkeys(whole.masks, shown)))]

    assert mixed
    assert max(mixed) <= 2 * 32
