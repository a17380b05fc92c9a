"""What the private copies of a group are called, and what makes up its content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core.file_group import content, copy_names, parts
from uploader.core.model import Fingerprint, Sidecar, Sighting

pytestmark = pytest.mark.unit


def fingerprint(size: int) -> Fingerprint:
    """A file of this size."""
    return Fingerprint(1, 2, size, 3, 4)


def test_a_group_is_its_raster_and_then_its_sidecars() -> None:
    """Each with the name it has in its folder, and the one its copy gets."""
    sidecars = (
        Sidecar(b"odd name.tfw", ".tfw", fingerprint(9)),
        Sidecar(b"odd name.tif.aux.xml", ".tif.aux.xml", fingerprint(8)),
    )
    found = parts(Sighting("/d", b"sub/odd name.tif", fingerprint(100), sidecars))

    assert [(one.name, one.copy) for one in found] == [
        (b"odd name.tif", "source.tif"),
        (b"odd name.tfw", "source.tfw"),
        (b"odd name.tif.aux.xml", "source.tif.aux.xml"),
    ]
    assert [one.fingerprint.size for one in found] == [100, 9, 8]
    assert found[0].counts


@pytest.mark.parametrize(
    ("raster", "copy"),
    [
        (b"a.TIF", "source.TIF"),
        (b"a", "source"),
        (b"a.t\xffif", "source.tif"),
        (b"a.what an extension", "source.tif"),
        (b"a.;rm", "source.tif"),
    ],
)
def test_a_copy_has_a_plain_name(raster: bytes, copy: str) -> None:
    """Nothing of a stranger's name reaches GDAL but an extension of letters and digits."""
    assert copy_names(raster, []) == [copy]


def test_a_raster_alone_is_known_by_its_own_hash() -> None:
    """Anybody can compute it."""
    assert content(b"a.tif", [(".tif", "abc")]) == "abc"


@given(st.permutations([(".tfw", "1"), (".prj", "2"), (".aux.xml", "3")]))
def test_the_order_of_sidecars_does_not_count(sidecars: list[tuple[str, str]]) -> None:
    """A folder lists them in any order."""
    ordered = [(".aux.xml", "3"), (".prj", "2"), (".tfw", "1")]

    assert content(b"a.tif", [(".tif", "0"), *sidecars]) == content(b"a.tif", [(".tif", "0"), *ordered])


@pytest.mark.parametrize(
    "other",
    [
        [(".tif", "1"), (".tfw", "1")],
        [(".tif", "0"), (".tfw", "2")],
        [(".tif", "0"), (".wld", "1")],
        [(".tif", "0"), (".tfw", "1"), (".prj", "1")],
        [(".tif", "0")],
    ],
    ids=["raster", "sidecar", "suffix", "one more", "one less"],
)
def test_any_change_is_another_content(other: list[tuple[str, str]]) -> None:
    """Of the raster, of a sidecar, or of what a sidecar is."""
    assert content(b"a.tif", other) != content(b"a.tif", [(".tif", "0"), (".tfw", "1")])


def test_how_an_extension_is_written_makes_no_other_content() -> None:
    """`a.tif` and `a.tiff` with equal bytes are equal, also beside a sidecar."""
    short = content(b"a.tif", [(".tif", "0"), (".tfw", "1")])

    assert short == content(b"a.tiff", [(".tiff", "0"), (".tfw", "1")])
