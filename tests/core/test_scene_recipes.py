"""Tests of the shipped recipes, on lists of names as such products have them."""

from __future__ import annotations

from datetime import UTC

import pytest

from uploader.core.pattern_cost import longest_path
from uploader.core.scene_recipes import RECIPES
from uploader.core.scene_rules import LeftOut, Placement, SceneRules, place

pytestmark = pytest.mark.unit

L2A = "S2A_MSIL2A_20220125T101311_N0400_R022_T33UUP_20220125T124512.SAFE/"
L2A_OLD = "S2B_MSIL2A_20190715T102029_N0213_R065_T32UNB_20190715T133000.SAFE/"
L1C = "S2B_MSIL1C_20230623T103629_N0509_R008_T31UFU_20230623T124019.SAFE/"
COLLECTION = "LC08_L2SP_008059_20191201_20200825_02_T1"


def found(recipe: str, path: str) -> Placement | LeftOut:
    """What a recipe makes of a path."""
    known = RECIPES[recipe]
    return place([SceneRules(known.rules, UTC, known.date_format)], path.encode())


def taken(recipe: str, path: str) -> Placement:
    """The same of a file that it takes."""
    one = found(recipe, path)
    assert isinstance(one, Placement), one
    return one


def granule(product: str, level: str, time: str, inner: str) -> str:
    """A file below the granule of a SAFE tree."""
    tile = product.split("_")[5]
    return f"{product}GRANULE/{level}_{tile}_A034431_{time}/{inner}"


def l2a_files(product: str = L2A) -> list[str]:
    """The rasters of an L2A product, as baseline 04.00 writes them."""
    tile, time = product.split("_")[5], product.split("_")[2]
    bands = {
        "10m": "AOT B02 B03 B04 B08 TCI WVP",
        "20m": "AOT B01 B02 B03 B04 B05 B06 B07 B8A B11 B12 SCL TCI WVP",
        "60m": "AOT B01 B02 B03 B04 B05 B06 B07 B8A B09 B11 B12 SCL TCI WVP",
    }
    images = [
        f"IMG_DATA/R{size}/{tile}_{time}_{band}_{size}.jp2"
        for size, names in bands.items()
        for band in names.split()
    ]
    masks = [f"QI_DATA/MSK_{kind}_B{band}.jp2" for kind in ("DETFOO", "QUALIT") for band in ("01", "8A")]
    masks += [f"QI_DATA/MSK_{kind}_{size}.jp2" for kind in ("CLDPRB", "SNWPRB") for size in ("20m", "60m")]
    masks += ["QI_DATA/MSK_CLASSI_B00.jp2", f"QI_DATA/{tile}_{time}_PVI.jp2"]
    return [granule(product, "L2A", "20220125T101310", inner) for inner in images + masks]


def test_each_band_of_sentinel_2_is_taken_once_at_its_native_resolution() -> None:
    """Of 46 rasters 19: what is there twice or thrice is left by rule, and nothing is forgotten."""
    all_of_them = [found("sentinel-2-l2a", path) for path in l2a_files()]
    assets = [one.asset for one in all_of_them if isinstance(one, Placement)]

    assert " ".join(sorted(assets)) == (
        "AOT B01 B02 B03 B04 B05 B06 B07 B08 B09 B11 B12 B8A MSK_CLASSI MSK_CLDPRB MSK_SNWPRB SCL TCI WVP"
    )
    assert all(one.by_rule for one in all_of_them if isinstance(one, LeftOut))
    assert len({one.item for one in all_of_them if isinstance(one, Placement)}) == 1


@pytest.mark.parametrize(
    ("asset", "categorical"),
    [("R20m/T33UUP_20220125T101311_SCL_20m", "yes"), ("R10m/T33UUP_20220125T101311_B02_10m", "no")],
)
def test_classes_of_sentinel_2_are_classes(asset: str, categorical: str) -> None:
    """And reflectances never, however few values they have."""
    path = granule(L2A, "L2A", "20220125T101310", f"IMG_DATA/{asset}.jp2")

    assert taken("sentinel-2-l2a", path).categorical == categorical


@pytest.mark.parametrize(("product", "baseline", "offset"), [(L2A, "04.00", -1000), (L2A_OLD, "02.13", None)])
def test_baseline_and_offset_of_sentinel_2_are_properties(
    product: str, baseline: str, offset: int | None
) -> None:
    """Since 04.00 a thousand is to be taken away; who mixes both without knowing compares apples and pears."""
    tile, time = product.split("_")[5], product.split("_")[2]
    path = "in/" + granule(product, "L2A", "20190715T102025", f"IMG_DATA/R10m/{tile}_{time}_B04_10m.jp2")
    one = taken("sentinel-2-l2a", path)

    assert one.properties["processing:version"] == baseline
    assert one.properties.get("s2:boa_add_offset") == offset
    assert one.properties["sat:relative_orbit"] == int(product.split("_R")[1][:3])


def test_what_is_processed_anew_is_the_same_scene_in_another_version() -> None:
    """And the other granule of the same datatake another scene."""
    inner = "IMG_DATA/R10m/T33UUP_20220125T101311_B04_10m.jp2"
    newer = L2A.replace("N0400", "N0500").replace("20220125T124512", "20230101T000000")
    first = taken("sentinel-2-l2a", granule(L2A, "L2A", "20220125T101310", inner))
    again = taken("sentinel-2-l2a", granule(newer, "L2A", "20220125T101310", inner))
    other = taken("sentinel-2-l2a", granule(L2A, "L2A", "20220125T101519", inner))

    assert (again.scene, again.version) == (first.scene, "N0500_20230101T000000")
    assert again.version > first.version
    assert other.scene != first.scene


@pytest.mark.parametrize("band", ["B01", "B02", "B8A", "B09", "B10", "B11", "B12", "TCI"])
def test_level_1c_has_all_bands_in_one_folder(band: str) -> None:
    """With the time of sensing as its date."""
    one = taken(
        "sentinel-2-l1c",
        granule(L1C, "L1C", "20230623T103624", f"IMG_DATA/T31UFU_20230623T103629_{band}.jp2"),
    )

    assert one.asset == band
    assert one.when is not None
    assert one.when.properties == {"datetime": "2023-06-23T10:36:29Z"}
    assert one.properties["s2:radio_add_offset"] == -1000


@pytest.mark.parametrize(
    ("path", "asset", "date"),
    [
        ("33/U/UP/2022/1/S2A_33UUP_20220125_0_L2A/B04.tif", "B04", "start_datetime"),
        ("S2B_4QFJ_20210801_1_L2A/SCL.tif", "SCL", "start_datetime"),
        ("S2A_T33UUP_20220125T101606_L2A/B8A.tif", "B8A", "datetime"),
        ("S2A_33UUP_20220125_0_L2A_B04.tif", "B04", "start_datetime"),
    ],
)
def test_cogs_of_public_catalogues(path: str, asset: str, date: str) -> None:
    """One folder a scene, or its name before that of the band."""
    one = taken("sentinel-2-l2a", path)

    assert (one.asset, one.categorical) == (asset, "yes" if asset == "SCL" else "no")
    assert one.when is not None
    assert one.when.properties.get(date)


def test_other_files_of_a_catalogue_are_left_by_rule() -> None:
    """Previews are no data."""
    one = found("sentinel-2-l2a", "S2A_33UUP_20220125_0_L2A/L2A_PVI.tif")

    assert isinstance(one, LeftOut)
    assert one.by_rule


@pytest.mark.parametrize(
    ("name", "asset", "categorical"),
    [
        (f"{COLLECTION}_SR_B4.TIF", "SR_B4", "no"),
        (f"{COLLECTION}_ST_B10.TIF", "ST_B10", "no"),
        (f"{COLLECTION}_ST_EMSD.TIF", "ST_EMSD", "no"),
        (f"{COLLECTION}_QA_PIXEL.TIF", "QA_PIXEL", "yes"),
        (f"{COLLECTION}_QA_RADSAT.TIF", "QA_RADSAT", "yes"),
        (f"{COLLECTION}_SR_QA_AEROSOL.TIF", "SR_QA_AEROSOL", "yes"),
        ("LE07_L1TP_015033_20020714_20200916_02_T1_B6_VCID_1.TIF", "B6_VCID_1", "no"),
        ("LT05_L2SP_040037_19990810_20200907_02_T2_SR_CLOUD_QA.TIF", "SR_CLOUD_QA", "yes"),
        ("LT05_L2SP_040037_19990810_20200907_02_T2_SR_ATMOS_OPACITY.TIF", "SR_ATMOS_OPACITY", "no"),
        (
            "LO08_L1GT_107035_20150311_20200909_02_T2/LO08_L1GT_107035_20150311_20200909_02_T2_B11.TIF",
            "B11",
            "no",
        ),
        ("LC09_L1TP_193024_20240605_20240605_02_RT_VAA.TIF", "VAA", "no"),
        ("LM05_L1TP_040037_19850810_20200907_02_T1_B1.TIF", "B1", "no"),
    ],
)
def test_landsat(name: str, asset: str, categorical: str) -> None:
    """All sensors of the collection, of both levels."""
    one = taken("landsat-c2", name)

    assert (one.asset, one.categorical) == (asset, categorical)
    assert one.properties["landsat:collection_number"] == "02"
    assert one.when is not None
    assert one.when.properties["datetime"] is None


def test_real_time_and_tiers_of_landsat_are_versions_of_one_scene() -> None:
    """Also where the correction changed with it; the later version sorts behind the earlier one."""
    early = taken("landsat-c2", "LC09_L1GT_193024_20240605_20240605_02_RT_B4.TIF")
    late = taken("landsat-c2", "LC09_L1TP_193024_20240605_20240622_02_T1_B4.TIF")

    assert early.scene == late.scene == "LC09_L1_193024_20240605_02"
    assert (early.version, late.version) == ("20240605_RT", "20240622_T1")
    assert early.version < late.version


@pytest.mark.parametrize(
    ("name", "asset", "categorical"),
    [
        ("20230527_205437_23_2483_3B_AnalyticMS_SR_8b.tif", "AnalyticMS_SR_8b", "no"),
        ("20230527_205437_23_2483_3B_AnalyticMS_SR_8b_clip.tif", "AnalyticMS_SR_8b", "no"),
        (
            "20230527_205437_23_2483_3B_AnalyticMS_SR_8b_harmonized_clip.tif",
            "AnalyticMS_SR_8b_harmonized",
            "no",
        ),
        ("order/PSScene/20230527_205437_23_2483_3B_udm2_clip.tif", "udm2", "yes"),
        ("20170623_180038_0f34_3B_AnalyticMS.tif", "AnalyticMS", "no"),
        ("20170623_180038_0f34_3B_AnalyticMS_DN_udm.tif", "AnalyticMS_DN_udm", "yes"),
        ("20230527_205437_23_2483_1B_AnalyticMS_8b.tif", "basic_AnalyticMS_8b", "no"),
        ("20230527_205437_23_2483_1B_udm2.tif", "basic_udm2", "yes"),
        ("20230527_205437_23_2483_3B_Visual_clip_file_format.tif", "Visual", "no"),
    ],
)
def test_planet(name: str, asset: str, categorical: str) -> None:
    """Image and usable data mask under one scene, taken to the second."""
    one = taken("planet-scene", name)

    assert (one.asset, one.categorical) == (asset, categorical)
    assert one.scene in name.rpartition("/")[2]
    assert one.when is not None
    assert one.when.start.second in (37, 38)


@pytest.mark.parametrize(
    ("recipe", "path"),
    [
        ("sentinel-2-l2a", "report.tif"),
        ("sentinel-2-l1c", l2a_files()[0].replace("MSIL2A", "MSIL9A")),
        ("landsat-c2", "LC08_L1TP_169068_20201008_20201016_01_T1_B4.TIF"),
        ("landsat-c2", f"{COLLECTION}_thumb_large.jpeg"),
        ("planet-scene", "composite.tif"),
    ],
)
def test_what_is_no_such_product_fits_no_rule(recipe: str, path: str) -> None:
    """It is told, not left in silence."""
    one = found(recipe, path)

    assert isinstance(one, LeftOut)
    assert not one.by_rule


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_name_keeps_a_recipe_busy(recipe: str) -> None:
    """Each is held against paths at least twice as long as those of its products."""
    assert all(longest_path(rule.pattern) > 280 for rule in RECIPES[recipe].rules)
