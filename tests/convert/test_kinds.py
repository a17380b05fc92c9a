"""The kinds of rasters that went wrong, each with siblings, small; `python -m tests.cases` is for the large ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import converted
from tests.judge.rights import problems
from tests.support import level_kinds, sidecar_kinds, suspected
from tests.support.kinds import KINDS

pytestmark = pytest.mark.e2e

MODULES = (level_kinds, sidecar_kinds, suspected)
"""Makers that enter themselves into the register when they are imported."""

_PRODUCTS = [name for name, (make, _) in KINDS.items() if make.__module__ == sidecar_kinds.__name__]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_comes_out_right(kind: str, tmp_path: Path) -> None:
    """As a person converts it: kept, made anew, or what is lost is named."""
    make, checks = KINDS[kind]
    folder = tmp_path / "in"
    folder.mkdir()
    seen = converted(make(folder), tmp_path / "out.tif")

    assert problems(seen, checks) == []


@pytest.mark.parametrize("kind", _PRODUCTS)
def test_gdal_reads_what_lies_beside_a_product(kind: str, tmp_path: Path) -> None:
    """A product that GDAL does not know would show nothing."""
    assert sidecar_kinds.read_by_gdal(KINDS[kind][0](tmp_path))
