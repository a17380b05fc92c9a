"""Which sidecars belong to a product, what their copies are called, and which of them make up the content."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core import naming, product_files
from uploader.core.file_group import content, copy_names
from uploader.core.product_files import Unread
from uploader.core.product_table import FAMILIES, READERS

pytestmark = pytest.mark.unit

TILE = b"IMG_PHR1A_P_2020_SEN_1-001_R1C2"
MAXAR = b"12FEB12034737-M1BS_R1C2-052798844010_01_P001"
MAXAR_FIRST = MAXAR.replace(b"R1C2", b"R1C1")
LEVEL_2 = b"LC09_L2SP_193027_20220101_20220113_02_T1_SR_B4"
PLANET = b"20200101_093456_0f22_3B_AnalyticMS_SR"


def test_the_table_is_sound() -> None:
    """Every family has a reader that GDAL knows, names of its own, and templates over groups that its pattern has."""
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert family.reader in READERS
        groups = dict.fromkeys(family.raster.groupindex, "x") | {"stem": "x"}
        for kind in family.kinds:
            assert "{" not in kind.name.format_map(groups)
            assert "{" not in kind.copy.format_map(groups)


@pytest.mark.parametrize(
    ("stem", "sidecar", "copy"),
    [
        (TILE, b"DIM_PHR1A_P_2020_SEN_1-001.XML", None),
        (TILE, b"RPC_PHR1A_P_2020_SEN_1-001.xml", None),
        (TILE, b"RPC_PHR1A_P_2020_SEN_1-001_R1C2.XML", None),
        (TILE, b"dim_PHR1A_P_2020_SEN_1-001.xml", None),
        (b"IMAGERY", b"METADATA.DIM", None),
        (b"imagery", b"metadata.dim", None),
        (b"IMG-ALPSMW22-O1B", b"HDR-ALPSMW22-O1B.txt", None),
        (b"IMG-02-ALAV2A-O1B2G_U", b"RPC-ALAV2A-O1B2G_U.txt", None),
        (b"IMG-ALPSMW22-O1B", b"summary.txt", None),
        (MAXAR, b"12FEB12034737-M1BS-052798844010_01_P001.IMD", f"{MAXAR.decode()}.IMD"),
        (MAXAR, b"12FEB12034737-M1BS-052798844010_01_P001.RPB", None),
        (MAXAR_FIRST, b"12FEB12034737-M1BS-052798844010_01_P001.RPB", f"{MAXAR_FIRST.decode()}.RPB"),
        (LEVEL_2, LEVEL_2[:-6] + b"_MTL.txt", f"{LEVEL_2[:-3].decode()}_MTL.txt"),
        (b"LC80330332013097LGN01_BQA", b"LC80330332013097LGN01_MTL.txt", None),
        (b"scene_B4", b"scene_MTL.txt", None),
        (b"po_312012_pan_0000000", b"po_312012_metadata.txt", None),
        (b"po_312012_nir_0000000", b"po_312012_metadata.txt", "po_312012_nir_0000000_metadata.txt"),
        (b"K3_2020_PN", b"K3_2020_PN.txt", None),
        (b"MBT1-e2090563.1A", b"MBT1-e2090563.pass", None),
        (PLANET, b"20200101_093456_0f22_3B_AnalyticMS_metadata.xml", f"{PLANET.decode()}_metadata.xml"),
        (PLANET, b"20200101_093456_0f22_metadata.json", None),
    ],
)
def test_sidecars_are_told_by_the_product(stem: bytes, sidecar: bytes, copy: str | None) -> None:
    """From a raster to its sidecars and back; a copy is named as GDAL looks for it."""
    suffix = naming.sidecar_suffix(stem + b".TIF", sidecar)

    assert suffix == "/" + sidecar.decode()
    assert not naming.owned(stem + b".TIF").isdisjoint(naming.owner_stems(sidecar))
    assert copy_names(stem + b".TIF", [(suffix, 9)]) == [f"{stem.decode()}.TIF", copy or sidecar.decode()]


@pytest.mark.parametrize(
    ("raster", "other"),
    [
        (TILE + b".TIF", b"DIM_PHR1A_P_2020_SEN_1-002.XML"),
        (TILE + b".TIF", b"RPC_PHR1A_P_2020_SEN_1-001_R1C1.XML"),
        (b"a.tif", b"METADATA.DIM"),
        (b"a.tif", b"summary.txt"),
        (b"a.tif", b"a.txt"),
        (b"K3_a.tif", b"K3_b.txt"),
        (b"scene_B4.TIF", b"scene2_MTL.txt"),
        (b"house_big.tif", b"house_MTL.txt"),
        (LEVEL_2 + b".TIF", b"LC09_L2SP_193027_20220101_20220113_02_T2_MTL.txt"),
    ],
)
def test_sidecars_of_other_products_are_strangers(raster: bytes, other: bytes) -> None:
    """Only what is named after the very product belongs to its rasters."""
    assert naming.sidecar_suffix(raster, other) is None


_NAMES = st.binary(min_size=1, max_size=60).filter(lambda b: b"/" not in b and b"\0" not in b)
_OF_PRODUCTS = st.tuples(
    st.sampled_from([b"IMG_", b"IMG-", b"IMG-01-", b"K3_", b"po_1_rgb_", b"", b"MSC_"]),
    _NAMES,
    st.sampled_from([b"_R1C1", b"_R2C7", b"_B4", b"_BQA", b"_R1C2-x", b".1A", b""]),
).map(b"".join)


@given(_OF_PRODUCTS, st.sampled_from([b".TIF", b".jp2"]))
def test_the_ways_from_raster_to_sidecar_and_back_agree(stem: bytes, extension: bytes) -> None:
    """Whatever bytes a product's name has, a look by name and a scan of the folder see the same group."""
    for name, suffix in naming.sidecar_names(stem + extension):
        assert naming.sidecar_suffix(stem + extension, name) == suffix
        assert not naming.owned(stem + extension).isdisjoint(naming.owner_stems(name))


@given(_OF_PRODUCTS, st.sampled_from([b".TIF", b".jp2", b".a b", b""]))
def test_names_of_copies_are_safe_and_differ(stem: bytes, extension: bytes) -> None:
    """No name from outside is a path, an option, a hidden file or a wildcard, and no copy takes another one's place."""
    raster = stem + extension
    copies = copy_names(raster, [(suffix, 9) for _, suffix in naming.sidecar_names(raster)])

    for found in product_files.of_raster(stem):
        assert re.fullmatch(r"[A-Za-z0-9_+=@][A-Za-z0-9._+=@-]*", found.copy), found
    assert len(set(copies)) == len(copies)
    assert re.fullmatch(r"[A-Za-z0-9_+=@][A-Za-z0-9._+=@-]*", copies[0])
    assert len(copies[0]) <= naming.NAME_BYTES


def test_a_name_too_long_to_be_kept_is_not_kept() -> None:
    """Then GDAL finds no sidecars, which is named, instead of a copy that cannot be made."""
    raster = b"IMG_" + b"x" * 230 + b"_R1C1.TIF"

    assert copy_names(raster, [])[0] == "source.TIF"


def test_a_sidecar_too_long_for_gdal_is_kept_from_it() -> None:
    """Its readers take four times as long for twice as many words; what they do not see is named."""
    given = [
        ("/DIM_X.XML", product_files.MOST_BYTES + 1),
        (".IMD", product_files.MOST_BYTES + 1),
        (".tfw", 1 << 30),
    ]

    copies = copy_names(b"IMG_X_R1C1.TIF", given)

    assert copies[1:] == ["unread-DIM_X.XML", "unread-IMG_X_R1C1.IMD", "IMG_X_R1C1.tfw"]
    told = product_files.unread("IMG_X_R1C1", copies[1:], "", metadata=False, rpc=False)
    assert told == Unread(("DIM_X.XML", "IMG_X_R1C1.IMD"))


COUNTING = [
    (TILE, ["/RPC_{p}.XML"], ["/RPC_{p}.XML"]),
    (TILE, ["/DIM_{p}.XML"], []),
    (TILE, ["/DIM_{p}.XML", "/RPC_{p}.XML"], ["/DIM_{p}.XML", "/RPC_{p}.XML"]),
    (LEVEL_2, ["/LC09_L2SP_193027_20220101_20220113_02_T1_MTL.txt", ".tfw"], [".tfw"]),
    (MAXAR, ["/12FEB12034737-M1BS-052798844010_01_P001.RPB"], []),
    (MAXAR_FIRST, ["/12FEB12034737-M1BS-052798844010_01_P001.RPB"], [...]),
    (MAXAR_FIRST, ["/12FEB12034737-M1BS-052798844010_01_P001.IMD"], []),
    (b"IMG-A-O1B", ["/HDR-A-O1B.txt", "/summary.txt"], []),
    (b"IMG-A-O1B", ["/HDR-A-O1B.txt", "/RPC-A-O1B.txt"], [...]),
    (b"IMAGERY", ["/METADATA.DIM"], []),
    (b"a", [".IMD", ".pvl", "_metadata.txt", "_metadata.xml", ".RPB", "_rpc.txt"], [".RPB", "_rpc.txt"]),
    (b"a", ["/of another time"], []),
]


@pytest.mark.parametrize(("stem", "beside", "expected"), COUNTING)
def test_what_bears_place_or_coefficients_counts(
    stem: bytes, beside: list[str], expected: list[object]
) -> None:
    """Metadata in words counts only where GDAL moves or finds the coefficients by it."""
    filled = [text.format(p="PHR1A_P_2020_SEN_1-001") for text in beside]
    wanted = filled if expected == [...] else [str(t).format(p="PHR1A_P_2020_SEN_1-001") for t in expected]

    assert product_files.counting(stem, filled) == frozenset(wanted)


def test_the_content_of_a_raster_of_a_product_is_its_own() -> None:
    """Its name is kept for its copy, but is no part of its content."""
    assert content(TILE + b".TIF", [(".TIF", "abc")]) == "abc"


@pytest.mark.parametrize(
    ("stem", "beside", "reported", "metadata", "rpc", "expected"),
    [
        ("source", ["source.tfw"], "", False, False, Unread()),
        ("source", ["source.IMD"], "DG", True, False, Unread()),
        ("source", ["source.IMD"], "", False, False, Unread(("source.IMD",))),
        (
            "source",
            ["source.IMD", "source_metadata.txt"],
            "DG",
            True,
            False,
            Unread(("source_metadata.txt",)),
        ),
        ("source", ["source.IMD", "source_metadata.txt"], "", True, False, Unread(("source_metadata.txt",))),
        ("source", ["source_metadata.xml"], "RE", True, False, Unread(("source_metadata.xml",))),
        ("source", ["source.dim"], "", False, False, Unread(("source.dim",))),
        ("IMG_X_R1C2", ["DIM_X.XML", "RPC_X.XML"], "DIMAP", True, True, Unread()),
        ("IMG_X_R1C2", ["DIM_X.XML", "RPC_X.XML"], "", False, False, Unread(("DIM_X.XML", "RPC_X.XML"))),
        ("X_B4", ["X_MTL.txt", "unread-X_mtl.txt"], "", True, False, Unread(("X_mtl.txt",))),
        ("A_R1C2-b", ["A-b.RPB", "A-b.TIL"], "", False, False, Unread(("A-b.TIL",), ("A-b.RPB",))),
    ],
)
def test_what_gdal_did_not_report_is_named(  # noqa: PLR0917 - a table
    stem: str, beside: list[str], reported: str, metadata: bool, rpc: bool, expected: Unread
) -> None:
    """One reader is heard, the first in GDAL's order; what others would say, or it says nothing of, is lost."""
    assert product_files.unread(stem, beside, reported, metadata=metadata, rpc=rpc) == expected
