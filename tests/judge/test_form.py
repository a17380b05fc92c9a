"""The judge finds what a result must not be like: its tiles, predictors, places and hints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.crs import CRS
from rasterio.transform import from_origin

from tests.judge import form, ghost, heads
from tests.support.tiffwriter import Picture, doubles, longs, shorts, write

pytestmark = pytest.mark.unit


def _result(folder: Path, *pictures: Picture) -> heads.Head:
    return heads.read(write(folder / "result.tif", pictures))


def _pixels(kind: str = "u1", side: int = 64) -> np.ndarray:
    return (np.arange(side * side) % 100).astype(kind).reshape(side, side, 1)


def _checked(head: heads.Head, *, classes: bool = False, method: str = "cog_driver") -> list[str]:
    return [found.text for found in form.checked(head, classes=classes, method=method)]


@pytest.mark.parametrize(
    ("kind", "predictor"),
    [("u1", 2), ("u2", 2), ("i4", 2), ("f4", 3), ("f8", 3), ("u8", 1), ("c8", 1), ("c16", 1)],
)
def test_each_type_has_its_predictor(kind: str, predictor: int, tmp_path: Path) -> None:
    """3 for floats, 2 for whole numbers up to 32 bits, none for the others."""
    wrong = 1 if predictor != 1 else 2
    right = Picture(_pixels(kind), {317: shorts(predictor)}, tile=64, deflate=True)

    assert _checked(_result(tmp_path, right)) == []
    assert (
        _checked(_result(tmp_path, Picture(_pixels(kind), {317: shorts(wrong)}, tile=64, deflate=True))) != []
    )


def test_classes_have_no_predictor(tmp_path: Path) -> None:
    """Nor have palettes; tiles that were taken as they are keep theirs."""
    head = _result(tmp_path, Picture(_pixels(), tile=64, deflate=True, predictor=2))

    assert _checked(head, classes=True) != []
    assert _checked(head, classes=True, method="rewrite") == []


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Picture(_pixels()), "tiles of 0 x 0"),
        (Picture(_pixels(), {323: longs(32)}, tile=64), "tiles of 64 x 32"),
        (Picture(_pixels(), {324: longs(0)}, tile=64), "sparse"),
        (Picture(_pixels(), tile=64, children=[Picture(_pixels(), tile=64)]), "SubIFDs"),
    ],
)
def test_a_wrong_form_is_found(picture: Picture, words: str, tmp_path: Path) -> None:
    """Strips, tiles that are not square, tiles that are not there, directories within."""
    assert any(words in text for text in _checked(_result(tmp_path, picture)))


def test_holes_are_excused_where_the_source_has_them(tmp_path: Path) -> None:
    """Of tiles that were taken as they are, on the same level; what was made has none."""
    base, level = (
        Picture(_pixels(), tile=64),
        Picture(_pixels(side=32), {254: longs(1), 324: longs(0)}, tile=64),
    )
    head = _result(tmp_path, base, level)

    known = form.holes(head)

    assert known == {(32, 32)}
    assert list(form.checked(head, classes=False, method="rewrite", known=known)) == []
    assert list(form.checked(head, classes=False, method="rewrite")) != []
    assert list(form.checked(head, classes=False, method="encode", known=known)) != []


def test_a_place_is_on_the_base_only(tmp_path: Path) -> None:
    """An overview has none of its own."""
    place = {33550: doubles(1, 1, 0), 33922: doubles(0, 0, 0, 1, 1, 0)}
    base, level = Picture(_pixels(), dict(place), tile=64), {254: longs(1)}

    assert _checked(_result(tmp_path, base, Picture(_pixels(side=32), level, tile=64))) == []
    assert _checked(_result(tmp_path, base, Picture(_pixels(side=32), level | place, tile=64))) != []


@pytest.fixture
def cog(tmp_path: Path) -> Path:
    """A COG of GDAL's, with a mask."""
    plain, path = tmp_path / "plain.tif", tmp_path / "cog.tif"
    profile = {"width": 700, "height": 600, "count": 1, "dtype": "uint8", "crs": CRS.from_epsg(32633)}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            plain, "w", driver="GTiff", transform=from_origin(5e5, 5e6, 1, 1), **profile
        ) as dataset,
    ):
        dataset.write(np.random.default_rng(1).integers(0, 255, (1, 600, 700), dtype="u1"))
        dataset.write_mask(np.arange(600 * 700).reshape(600, 700) % 1000 > 300)
    rasterio.shutil.copy(plain, path, driver="COG", blocksize=256, compress="deflate")
    return path


def test_the_hints_of_gdal_are_true(cog: Path) -> None:
    """All five are looked at."""
    with cog.open("rb") as file:
        said = set(ghost.hints(file).items())

    assert set(ghost._CHECKS) <= said
    assert list(ghost.checked(heads.read(cog))) == []


def _tamper(cog: Path, position: int) -> None:
    data = bytearray(cog.read_bytes())
    data[position] ^= 0xFF
    cog.write_bytes(data)


@pytest.mark.parametrize(("by", "hint"), [(-4, "BLOCK_LEADER"), (0, "BLOCK_TRAILER")])
def test_a_hint_about_a_tile_that_is_not_true_is_found(by: int, hint: str, cog: Path) -> None:
    """The size before a tile, and its last bytes behind it."""
    base = heads.read(cog).base
    offset, count = base.numbers(324)[0], base.numbers(325)[0]
    _tamper(cog, offset + by if by else offset + count)

    assert any(hint in found.text for found in ghost.checked(heads.read(cog)))


def test_a_hint_about_order_that_is_not_true_is_found(cog: Path) -> None:
    """Two tiles that are exchanged, a directory at the end, a mask that does not follow."""
    head = heads.read(cog)
    base = head.base
    swapped = heads.Value(4, b"", tuple(reversed(base.numbers(324))))
    shuffled = heads.Directory(base.offset, base.end, base.tags | {324: swapped})
    late = heads.Directory(base.offset, cog.stat().st_size, base.tags)
    found = [
        {
            each.text.split("=")[0].split()[-1]
            for each in ghost.checked(heads.Head(cog, (first, *head.directories[1:])))
        }
        for first in (shuffled, late)
    ]

    assert {"BLOCK_ORDER", "MASK_INTERLEAVED_WITH_IMAGERY"} <= found[0]
    assert found[1] == {"LAYOUT"}
