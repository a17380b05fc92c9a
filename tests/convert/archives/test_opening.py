"""Tests of archives in the child: what is in them, and what becomes of those that mean harm."""

from __future__ import annotations

import gzip
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import archives
from uploader.convert import Converter
from uploader.convert.archive_job import ArchiveJob
from uploader.convert.archives.opening import listed, unpacked
from uploader.core.errors import LocalError, NoSpace, RasterRefused, RasterUnreadable

pytestmark = pytest.mark.unit

FILES = {"x/a.tif": b"one" * 500, "x/a.tfw": b"two", "b c.tif": b"", "ä/é.tif": b"four"}
MAKERS = {
    "zip": archives.zipped,
    "tar": archives.tarred,
    "tar.gz": lambda files: gzip.compress(archives.tarred(files)),
}


def job(folder: Path, data: bytes, kind: str, **more: object) -> ArchiveJob:
    """An archive in a folder of its own, as it lies in staging."""
    folder.mkdir(exist_ok=True)
    (folder / "source").write_bytes(data)
    return ArchiveJob(folder / "source", kind, memory_limit=4 << 30, timeout_seconds=60.0, **more)


def files_below(folder: Path) -> list[str]:
    """All files, wherever they lie in it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", MAKERS)
def test_files_are_listed_and_written_under_names_of_ours(kind: str, tmp_path: Path) -> None:
    """Those that are wanted, whole, and no others; their own names are never names of files."""
    target = tmp_path / "out"
    target.mkdir()
    data = MAKERS[kind](FILES)
    found = listed(job(tmp_path / "in", data, kind))
    assert {(entry.name, entry.size) for entry in found} == {
        (name, len(text)) for name, text in FILES.items()
    }

    wanted = {entry.number: [f"{entry.number}/source.tif"] for entry in found if entry.name.endswith("a.tif")}
    assert unpacked(job(tmp_path / "in", data, kind, target=target, wanted=wanted, room=2000)) == 1500
    assert [(path.name, path.read_bytes()) for path in target.rglob("*") if path.is_file()] == [
        ("source.tif", FILES["x/a.tif"])
    ]


@pytest.mark.parametrize("kind", MAKERS)
def test_what_belongs_to_several_rasters_is_written_for_each(kind: str, tmp_path: Path) -> None:
    """As the metadata of a product whose bands are files: also where an archive can be read only forward."""
    target, data = tmp_path / "out", MAKERS[kind](FILES)
    target.mkdir()
    (number,) = (
        entry.number for entry in listed(job(tmp_path / "in", data, kind)) if entry.name == "x/a.tif"
    )
    asked = job(
        tmp_path / "in", data, kind, target=target, wanted={number: ["0/MTL", "1/MTL", "2/MTL"]}, room=4500
    )

    assert unpacked(asked) == 4500
    assert [(target / place / "MTL").read_bytes() for place in "012"] == [FILES["x/a.tif"]] * 3
    for place in "012":
        (target / place / "MTL").unlink()
    with pytest.raises(NoSpace):
        unpacked(replace(asked, room=4499))


def test_names_of_usual_tools_are_plain(tmp_path: Path) -> None:
    """A tar of `.` has dots before its names, and folders are entries that hold nothing."""
    data = archives.tarred({"./a//b.tif": b"x"})
    assert [entry.name for entry in listed(job(tmp_path, data, "tar"))] == ["a/b.tif"]

    zipped = tmp_path / "tree.zip"
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "a.tif").write_bytes(b"x")
    archives.zip_tree(zipped, tmp_path / "tree")
    assert [
        entry.name for entry in listed(ArchiveJob(zipped, "zip", memory_limit=4 << 30, timeout_seconds=60.0))
    ] == ["deep/a.tif"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_all_methods_of_zip_that_python_has_are_read(method: int, tmp_path: Path) -> None:
    """Not only the usual one."""
    data = archives.zipped(FILES, method=method)
    (tmp_path / "out").mkdir()
    wanted = {0: ["0/source.tif"]}
    asked = job(tmp_path / "in", data, "zip", target=tmp_path / "out", wanted=wanted, room=2000)
    assert unpacked(asked) == 1500


def test_what_does_not_fit_is_told_as_room(tmp_path: Path) -> None:
    """What comes out is counted, and nobody is to blame."""
    (tmp_path / "out").mkdir()
    asked = job(
        tmp_path / "in", archives.zipped(FILES), "zip",
        target=tmp_path / "out", wanted={0: ["0/source.tif"]}, room=1499,
    )  # fmt: skip
    with pytest.raises(NoSpace, match="no room"):
        unpacked(asked)


def test_an_archive_that_became_another_one_is_not_believed(tmp_path: Path) -> None:
    """A number that nobody has is not passed over in silence."""
    (tmp_path / "out").mkdir()
    asked = job(
        tmp_path / "in", archives.zipped(FILES), "zip", target=tmp_path / "out", wanted={77: ["0/a"]}, room=9
    )
    with pytest.raises(RasterUnreadable):
        unpacked(asked)


ATTACKS = [
    (kind, name, build, words)
    for kind, family in (
        ("zip", archives.ZIPS),
        ("tar", archives.TARS),
        ("tar.gz", archives.COMPRESSED_TARS),
    )
    for name, (build, words) in family.items()
]


@pytest.mark.anyio
@pytest.mark.e2e
async def test_each_attack_is_refused_in_words_and_leaves_nothing_outside(tmp_path: Path) -> None:
    """In the confined child, as the daemon opens them: listed, and where the list shows nothing, unpacked."""
    told, wrong = dict[str, str](), dict[str, str]()
    target = tmp_path / "out"
    target.mkdir()
    async with Converter(1) as converts:
        for kind, name, build, _ in ATTACKS:
            asked = job(tmp_path / "in", build(), kind)
            whole = replace(asked, target=target, wanted={0: ["0/source.tif"]}, room=1 << 20)
            try:
                await converts.list_archive(asked)
                await converts.unpack(whole)
                told[f"{kind}: {name}"] = "nothing"
            except LocalError as error:
                told[f"{kind}: {name}"] = str(error)
                if not isinstance(error, RasterRefused | RasterUnreadable) or not error.way_out:
                    wrong[f"{kind}: {name}"] = repr(error)
            (target / "0" / "source.tif").unlink(missing_ok=True)
    assert wrong == {}
    said = {f"{kind}: {name}": words for kind, name, _, words in ATTACKS}
    assert {attack: told[attack] for attack, words in said.items() if words not in told[attack]} == {}
    assert files_below(tmp_path) == ["in/source"]
