"""`uploader convert`: a real conversion, its report, and what stands in its way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from tests.support import formats
from uploader import cli

pytestmark = pytest.mark.unit


@pytest.fixture
def raster(tmp_path) -> Path:
    """A small striped raster whose place is told by a sidecar only."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "odd [name].tif"
    data = np.arange(64 * 64, dtype=np.uint16).reshape(1, 64, 64)
    with rasterio.open(path, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint16") as target:
        target.write(data)
    (folder / "odd [name].tfw").write_text("2\n0\n0\n-2\n1001\n1999\n")
    (folder / "odd [name] other.tfw").write_text("garbage")
    return path


def test_a_raster_becomes_a_cog_with_its_sidecars(raster, tmp_path, capsys):
    """The report has the promised fields, the pixels are the same, the world file was taken along."""
    target = tmp_path / "out.tif"
    assert cli.execute(["convert", str(raster), str(target), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["method"] in {"encode", "cog_driver"}
    assert report["categorical"] is False
    assert report["bands"][0]["min"] == 0
    assert report["bands"][0]["max"] == 64 * 64 - 1
    assert report["bands"][0].keys() >= {"min", "max", "mean", "std"}
    assert all(warning.keys() == {"code", "text"} for warning in report["warnings"])
    with rasterio.open(raster) as before, rasterio.open(target) as after:
        assert np.array_equal(before.read(), after.read())
        assert after.transform == Affine(2, 0, 1000, 0, -2, 2000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.tif"]
    assert sorted(path.name for path in raster.parent.iterdir()) == sorted(
        ["odd [name].tif", "odd [name].tfw", "odd [name] other.tfw"]
    )


def test_what_is_declared_is_told_as_declared(raster, tmp_path, capsys):
    """The options reach the conversion; the report keeps them apart from what the raster says."""
    target, options = tmp_path / "out.tif", ["--crs", "EPSG:25832", "--nodata", "4095"]
    assert cli.execute(["convert", str(raster), str(target), "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["declared"] == {"crs": "EPSG:25832", "nodata": "4095"}
    with rasterio.open(target) as after:
        assert (after.crs.to_epsg(), after.nodata) == (25832, 4095)
    assert cli.execute(["convert", str(raster), str(target), *options]) == 0
    assert "declared, not in the source: crs = EPSG:25832" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--crs", "UTM 32"], "EPSG:25832"),
        (["--nodata", "none"], "-9999"),
        (["--on-missing-crs", "reject"], "no reference system"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(raster, tmp_path, capsys, options, words):
    """With what to write, or why the raster is not taken; nothing is written."""
    assert cli.execute(["convert", str(raster), str(tmp_path / "out.tif"), *options]) in (1, 2)
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out.tif").exists()


def test_people_get_a_table(raster, tmp_path, capsys):
    """Method, sizes and statistics, in that order."""
    assert cli.execute(["convert", str(raster), str(tmp_path / "out.tif")]) == 0
    text = capsys.readouterr().out
    assert "out.tif: " in text
    assert "4095" in text


def test_what_is_no_raster_fails_with_a_reason_and_leaves_nothing(tmp_path, capsys):
    """The reason names the raster, as for a loop over many; neither a result nor a temporary folder stays."""
    source = tmp_path / "page.tif"
    source.write_text("<html>not found</html>")
    assert cli.execute(["convert", str(source), str(tmp_path / "out.tif")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{source}: ")
    assert captured.err.strip().endswith(".")
    assert "Traceback" not in captured.err
    assert [path.name for path in tmp_path.iterdir()] == ["page.tif"]


@pytest.mark.parametrize("target", ["in/odd [name].tif", "nowhere/out.tif", "in/odd [name].tfw/out.tif"])
def test_a_target_that_cannot_be_is_refused(raster, tmp_path, target, capsys):
    """The source is never replaced, and folders are not made by accident."""
    before = raster.read_bytes()
    assert cli.execute(["convert", str(raster), str(tmp_path / target)]) in {1, 2}
    assert capsys.readouterr().err
    assert raster.read_bytes() == before


def test_what_reads_configurations_is_not_loaded_without_one(raster, tmp_path):
    """It takes a quarter of the start; a raster without a configuration is converted as a job is by itself."""
    given = [str(raster), str(tmp_path / "out.tif"), "--json"]
    code = (
        f"import sys; from uploader import cli; assert cli.execute(['convert', *{given!r}]) == 0; "
        "print([name for name in ('pydantic', 'rich.live', 'rasterio', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_limits_come_from_the_named_configuration(raster, tmp_path, capsys):
    """So that what would be rejected can be tried beforehand."""
    config = tmp_path / "config.toml"
    config.write_text("[limits]\nmax_pixels = 100\n")
    assert cli.execute(["convert", str(raster), str(tmp_path / "out.tif"), "-c", str(config)]) == 1
    assert "pixels" in capsys.readouterr().err


def test_a_device_or_pipe_is_never_replaced(raster, tmp_path, capsys):
    """`/dev/null` as the target would otherwise become a file, for everybody on the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert cli.execute(["convert", str(raster), str(pipe)]) == 2
    assert "a file must not replace" in capsys.readouterr().err
    assert pipe.is_fifo()


def test_a_raster_that_broke_off_is_told_as_such(raster, tmp_path, capsys):
    """With the bytes that are missing, instead of what GDAL thinks of its directory."""
    whole = raster.read_bytes()
    raster.write_bytes(whole[: len(whole) // 2])
    assert cli.execute(["convert", str(raster), str(tmp_path / "out.tif")]) == 1
    shown = capsys.readouterr().err
    assert "ends too early" in shown
    assert f"{len(whole) // 2:,} bytes" in shown


def test_a_picture_shows_both_when_asked_for(raster, tmp_path, capsys):
    """It appears whole under its name, is named to people, and nothing else is left."""
    drawn = tmp_path / "pictures" / "look.png"
    drawn.parent.mkdir()
    assert cli.execute(["convert", str(raster), str(tmp_path / "out.tif"), "--preview", str(drawn)]) == 0
    text = capsys.readouterr().out
    assert str(drawn) in text
    assert "GTiff, 64 x 64 pixels, 1 x uint16, no coordinate reference system, 1 file beside it" in text
    assert "/s of pixels" in text
    with rasterio.open(drawn, driver="PNG") as picture:
        assert picture.width > 2 * 64
        assert picture.width <= 2000
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        ["look.png", "out.tif", *(path.name for path in raster.parent.iterdir())]
    )


@pytest.mark.parametrize("where", ["out.tif", "in/odd [name].tif", "nowhere/look.png"])
def test_a_picture_never_replaces_what_matters(raster, tmp_path, where, capsys):
    """Neither the source nor the result; a folder that is not there is said."""
    before = raster.read_bytes()
    arguments = ["convert", str(raster), str(tmp_path / "out.tif"), "--preview", str(tmp_path / where)]
    assert cli.execute(arguments) in {1, 2}
    assert capsys.readouterr().err.strip()
    assert raster.read_bytes() == before


def test_a_tile_keeps_the_place_that_its_name_tells(tmp_path, capsys):
    """An SRTM tile has no other."""
    source = formats.raster("N46E008.hgt", tmp_path)
    assert cli.execute(["convert", str(source), str(tmp_path / "out.tif")]) == 0
    assert "SRTMHGT, 1,201 x 1,201 pixels, 1 x int16, WGS 84" in capsys.readouterr().out
    with rasterio.open(tmp_path / "out.tif") as after:
        assert after.bounds.left == pytest.approx(8 - 1 / 2400)


def test_the_private_copy_is_never_named(tmp_path, capsys):
    """A reason speaks of the file, for nobody but the program knows the copy by its name."""
    source = formats.raster("heights.asc", tmp_path)
    source.write_bytes(source.read_bytes()[:-2000])
    assert cli.execute(["convert", str(source), str(tmp_path / "out.tif")]) == 1
    shown = capsys.readouterr().err
    assert "the file, band 1" in shown
    assert "source.asc" not in shown


@pytest.fixture
def several(raster, tmp_path) -> list[Path]:
    """Two rasters and a text under a raster's name."""
    other = raster.with_name("other.tiff")
    other.write_bytes(raster.read_bytes())
    text = raster.with_name("text.tif")
    text.write_text("no raster")
    return [raster, other, text]


def test_several_rasters_become_cogs_in_a_folder(several, tmp_path, capsys):
    """Each under its stem; what fails is told by name and keeps nobody else."""
    folder = tmp_path / "cogs"
    folder.mkdir()
    assert cli.execute(["convert", *map(str, several), str(folder), "--json"]) == 1
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert {Path(one["source"]).name: Path(one["target"]).name for one in told["converted"]} == {
        "odd [name].tif": "odd [name].tif",
        "other.tiff": "other.tif",
    }
    assert all(one["method"] == "encode" for one in told["converted"])
    ((failed),) = told["failed"]
    assert failed["source"] == str(several[2])
    assert "text.tif: This is not a TIFF" in said.err
    assert sorted(path.name for path in folder.iterdir()) == ["odd [name].tif", "other.tif"]


def test_people_get_a_line_for_each_raster(several, tmp_path, capsys):
    """And how many of all became COGs, where some did not."""
    assert cli.execute(["convert", *map(str, several), str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.partition(":")[0] for line in lines[:2]) == ["odd [name].tif", "other.tif"]
    assert lines[2:] == ["2 of 3 rasters became COGs."]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["in/other.tiff"], "Name a raster and where its COG goes"),
        (["in/other.tiff", "in/text.tif", "new"], "need a folder as DST"),
        (["in/none.tif", "in"], "none.tif does not exist"),
        (["in", "new"], "SRC .*in is a folder"),
        (["in/text.tif", "in"], "is the raster itself"),
        (["in/other.tiff", "other.tif", "in/text.tif", "."], "would both become"),
        (["in/other.tiff", ".", "--preview", "look.png"], "--preview is for one raster"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_converted(several, names, words, capsys):
    """In words, and nothing has appeared."""
    tmp_path = several[0].parents[1]
    (tmp_path / "other.tif").write_bytes(b"")
    with contextlib.chdir(tmp_path):
        assert cli.execute(["convert", *names]) == 2
    assert re.search(words, " ".join(capsys.readouterr().err.split()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "other.tif"]
    assert len(list((tmp_path / "in").iterdir())) == 5
