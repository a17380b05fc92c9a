"""Tests of what an archive's files are: rasters to take, their sidecars, or nothing to us."""

from __future__ import annotations

import pytest

from tests.support.configured import a_folder
from uploader.core.archive_members import MemberFile, nothing_taken, selected, taken
from uploader.core.archives import ArchiveEntry
from uploader.core.file_group import parts
from uploader.core.model import Fingerprint, Sighting

pytestmark = pytest.mark.unit

ARCHIVE = Sighting("/d", b"in/order.zip", Fingerprint(1, 2, 999, 3, 4))


def chosen(*names: str, **folder: object) -> dict[bytes, list[bytes]]:
    """By path: the names of the files that belong to each raster, its own first."""
    found = found_in(*names, **folder)
    return {each.sighting.path: [part.name for part in parts(each.sighting)] for each in found}


def found_in(*names: str, **folder: object) -> list[MemberFile]:
    """What a folder that opens zips takes of these."""
    section = a_folder("p", **{"include": ("*.tif", "*.zip"), **folder})
    entries = [ArchiveEntry(number, name, 10 + number) for number, name in enumerate(names)]
    return selected(entries, ARCHIVE, takes=section.takes, passes=section.passes)


def test_what_the_patterns_name_is_taken_with_its_sidecars() -> None:
    """From its own folder alone, as in a drop folder."""
    assert chosen("x/a.tif", "x/a.tfw", "a.tfw", "x/a.tif.aux.xml", "readme.txt") == {
        b"in/order.zip/x/a.tif": [b"a.tif", b"a.tfw", b"a.tif.aux.xml"]
    }


def test_a_member_is_sighted_as_its_archive_with_its_own_size() -> None:
    """And its parts are known by their numbers, in the order of the group."""
    (found,) = found_in("b.txt", "a.tfw", "a.tif")
    assert found.numbers == (2, 1)
    assert found.sighting.fingerprint == Fingerprint(1, 2, 12, 3, 4)
    assert found.sighting.sidecars[0].fingerprint == Fingerprint(1, 2, 11, 3, 4)


@pytest.mark.parametrize("name", ["inner.zip", ".hidden/a.tif", "x/._a.tif", "a.tif.part", "a.jp2"])
def test_what_is_hidden_not_named_or_an_archive_itself_is_left(name: str) -> None:
    """Archives in archives are not opened, whatever the patterns say."""
    assert chosen(name) == {}


def test_excluded_and_passed_on_files() -> None:
    """`exclude` holds within archives as well, and what passes through has nothing beside it."""
    found = chosen("a.tif", "a.tfw", "a_preview.tif", exclude=("*_preview.tif",), passthrough=("a.tif",))
    assert found == {b"in/order.zip/a.tif": [b"a.tif"]}


def test_a_pattern_with_a_slash_sees_the_archive_as_a_folder() -> None:
    """The whole path counts, from the drop folder on."""
    found = chosen("R10m/a.tif", "R20m/a.tif", include=("*.zip", "*.zip/R10m/*"))
    assert list(found) == [b"in/order.zip/R10m/a.tif"]


def test_a_sidecar_that_a_pattern_names_is_no_raster_beside_its_own() -> None:
    """Alone it is one."""
    assert list(chosen("a.tif", "a.msk", include=("*.tif", "*.msk", "*.zip"))) == [b"in/order.zip/a.tif"]
    assert list(chosen("a.msk", include=("*.tif", "*.msk", "*.zip"))) == [b"in/order.zip/a.msk"]


def test_what_is_said_of_an_archive_names_patterns_and_archives_in_it() -> None:
    """The patterns of archives themselves are left out; scenes have rules instead."""
    entries = [ArchiveEntry(number, name, 1) for number, name in enumerate(("a.txt", "b.zip", "c.7z"))]

    assert nothing_taken(entries, ("*.tif", "order.zip", "*/*.tif")) == (
        "The archive holds 3 files, and none that is to be taken: no name fits *.tif, */*.tif. "
        "2 archives in it are not opened."
    )
    assert nothing_taken(entries[:1], ()).endswith("no rule of the folder's scenes fits.")
    assert taken(entries[:2], []) == "0 rasters of 2 files; 1 archive in it is not opened"
    assert taken(entries[:1], []) == "0 rasters of 1 file"
