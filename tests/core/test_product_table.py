"""The table of satellite deliveries against itself."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from uploader.core.product_table import CUT, FAMILIES, READERS, STEM_TEXTS, ProductFamily, Role, over_names

pytestmark = pytest.mark.unit


def groups(template: str) -> set[str]:
    """What a template asks for."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_template_can_be_filled(family: ProductFamily) -> None:
    """It asks only for what the pattern of the rasters finds, or for the whole stem."""
    known = {*family.raster.groupindex, "stem"}

    assert family.kinds
    for kind in family.kinds:
        assert groups(kind.name) | groups(kind.copy) <= known, kind.name
        re.compile(kind.product)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_sidecar_of_a_whole_product_is_one_of_coefficients(family: ProductFamily) -> None:
    """Only those have to be shifted for a tile; and only a raster that can be a tile has them."""
    for kind in family.kinds:
        if kind.whole:
            assert kind.role is Role.RPC
            assert "tile" in family.raster.groupindex


def test_every_reader_is_one_that_gdal_asks() -> None:
    """In the order of the table, which decides who is asked first."""
    used = {family.reader for family in FAMILIES} | {reader for reader in STEM_TEXTS.values() if reader}

    assert used <= set(READERS)
    assert len(set(READERS)) == len(READERS)
    assert set(CUT) <= {"", *READERS}


def test_names_are_compared_as_file_systems_might() -> None:
    """Case does not matter, and a newline is a letter."""
    assert over_names("img_(.+)").fullmatch("IMG_a\nb")


def test_only_what_gdal_reads_gets_another_name() -> None:
    """A copy's name is for its reader; what nobody reads needs none."""
    assert [kind.name for one in FAMILIES for kind in one.kinds if kind.copy and not kind.read] == []
