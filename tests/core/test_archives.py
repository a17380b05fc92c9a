"""Tests of which files hold others."""

from __future__ import annotations

import pytest

from uploader.core.archives import fault_of, is_archive, kind_of, name_of, twice

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        (b"S2A_MSIL1C.SAFE.zip", True),
        (b"ORDER.TAR", True),
        (b"order.tar.gz", True),
        (b"a.tif", False),
        (b"a.tif.gz", False),
        (b"zip", False),
    ],
)
def test_archives_are_known_by_their_endings(name: bytes, archive: bool) -> None:
    """In either case."""
    assert is_archive(name) is archive


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"S2A.SAFE.ZIP", "zip"),
        (b"a.tar", "tar"),
        (b"a.tar.gz", "tar.gz"),
        (b"a.TGZ", "tar.gz"),
        (b"a.7z", ""),
        (b"a.tif.gz", ""),
    ],
)
def test_few_kinds_are_opened(name: bytes, kind: str) -> None:
    """Others that hold files are told only."""
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a/b.tif", ""),
        ("./a/b..tif", ""),
        ("./", "has no name"),
        ("../a.tif", "has a name that leads out of the archive"),
        ("a\\..\\b.tif", "has a name that leads out of the archive"),
        ("/a.tif", "has an absolute name"),
        ("\\\\server\\a.tif", "has an absolute name"),
        ("c:a.tif", "has an absolute name"),
        ("a\0.tif", "has a NUL in its name"),
        ("a\udcff.tif", "has a name that is not UTF-8"),
    ],
)
def test_what_names_members_must_not_have(name: str, fault: str) -> None:
    """Dots within a name mean nothing."""
    assert fault_of(name) == fault


def test_names_that_are_alike_are_found() -> None:
    """Case aside, and where one is a folder of another; the folder of two files is none."""
    assert twice(["a/b.tif", "a/c.tif", "d.tif"]) == ""
    assert twice(["A/b.tif", "a/B.TIF"]) == "a/B.TIF"
    assert twice(["a/b/c.tif", "A"]) == "a"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/srv/a.tif", "a.tif"),
        ("/srv/order.zip/deep/a.tif", "order.zip/deep/a.tif"),
        ("/srv/order.zip", "order.zip"),
        ("/srv/od\udcffd.tar/a.tif", "od\udcffd.tar/a.tif"),
    ],
)
def test_a_member_is_told_with_its_archive(path: str, name: str) -> None:
    """Two of one name in different folders of it are not mistaken for each other."""
    assert name_of(path) == name
