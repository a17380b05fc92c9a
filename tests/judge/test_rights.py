"""The checks of what is right can fail, and let pass what is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rasterio.crs import CRS

from tests.judge import rights
from tests.judge.refusals import known
from tests.judge.rights import RIGHTS, Check, Seen
from tests.support import systems
from tests.support.kinds import KINDS
from tests.support.tiffwriter import Picture, doubles, longs, shorts, text, write

pytestmark = pytest.mark.unit

_PIXELS = np.zeros((64, 64, 1), np.uint8)
_RPC = (0.5, 0.25, 3754.0, 4000.0, 26.80851366, 55.1, 10.0, 3755.0, 4001.0, 0.07, 0.08, 500.0)


def _found(
    check: Check, folder: Path, *pictures: Picture, warnings: tuple[tuple[str, str], ...] = ()
) -> list[str]:
    path = write(folder / "result.tif", pictures)
    return list(check(Seen(path, path, warnings), path))


def test_every_level_must_have_a_tag(tmp_path: Path) -> None:
    """One level without it is enough to fail."""
    base = Picture(_PIXELS, {338: shorts(1)})
    level = {254: longs(1)}
    check = rights.tag(338, 1)

    assert _found(check, tmp_path, base, Picture(_PIXELS, level | {338: shorts(1)})) == []
    assert len(_found(check, tmp_path, base, Picture(_PIXELS, level | {338: shorts(2)}))) == 1


@pytest.mark.parametrize(("code", "right"), [(25833, True), (25832, False)])
def test_the_system_must_be_the_one(code: int, *, right: bool, tmp_path: Path) -> None:
    """Another zone is another system."""
    place = {33550: doubles(1, 1, 0), 33922: doubles(0, 0, 0, 4e5, 5e6, 0)}
    keys = {34735: shorts(1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, code)}
    assert (_found(rights.system("EPSG:25833"), tmp_path, Picture(_PIXELS, place | keys)) == []) == right


def test_all_coefficients_must_be_there(tmp_path: Path) -> None:
    """With the values of the text."""
    check = rights.rpc(line_off=3754.0, lat_off=26.80851366)
    right = (*_RPC, *([1.0] + [0.0] * 19) * 4)

    assert _found(check, tmp_path, Picture(_PIXELS, {50844: doubles(*right)})) == []
    assert _found(check, tmp_path, Picture(_PIXELS, {50844: doubles(0.5, 0.25, 3755.0, *right[3:])})) != []
    assert _found(check, tmp_path, Picture(_PIXELS)) != []


def test_a_text_is_kept_or_its_loss_is_named(tmp_path: Path) -> None:
    """In either encoding."""
    check = RIGHTS["text-latin1"][0]
    kept = {42112: text("<GDALMetadata><Item>Höhen</Item></GDALMetadata>".encode())}

    assert _found(check, tmp_path, Picture(_PIXELS, kept)) == []
    assert _found(check, tmp_path, Picture(_PIXELS)) != []
    assert (
        _found(
            check, tmp_path, Picture(_PIXELS), warnings=(("tag_lost", "The description of band 1 is lost."),)
        )
        == []
    )


def test_a_sidecar_that_cannot_be_read_needs_a_warning(tmp_path: Path) -> None:
    """Silence is not right."""
    check = RIGHTS["aux-cut-off"][0]
    assert _found(check, tmp_path, Picture(_PIXELS)) != []
    assert (
        _found(check, tmp_path, Picture(_PIXELS), warnings=(("aux_unreadable", "It cannot be read."),)) == []
    )


def test_a_refusal_is_not_right(tmp_path: Path) -> None:
    """All kinds can be taken."""
    assert rights.problems(Seen(tmp_path, None, reason="no"), ()) == ["refused: no"]


def test_the_suite_has_three_of_each_kind_that_goes_wrong() -> None:
    """The example of each is large; siblings are small."""
    assert len(KINDS) >= 2 * len(RIGHTS)


def test_two_spellings_are_one_system() -> None:
    """ESRI's text, a PROJ string and a code; but another datum is another system, and a placeholder is none."""
    code = CRS.from_epsg(25832)
    assert systems.same(code, CRS.from_wkt(code.to_wkt(version="WKT1_ESRI"), morph_from_esri_dialect=True))
    assert not systems.same(code, CRS.from_epsg(32632))
    assert not systems.same(code, None)
    assert systems.same(CRS.from_wkt('LOCAL_CS["unnamed",UNIT["metre",1]]'), None)


def test_a_refusal_that_is_not_listed_is_new() -> None:
    """By name, or by what GeoTIFF has no place for."""
    assert known("../corpus/gdal/autotest/gcore/data/unknown_compression.tif", "whatever")
    assert known("x.tif", "Its bands have different nodata values (1, 2), and a GeoTIFF has one for all.")
    assert not known("x.tif", "It cannot be kept exact: the unit of band 1.")
