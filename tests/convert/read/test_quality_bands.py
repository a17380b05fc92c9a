"""Bit masks and quality bands are classes; quantities whose values or names resemble them are not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support import compare
from tests.support.pool import convert
from uploader.convert import Job
from uploader.convert.read.facts import BandFacts, Facts
from uploader.convert.read.quality_bands import is_bit_mask, is_quality
from uploader.convert.tiff import ifd

RANDOM = np.random.default_rng(5)

LANDSAT_8 = (
    *(21824, 21826, 21888, 21890, 21952, 21954, 22018, 22080, 22144, 22146, 22208, 22280, 23826, 23888, 23890, 23952),
    *(24082, 24088, 24144, 24146, 24208, 24216, 24280, 24472, 29986, 30048, 30050, 30112, 30176, 30240, 54534, 54596),
    *(54660, 54724, 54790, 54852, 54918, 54980, 55052, 55116, 55310, 55374, 55500, 56598, 56660, 56854, 56916, 62758),
)  # fmt: skip
"""Values of QA_PIXEL in a scene of collection 2 with cloud, cirrus, snow, shadow and water."""


def facts(*dtypes: str, descriptions: tuple[str, ...] = (), tags: tuple[tuple[str, str], ...] = ()) -> Facts:
    """A raster of these bands."""
    texts = descriptions or ("",) * len(dtypes)
    bands = tuple(
        BandFacts(number, dtype, (8, 100), "gray", 1, description=text)
        for number, (dtype, text) in enumerate(zip(dtypes, texts, strict=True), 1)
    )
    return Facts(driver="GTiff", width=100, height=100, file_bytes=1, bands=bands, tags=tags)


@pytest.mark.unit
@pytest.mark.parametrize(
    "name",
    [
        "LC09_L2SP_193027_20220101_20220113_02_T1_QA_PIXEL.TIF",
        "LC08_L1TP_193027_20200101_20200113_01_T1_BQA.TIF",
        "LE07_L1TP_193027_20010101_20161001_01_T1_pixel_qa.tif",
        "LC09_L2SP_193027_20220101_20220113_02_T1_SR_QA_AEROSOL.TIF",
        "20200101_093456_0f22_3B_AnalyticMS_DN_udm.tif",
        "20200101_093456_0f22_3B_udm2_clip.tif",
        "T32TQM_20200101T101021_SCL_20m.jp2",
        "MSK_CLASSI_B00.jp2",
        "HLS.L30.T32TQM.2021001T101021.v2.0.Fmask.tif",
        "MOD09GA.A2020001.h18v04.061.sur_refl_state_500m.tif",
        "MOD11A1.A2020001.QC_Day.tif",
        "SENTINEL2A_20200101-101021-457_L2A_T32TQM_C_V2-2_CLM_R1.tif",
    ],
)
def test_quality_bands_are_known_by_their_names(name: str) -> None:
    """As providers call them, whatever their values."""
    assert is_quality(facts("uint16"), name)
    assert not is_quality(facts("float32"), name)


@pytest.mark.unit
@pytest.mark.parametrize(
    "name",
    [
        "site12_DEM_QC.tif",
        "ortho_qa_passed.tif",
        "LC09_L2SP_193027_20220101_20220113_02_T1_ST_QA.TIF",
        "MSK_CLDPRB_20m.jp2",
        "LC09_L2SP_193027_20220101_20220113_02_T1_SR_B4.TIF",
        "muscl_run.tif",
        "state_of_forest.tif",
        "udmurtia.tif",
        "20200101_093456_0f22_3B_AnalyticMS.tif",
        "",
    ],
)
def test_names_that_only_resemble_them_are_not(name: str) -> None:
    """What passed a check, kelvins, percents, and words that have the letters in them."""
    assert not is_quality(facts("uint16"), name)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("raster", "expected"),
    [
        (facts("uint16", descriptions=("QA_PIXEL",)), True),
        (facts("uint8", "uint8", descriptions=("MSK_CLASSI_B00 opaque", "msk_clouds cirrus")), True),
        (facts("uint16", "uint16", descriptions=("B4", "QA_PIXEL")), False),
        (facts("uint8", tags=(("flags#flag_meanings", "cloud snow"),)), True),
        (facts("int16", tags=(("flag_masks", "1, 2, 4"),)), True),
        (facts("uint8", "uint8", tags=(("a#flag_masks", "1"),)), False),
        (facts("complex_int16", descriptions=("QA_PIXEL",)), False),
    ],
)
def test_bands_and_attributes_say_it_too(raster: Facts, expected: bool) -> None:
    """All bands have to be called so; attributes speak for one band."""
    assert is_quality(raster, "a.tif") is expected


@pytest.mark.unit
@pytest.mark.parametrize(
    "values",
    [
        LANDSAT_8,
        [
            (a << 14) + (b << 9) + (c << 4) + d
            for a in (0, 1)
            for b in (0, 1, 3)
            for c in (0, 1)
            for d in (0, 2, 3)
        ],
        [1 << bit for bit in range(16)] + [0] + [(1 << bit) | 1 for bit in range(1, 16)],
    ],
)
def test_sets_of_flags_are_told_by_their_bits(values: list[int]) -> None:
    """Values far apart of which many differ in one bit only."""
    assert is_bit_mask(values)


_STEPS = np.arange(48) / 47
QUANTITIES = {
    "heights in metres": range(400, 448),
    "grey levels in 16 bits": [257 * step for step in range(60)],
    "years and months": [10000 * year + 100 * month for year in range(2000, 2004) for month in range(1, 13)],
    "a brightened picture": np.rint(65535 * _STEPS ** (1 / 2.2)).astype(int).tolist(),
    "a darkened picture": np.rint(65535 * _STEPS**2).astype(int).tolist(),
    "equalized": np.rint(np.sort(RANDOM.gamma(2, 8000, 48))).astype(int).tolist(),
    "times a hundred": (100 * RANDOM.choice(600, 48, replace=False)).tolist(),
    "numbers of parcels": RANDOM.choice(10**6, 60, replace=False).tolist(),
    "below zero": [-32768, *range(0, 40000, 1000)],
    "one value": [21824],
    "none": [],
}


@pytest.mark.unit
@pytest.mark.parametrize("name", QUANTITIES)
def test_steps_of_a_quantity_are_no_flags(name: str) -> None:
    """Close together, or far apart without a bit in common."""
    assert not is_bit_mask(list(QUANTITIES[name]))


def patches(values: tuple[int, ...] | list[int], dtype: str, *, side: int = 1200) -> np.ndarray:
    """Areas of these values with ragged borders, as clouds and shadows are."""
    picked = RANDOM.choice(np.array(values), size=(side // 12, side // 12))
    picked.flat[: len(values)] = values
    whole = picked.repeat(12, axis=0).repeat(12, axis=1)
    ragged = RANDOM.random(whole.shape) < 0.2
    return np.where(ragged, np.roll(whole, 5, axis=1), whole).astype(dtype)


def written(path: Path, *bands: np.ndarray) -> Path:
    """A raster of these bands."""
    path.parent.mkdir(parents=True)
    height, width = bands[0].shape
    shape = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": len(bands),
        "dtype": bands[0].dtype.name,
    }
    with rasterio.open(path, "w", **shape) as dataset:
        dataset.write(np.stack(bands))
    return path


def predictors(path: Path) -> set[int]:
    """The predictors of all levels; 1 is none."""
    handle = os.open(path, os.O_RDONLY)
    try:
        head = ifd.read(handle)
        return {head.number(level, 317) if 317 in level.entries else 1 for level in head.directories}
    finally:
        os.close(handle)


MODIS = sorted({int(value) & 0xC7FF for value in RANDOM.integers(0, 1 << 16, 400)})
"""Values of a state of MODIS, which are too many to be told from a quantity by themselves."""

CASES = {
    "unnamed Landsat": ("scene.tif", [patches(LANDSAT_8, "uint16")], True),
    "MODIS state": ("MOD09.state_1km.tif", [patches(MODIS, "uint16")], True),
    "Fmask": ("HLS.L30.Fmask.tif", [patches(range(255), "uint8")], True),
    "UDM2": ("x_3B_udm2.tif", [patches([0, 1], "uint8")] * 7 + [patches(range(101), "uint8")], True),
    "a brightened picture": ("scan.tif", [patches(QUANTITIES["a brightened picture"], "uint16")], False),
    "a checked model": ("DEM_QA.tif", [patches(range(200, 2000), "int16")], False),
}


@pytest.mark.anyio
@pytest.mark.e2e
async def test_their_overviews_make_nothing_up(tmp_path: Path) -> None:
    """Every level of a bit mask has values of the source only, without a predictor; of a quantity there are means."""
    for case, (name, bands, expected) in CASES.items():
        folder = tmp_path / case
        source = written(folder / "in" / "source.tif", *bands)
        report = await convert(Job(source, folder / "out.tif", name=name))

        assert report.categorical is expected, case
        assert compare.differences(source, folder / "out.tif") == [], case
        assert compare.invented(folder / "out.tif") == [] or not expected, case
        assert (predictors(folder / "out.tif") == {1}) is expected, case


@pytest.mark.anyio
@pytest.mark.e2e
async def test_the_choice_of_the_folder_is_always_heard(tmp_path: Path) -> None:
    """What nothing tells apart from a quantity is classes where somebody says so, and the other way round."""
    source = written(tmp_path / "in" / "source.tif", patches(range(5000), "uint16"))
    yes = await convert(Job(source, tmp_path / "yes.tif", categorical="yes"))
    no = await convert(Job(source, tmp_path / "no.tif", categorical="no", name="a_QA_PIXEL.tif"))

    assert (yes.categorical, no.categorical) == (True, False)
    assert compare.invented(tmp_path / "yes.tif") == []
    assert predictors(tmp_path / "yes.tif") == {1}
