"""Which pieces of a raster stand for all of it."""

from __future__ import annotations

from typing import Any

import pytest

from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts
from uploader.convert.read.windows import Piece, scattered

pytestmark = pytest.mark.unit


def raster(width: int, height: int, block: tuple[int, int]) -> Facts:
    """A raster of one band with blocks of so many rows and columns."""
    band = BandFacts(1, "uint8", block, "gray", ALL_VALID)
    return Facts(driver="GTiff", width=width, height=height, file_bytes=1, bands=(band,))


def blocks_of(piece: Piece, block: tuple[int, int]) -> set[Any]:
    """The blocks that a piece touches."""
    rows = range(piece.row // block[0], (piece.row + piece.height - 1) // block[0] + 1)
    columns = range(piece.column // block[1], (piece.column + piece.width - 1) // block[1] + 1)
    return {(row, column) for row in rows for column in columns}


@pytest.mark.parametrize(("width", "height"), [(5986, 5986), (4097, 20000), (9000, 1000)])
def test_a_scattered_piece_with_a_rim_is_one_block(width: int, height: int) -> None:
    """Where there are more blocks than cells, what lies around a piece is in the same block: no other is decoded."""
    facts, block = raster(width, height, (512, 512)), (512, 512)
    found = scattered(facts, rim=20)

    many = {"across": width > 8 * 512, "down": height > 8 * 512}
    for piece in found:
        wide = piece.widened(20, facts)
        touched = blocks_of(wide, block)
        assert len({column for _, column in touched}) == 1 or not many["across"]
        assert len({row for row, _ in touched}) == 1 or not many["down"]
    assert len({(piece.row, piece.column) for piece in found}) == len(found) <= 64


@pytest.mark.parametrize("rim", [0, 20])
@pytest.mark.parametrize(("side", "block"), [(4096, (512, 512)), (900, (256, 256)), (300, (300, 300))])
def test_of_a_small_raster_all_is_looked_at(side: int, block: tuple[int, int], rim: int) -> None:
    """It has no more blocks than cells, so that every pixel is in one piece, rims or not."""
    found = scattered(raster(side, side, block), rim=rim)

    assert sum(piece.width * piece.height for piece in found) == side * side


def test_strips_keep_their_rims() -> None:
    """A strip is narrower than its rim, and would be nothing without it."""
    found = scattered(raster(1000, 5000, (16, 1000)), rim=20)

    assert [piece.height for piece in found] == [16] * 8
