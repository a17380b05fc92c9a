"""Files that pass through as they are: nothing beside them is theirs, and nothing of theirs is lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.configured import watched
from uploader.core.model import Sighting
from uploader.disposal import dispose
from uploader.folders import FolderSpec, look, scan
from uploader.staging import Staging

pytestmark = pytest.mark.unit


def _spec(folder: Path, *passthrough: str, include: tuple[str, ...] = ("*.tif",)) -> FolderSpec:
    return watched(folder, include=include, passthrough=passthrough, recursive=True)


def _seen(spec: FolderSpec) -> dict[bytes, list[bytes]]:
    """By path: the names of the sidecars; what a single look says must be the same."""
    found = {s.path: s for s in scan(spec, threading.Event()) if isinstance(s, Sighting)}
    assert all(look(spec, path) == sighting for path, sighting in found.items())
    return {path: [sidecar.name for sidecar in sighting.sidecars] for path, sighting in found.items()}


def test_a_file_that_passes_has_no_sidecars(tmp_path: Path) -> None:
    """What lies beside it under its stem belongs to the raster that is converted, or to nobody."""
    for name in ("a.tif", "a.gpkg", "a.prj", "raw/b.tif", "raw/b.tfw"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    assert _seen(_spec(tmp_path, "*.gpkg", "raw/*")) == {
        b"a.tif": [b"a.prj"],
        b"a.gpkg": [],
        b"raw/b.tif": [],
        b"raw/b.tfw": [],
    }


def test_a_sidecar_is_never_taken_for_a_raster(tmp_path: Path) -> None:
    """Even where the patterns would have both; a header alone is nobody's."""
    for name in ("a", "a.hdr", "b.img", "b.ige", "b.rrd", "b.img.aux.xml", "c.dat", "c.dat.hdr", "d.hdr"):
        (tmp_path / name).write_bytes(b"x")

    assert _seen(_spec(tmp_path, include=("*",))) == {
        b"a": [b"a.hdr"],
        b"b.img": [b"b.ige", b"b.img.aux.xml", b"b.rrd"],
        b"c.dat": [b"c.dat.hdr"],
        b"d.hdr": [],
    }


def test_it_is_deleted_alone(tmp_path: Path) -> None:
    """A world file that the drop brought along stays, for it was not uploaded."""
    (tmp_path / "b.tif").write_bytes(b"x")
    (tmp_path / "b.tfw").write_bytes(b"y")
    sighting = look(_spec(tmp_path, "*.tif"), b"b.tif")
    assert sighting is not None

    assert dispose("delete", sighting, None, threading.Event()).outcome == "replaced"
    assert dispose("delete", sighting, None, threading.Event(), alone=True).outcome == "deleted"
    assert [path.name for path in tmp_path.iterdir()] == ["b.tfw"]


def test_tiles_of_equal_bytes_are_different_content(tmp_path: Path) -> None:
    """The sea is zero everywhere, but each tile of it has its own place, which only its name tells."""
    drop = tmp_path / "drop"
    drop.mkdir()
    staging, contents = Staging(tmp_path / "staging"), {}
    for number, name in enumerate(("N46E008.hgt", "N46E009.hgt", "n46e009.SRTMGL1.hgt", "a.tif", "b.tif")):
        (drop / name).write_bytes(bytes(100))
        sighting = look(_spec(drop, include=("*",)), name.encode())
        assert sighting is not None
        contents[name] = staging.claim(number, str(drop), replace(sighting), threading.Event()).content

    assert len(set(contents.values())) == 3
    assert contents["a.tif"] == contents["b.tif"]
    assert contents["N46E009.hgt"] == contents["n46e009.SRTMGL1.hgt"]
    assert staging.source(2, b"N46E009.hgt").name == "N46E009.hgt"
