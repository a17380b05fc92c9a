"""The table of what GDAL reads beside a raster, against itself and against the rule that reads it."""

from __future__ import annotations

import pytest

from uploader.core import naming
from uploader.core.product_table import STEM_TEXTS
from uploader.core.sidecar_table import (
    FORMAT_SIDECARS,
    HEADED,
    HEADER_SIDECARS,
    MIXED_SPELLINGS,
    NAME_SIDECARS,
    RASTER_EXTENSIONS,
    STEM_SIDECARS,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("table", [STEM_SIDECARS, NAME_SIDECARS, HEADER_SIDECARS, *FORMAT_SIDECARS.values()])
def test_suffixes_are_lower_case_and_stand_once(table: tuple[str, ...]) -> None:
    """Other spellings are made by rule."""
    assert list(table) == [suffix.lower() for suffix in table]
    assert len(set(table)) == len(table)
    assert all(suffix[0] in "._" for suffix in table)


@pytest.mark.parametrize("suffix", STEM_SIDECARS)
def test_a_sidecar_of_the_stem_belongs_to_the_raster(suffix: str) -> None:
    """In lower and in upper case."""
    found = {name for name, _ in naming.sidecar_names(b"a.tif")}

    assert {f"a{suffix}".encode(), f"a{suffix.upper()}".encode()} <= found


@pytest.mark.parametrize("suffix", NAME_SIDECARS)
def test_a_sidecar_of_the_whole_name_belongs_to_the_raster(suffix: str) -> None:
    """It is found beside `a.tif` as `a.tif` and its suffix."""
    assert f"a.tif{suffix}".encode() in {name for name, _ in naming.sidecar_names(b"a.tif")}


@pytest.mark.parametrize("spelling", MIXED_SPELLINGS)
def test_a_mixed_spelling_is_one_of_a_known_suffix(spelling: str) -> None:
    """And neither all lower nor all upper case, which are there anyway."""
    assert spelling.lower() in {*STEM_SIDECARS, *NAME_SIDECARS}
    assert spelling not in {spelling.lower(), spelling.upper()}


def test_texts_of_products_are_sidecars_too() -> None:
    """One table is part of the other."""
    assert set(STEM_TEXTS) <= set(STEM_SIDECARS)


def test_a_raster_that_may_have_a_header_is_not_among_those_that_never_have_one() -> None:
    """ENVI's own extensions, and those of files that may be ENVI's, are left out."""
    assert HEADED.isdisjoint({"dat", "bsq", "bil", "bip", "img", ""})
    assert {one.lower() for one in RASTER_EXTENSIONS} - HEADED == {"img", "dat", "bsq", "bil", "bip"}
