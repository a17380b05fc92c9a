"""`uploader.convert`: a real conversion and its typed report, and what stands in its way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

import uploader
from tests.support.rasters import make
from uploader import cli
from uploader.core.upload_advice import ADVICE, Asker

pytestmark = pytest.mark.unit


@pytest.fixture
def raster(tmp_path) -> Path:
    """A small raster."""
    path = tmp_path / "a.tif"
    make("dem_nodata", path, size=128, seed=1)
    return path


def test_the_report_is_what_the_command_tells(raster, tmp_path, capsys):
    """Typed, and equal but for time and memory; the pixels are those of the source."""
    target = tmp_path / "cog.tif"
    report = uploader.convert(raster, str(target))
    assert cli.execute(["convert", str(raster), str(tmp_path / "other.tif"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    measured = {"seconds", "peak_bytes"}
    assert isinstance(report, uploader.Report)
    mine = json.loads(json.dumps(report.to_json()))
    assert {k: v for k, v in mine.items() if k not in measured} == {
        k: v for k, v in told.items() if k not in measured
    }
    assert report.bands[0].max is not None
    with rasterio.open(raster) as before, rasterio.open(target) as after:
        assert np.array_equal(before.read(), after.read())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "cog.tif", "other.tif"]


def test_what_is_not_converted_names_no_key_that_the_caller_lacks(tmp_path):
    """Where it could be uploaded as it is, the way out says which command does that."""
    page = tmp_path / "a.tif"
    page.write_text("<html>")
    with pytest.raises(uploader.UploaderError, match="markup") as refused:
        uploader.convert(page, tmp_path / "cog.tif")
    assert refused.value.way_out == ADVICE[Asker.COMMAND]


def test_it_works_in_a_thread_and_where_a_loop_runs(raster, tmp_path):
    """As in a notebook; the rights of the results are those of any new file."""
    targets = [tmp_path / "one.tif", tmp_path / "two.tif"]
    with ThreadPoolExecutor(1) as pool:
        pool.submit(uploader.convert, raster, targets[0]).result()

    async def cell() -> None:
        uploader.convert(raster, targets[1])

    asyncio.run(cell())
    (tmp_path / "new").touch()
    assert {target.stat().st_mode for target in targets} == {(tmp_path / "new").stat().st_mode}


def test_what_is_wished_reaches_the_conversion(raster, tmp_path):
    """Classes are classes where somebody says so, and what was declared is told as declared."""
    shape = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    with rasterio.open(raster, "w", driver="GTiff", **shape) as source:
        source.write(np.ones((1, 64, 64), dtype=np.uint8))
    report = uploader.convert(raster, tmp_path / "cog.tif", categorical="yes", crs="EPSG:25832")
    assert report.categorical is True
    assert report.declared == {"crs": "EPSG:25832"}


@pytest.mark.parametrize(
    ("paths", "wishes", "said"),
    [
        (("none.tif", "cog.tif"), {}, "none.tif does not exist"),
        ((".", "cog.tif"), {}, "is a folder"),
        (("a.tif", "a.tif"), {}, "is the raster itself"),
        (("a.tif", "."), {}, "is a folder, a device"),
        (("a.tif", "none/cog.tif"), {}, "There is no folder"),
        (("text.tif", "cog.tif"), {}, "not a TIFF"),
        (("a.tif", "cog.tif"), {"crs": "nowhere"}, "crs"),
        (("a.tif", "cog.tif"), {"nodata": "none"}, "nodata"),
        (("a.tif", "cog.tif"), {"categorical": "perhaps"}, "categorical is one of"),
    ],
)
def test_what_cannot_be_converted_is_told_in_words(raster, monkeypatch, paths, wishes, said):
    """One kind of error for all of it, with a reason and a way out, and nothing is left behind."""
    monkeypatch.chdir(raster.parent)
    Path("text.tif").write_text("no raster")
    content = raster.read_bytes()
    with pytest.raises(uploader.UploaderError) as raised:
        uploader.convert(*paths, **wishes)
    assert said in raised.value.reason
    assert raised.value.way_out
    assert raster.read_bytes() == content
    assert sorted(path.name for path in raster.parent.iterdir()) == ["a.tif", "text.tif"]


def test_an_interrupted_conversion_leaves_nothing(tmp_path):
    """Ctrl-C while it runs: KeyboardInterrupt, and neither a file nor a process is left."""
    source, folder = tmp_path / "large.tif", tmp_path / "out"
    folder.mkdir()
    make("dem_nodata", source, size=6000, seed=1)
    script = f"import uploader; uploader.convert({str(source)!r}, {str(folder / 'cog.tif')!r})"
    home = {**os.environ, "PYTHONPATH": str(Path(uploader.__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, env=home)
    deadline = time.monotonic() + 120
    while not list(folder.rglob("in/*.tif")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, err
    assert list(folder.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("uploader")]
