"""A drop of everything: rasters of many formats with their sidecars, and files that pass through as they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import rasterio

from tests.support import formats, rasters
from tests.support.compare import differences
from tests.support.world import World, world

pytestmark = pytest.mark.e2e

_INCLUDE = ["*.tif", "*.jp2", "*.img", "*.asc", "*.png", "*.hgt", "*.dt1", "*.dat", "*.nc", "*.hdr", "*.prj"]
_PASSTHROUGH = ["*.gpkg", "*.geojson", "*.laz", "raw/*.tif"]
_RASTERS = (
    "photo.jp2",
    "photo.img",
    "photo.dat",
    "photo.png",
    "heights.asc",
    "heights.nc",
    "N46E008.hgt",
    "tile.dt1",
)
_TYPES = {
    ".tif": "image/tiff",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".laz": "application/vnd.laszip",
}


def _dropped(w: World) -> tuple[list[Path], list[Path]]:
    """Fill the drop folder; gives rasters and what passes through."""
    # Each format in a folder of its own, for several of them are called photo.
    made = [rasters.make("rgb_striped", w.drop / "air.tif", size=90)]
    for number, name in enumerate(_RASTERS):
        at = formats.raster(name, w.root / "made" / str(number))
        stem = at.stem if name[0] in "Nt" else f"{at.stem}{number}"
        for member in at.parent.iterdir():
            member.rename(w.drop / member.name.replace(at.stem, stem, 1))
        made.append(w.drop / f"{stem}{at.suffix}")
    (w.drop / "raw").mkdir()
    passed = [
        formats.geopackage(w.drop / "roads.gpkg"),
        formats.geojson(w.drop / "place.GeoJSON"),
        rasters.make("rgb_striped", w.drop / "raw" / "as-it-is.tif", size=40, seed=3),
        w.drop / "points.laz",
    ]
    passed[-1].write_bytes(b"LASF" + bytes(400))
    # A file that passes through has no sidecars, though the name would do.
    (w.drop / "raw" / "as-it-is.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    return made, passed


def _objects(w: World) -> dict[str, tuple[Path, str]]:
    """What is stored: by file name, its bytes and its content type."""
    with closing(sqlite3.connect(w.root / "box" / "sandbox.sqlite")) as database:
        rows = database.execute("SELECT file_name, blob, content_type FROM object").fetchall()
    return {name: (w.root / "box" / "objects" / blob, kind) for name, blob, kind in rows}


def test_a_mixed_drop_becomes_items_of_the_right_kind(tmp_path: Path) -> None:
    """Each raster is an exact COG named like it, each other file is itself; names, types and sidecars are right."""
    folder = {"path": str(tmp_path / "drop"), "project_id": "p-1"}
    folder |= {"include": _INCLUDE, "passthrough": _PASSTHROUGH, "after_upload": "delete"}
    with world(tmp_path, folders=[folder]) as w:
        made, passed = _dropped(w)
        kept = tmp_path / "kept"
        kept.mkdir()
        for path in sorted(p for p in w.drop.rglob("*") if p.is_file()):
            (kept / path.name).write_bytes(path.read_bytes())

        w.until_idle()

        stored = _objects(w)
        by_stem = {name.rpartition("-")[0]: name for name in stored}
        assert len(stored) == len(by_stem) == len(made) + len(passed)
        assert not w.problems()
        for source in made:
            name = by_stem[source.stem]
            blob, kind = stored[name]
            assert (Path(name).suffix, kind) == (".tif", "image/tiff")
            assert not [d for d in differences(kept / source.name, blob) if not _from_prj(d, source)], name
            with rasterio.open(blob) as cog:
                assert cog.crs is not None, name
        for source in passed:
            blob, kind = stored[by_stem[source.stem]]
            assert Path(by_stem[source.stem]).suffix == source.suffix.lower()
            assert kind == _TYPES[source.suffix.lower()]
            assert blob.read_bytes() == (kept / source.name).read_bytes()
        left = {path.name for path in w.drop.rglob("*") if path.is_file()}
        assert left == {"as-it-is.tfw"}


def _from_prj(difference: str, source: Path) -> bool:
    """GDAL does not look for a `.prj` beside a PNG; the program does."""
    return source.suffix == ".png" and difference.startswith("crs: None became EPSG:32633")


def test_what_is_in_it_is_told_where_it_cannot_be_taken(tmp_path: Path) -> None:
    """A file of several rasters is rejected with their list, a warning is in the log, and both in `uploader log`."""
    folder = {"path": str(tmp_path / "drop"), "project_id": "p-1", "include": ["*.tif", "*.nc"]}
    with world(tmp_path, folders=[folder]) as w:
        formats.many(w.drop / "three.nc")
        rasters.make("multi_page", w.drop / "pages.tif", size=64)

        done = w.until_idle(check=1)

        (rejected,) = w.status()["failed"]
        assert "3 rasters" in rejected["reason"]
        assert "Band2" in rejected["reason"]
        assert done.stderr.count("only the first was converted") == 1
        story = w.command("log", "-c", str(w.config), "pages.tif", check=0).stdout
        assert "only the first was" in " ".join(story.split())
