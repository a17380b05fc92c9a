"""Which rasters are encoded by ourselves, and why the others are left to GDAL's driver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from uploader.convert.job import Job
from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, PER_DATASET, BandFacts, Facts
from uploader.convert.tiff import ifd
from uploader.convert.write import method_choice
from uploader.convert.write.encode_rules import left, levels_left

pytestmark = pytest.mark.unit

_JOB = Job(Path("a.tif"), Path("b.tif"))


def facts(*kinds: tuple[str, int], dtype: str = "uint8", **more: Any) -> Facts:
    """A raster of bands by their interpretation and mask flags."""
    bands = tuple(BandFacts(n, dtype, (1, 3000), *kind) for n, kind in enumerate(kinds, 1))
    return replace(Facts("GTiff", 3000, 2000, 1 << 20, bands, pixel_interleaved=True), **more)


def reason(raster: Facts, *, job: Job = _JOB, categorical: bool = False) -> str:
    """Why it is left."""
    options = method_choice.creation_options(
        raster, job.compression, categorical=categorical, gdal=(3, 12), threads=2
    )
    return left(raster, job, options)


GREY = ("gray", ALL_VALID)
SEEN, OPACITY = ("red", PER_DATASET | ALPHA), ("alpha", ALL_VALID)


@pytest.mark.parametrize(
    "raster",
    [
        facts(GREY),
        facts(GREY, dtype="float32"),
        facts(*[("gray", NODATA)] * 4, dtype="uint16"),
        facts(*[("red", PER_DATASET)] * 3),
        facts(SEEN, SEEN, SEEN, OPACITY),
    ],
)
def test_what_is_encoded(raster: Facts) -> None:
    """Quantities of common types, whatever tells which of them are valid."""
    assert reason(raster) == ""


@pytest.mark.parametrize(
    ("raster", "why"),
    [
        (facts(GREY, driver="AAIGrid"), "numbers as text"),
        (facts(GREY, dtype="int64"), "the type"),
        (facts(GREY, dtype="complex64"), "the type"),
        (facts(GREY, white_is_zero=True), "the bits of a sample"),
        (facts(GREY, ("gray", NODATA)), "the mask"),
        (facts(("gray", 0)), "the mask"),
        (facts(("gray", PER_DATASET | NODATA)), "the mask"),
        (facts(SEEN, OPACITY, OPACITY), "the mask"),
        (facts(("gray", NODATA), OPACITY), "the mask"),
        (facts(GREY, width=2_000_000), "a row of tiles"),
        (facts(*[GREY] * 80), "how it is to be stored"),
    ],
)
def test_what_is_left_to_the_driver(raster: Facts, why: str) -> None:
    """Each for its reason."""
    assert reason(raster) == why


def test_blocks_that_are_huge_are_left() -> None:
    """One strip of the whole image would be decoded for each row of tiles."""
    (band,) = facts(GREY).bands

    assert reason(facts(GREY, width=30_000, bands=(replace(band, block=(9000, 30_000)),)))


@pytest.mark.parametrize("job", [replace(_JOB, compression="zstd"), replace(_JOB, effort="balanced")])
def test_what_somebody_wants_otherwise_is_left(job: Job) -> None:
    """Another compression, or a smaller file."""
    assert reason(facts(GREY), job=job)


def test_classes_are_encoded() -> None:
    """Their levels hold the most frequent of what is above them."""
    assert reason(facts(GREY), categorical=True) == ""
    assert reason(facts(GREY, dtype="int64"), categorical=True) == "the type"


def _head(order: str = "<", planar: int = 1, mask: tuple[int, int] | None = None) -> ifd.Tiff:
    """The head of a tiled raster, and of its mask by the side of its tiles and its bits."""
    bare = ifd.Tiff(order, big=False, ghost=b"", directories=())
    image = {ifd.TILE_WIDTH: bare.entry(ifd.SHORT, [256]), ifd.PLANAR: bare.entry(ifd.SHORT, [planar])}
    found = [ifd.Directory(image)]
    if mask:
        side, bits = (bare.entry(ifd.SHORT, [number]) for number in mask)
        found.append(ifd.Directory({ifd.TILE_WIDTH: side, ifd.BITS: bits}))
    return replace(bare, directories=tuple(found))


@pytest.mark.parametrize(
    ("head", "raster", "why"),
    [
        (_head(), facts(GREY), ""),
        (_head(mask=(256, 1)), facts(("gray", PER_DATASET)), ""),
        (_head(planar=2), facts(GREY), ""),
        (_head(planar=2), facts(GREY, GREY), ""),
        (_head(">"), facts(GREY), "the order of its bytes"),
        (_head(mask=(512, 1)), facts(("gray", PER_DATASET)), "tiles of the mask"),
        (_head(mask=(256, 8)), facts(("gray", PER_DATASET)), "bits of the mask"),
        (_head(), facts(("gray", PER_DATASET)), "the mask"),
        (_head(), facts(GREY, dtype="int64"), "the type"),
    ],
)
def test_whose_levels_are_encoded(head: ifd.Tiff, raster: Facts, why: str) -> None:
    """Those of a raster whose own tiles stay, if its tiles are like ours."""
    options = method_choice.creation_options(
        raster, _JOB.compression, categorical=False, gdal=(3, 12), threads=2
    )

    assert levels_left(raster, _JOB, options, head) == why
