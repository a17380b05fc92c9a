"""`uploader push` against the local platform: once, again, more of it, and after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

import uploader
from tests.support import archives
from uploader.sandbox import Fault, Options, Sandbox

pytestmark = pytest.mark.e2e


def write(path: Path, seed: int, size: int = 64) -> Path:
    """A small raster of its own content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).integers(0, 250, (1, size, size), dtype=np.uint8)
    place = rasterio.Affine(1, 0, 500, 0, -1, 500)
    shape = {"width": size, "height": size, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32755", transform=place, **shape) as target:
        target.write(data)
    return path


@pytest.fixture
def box(tmp_path):
    """A running local platform."""
    with Sandbox(Options(root=tmp_path / "platform")) as running:
        yield running


@pytest.fixture
def push(box, tmp_path):
    """Run `uploader push --json`, or start it; gives exit code and result."""
    environment = {
        **os.environ,
        "GEOPERA_API_KEY": box.api_key,
        "GEOPERA_BASE_URL": box.base_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "none"),
        "PYTHONPATH": str(Path(uploader.__file__).parents[1]),
    }

    def run(*paths: Path, wait: bool = True, project: str = "p-1"):
        command = [sys.executable, "-m", "uploader", "push", *map(str, paths), "--project", project, "--json"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=tmp_path, text=True
        )
        if not wait:
            return process
        out, err = process.communicate(timeout=60)
        assert out, err
        return process.returncode, json.loads(out)

    return run


def test_what_is_an_item_stays_one(push, box, tmp_path):
    """Named again, with more beside it, after its neighbours are gone: nothing is uploaded twice."""
    a, b, c = (write(tmp_path / "in" / name, n) for n, name in enumerate(("a.tif", "sub/b.tif", "[c].tif")))
    code, first = push(a, b)
    assert (code, first["files"], len(first["items"])) == (0, 2, 2)
    assert all(item["id"] for item in first["items"])
    code, second = push(tmp_path / "in")
    assert (code, second["files"], len(second["items"])) == (0, 3, 3)
    assert {item["id"] for item in first["items"]} < {item["id"] for item in second["items"]}
    a.unlink()
    b.unlink()
    code, third = push(c)
    assert (code, third["files"]) == (0, 1)
    assert box.state()["items"] == 3


def test_a_refused_file_is_told_and_the_others_go(push, box, tmp_path):
    """Exit 1, with the reason; the limits are those of the configuration that lies there."""
    good, bad = write(tmp_path / "good.tif", 1), write(tmp_path / "bad.tif", 2, size=200)
    (tmp_path / "config.toml").write_text("[limits]\nmax_pixels = 10_000\n")
    code, result = push(good, bad)
    assert code == 1
    assert [Path(item["path"]).name for item in result["items"]] == ["good.tif"]
    assert [Path(entry["path"]).name for entry in result["failed"]] == ["bad.tif"]
    assert result["failed"][0]["reason"]
    assert box.state()["items"] == 1


def test_an_archive_is_opened_and_one_without_rasters_is_told(push, box, tmp_path):
    """Its rasters are the files that are counted; said again, nothing is uploaded twice."""
    for number, name in enumerate(("a.tif", "deep/b.tif")):
        write(tmp_path / "tree" / name, number)
    (tmp_path / "tree" / "notes.txt").write_text("no raster")
    archives.zip_tree(tmp_path / "order.zip", tmp_path / "tree")
    (tmp_path / "none.zip").write_bytes(archives.zipped({"notes.txt": b"x", "more.zip": b"x"}))

    code, told = push(tmp_path / "order.zip", tmp_path / "none.zip")
    again = push(tmp_path / "order.zip")

    assert code == 1
    assert {item["path"] for item in told["items"]} == {
        str(tmp_path / "order.zip" / name) for name in ("a.tif", "deep/b.tif")
    }
    (failed,) = told["failed"]
    assert failed["path"] == str(tmp_path / "none.zip")
    assert "no name fits */*.tif, */*.tiff." in failed["reason"]
    assert "1 archive in it is not opened" in failed["reason"]
    assert (again[0], again[1]["files"], len(again[1]["items"])) == (0, 2, 2)
    assert box.state()["items"] == 2


def test_an_unknown_project_is_told_in_words(push, tmp_path):
    """It does not wait for somebody to mend it, and says what to mend."""
    code, result = push(write(tmp_path / "a.tif", 1), project="nobodys")
    assert code == 1
    assert "project_id" in result["holds"][0]["way_out"]


def test_a_killed_push_goes_on_where_it_was(push, box, tmp_path):
    """Killed once anything is stored; the second run makes each raster exactly one item."""
    for number in range(6):
        write(tmp_path / "in" / f"{number}.tif", number, size=300)
    process = push(tmp_path / "in", wait=False)
    deadline = time.monotonic() + 120
    while box.state()["objects"] == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert box.state()["objects"] > 0
    code, result = push(tmp_path / "in")
    assert (code, len(result["items"])) == (0, 6)
    assert box.state()["items"] == 6


def test_a_refused_file_is_tried_again_when_it_is_named_again(push, box, tmp_path):
    """Its reason may be gone, as here: the limit was raised."""
    raster, config = write(tmp_path / "a.tif", 1, size=200), tmp_path / "config.toml"
    config.write_text("[limits]\nmax_pixels = 10_000\n")
    assert push(raster)[1]["rejected"] == 1
    config.unlink()
    code, result = push(raster)
    assert (code, result["rejected"], len(result["items"])) == (0, 0, 1)
    assert box.state()["items"] == 1


def test_names_that_are_no_text_are_pushed_and_tried_again(push, tmp_path):
    """Also below a folder with such a name, and again once a rejected one was mended."""
    shoot = tmp_path / "shoot"
    write(tmp_path / "made.tif", 1)
    below = shoot / os.fsdecode(b"\xe9t\xe9")
    below.mkdir(parents=True)
    (tmp_path / "made.tif").rename(below / os.fsdecode(b"\xe9.tif"))
    broken = below / os.fsdecode(b"\xe8.tif")
    broken.write_text("no raster")
    code, first = push(shoot)
    assert (code, len(first["items"]), first["rejected"]) == (1, 1, 1)
    assert r"\xe8.tif" in first["failed"][0]["path"]

    write(tmp_path / "mended.tif", 2).rename(broken)
    code, second = push(shoot)
    assert (code, len(second["items"]), second["rejected"]) == (0, 2, 0)


def test_a_folder_whose_name_is_no_text_is_refused_in_words(push, tmp_path):
    """A drop folder's name is text; what can be done about it is said."""
    odd = tmp_path / os.fsdecode(b"\xe9t\xe9")
    write(tmp_path / "made.tif", 1)
    odd.mkdir()
    (tmp_path / "made.tif").rename(odd / "a.tif")
    code, result = push(odd / "a.tif")
    assert code == 78
    assert r"\xe9t\xe9" in result["error"]
    assert "rename that folder, or push the folder above it" in result["error"]


def test_ctrl_c_says_how_to_go_on(push, box, tmp_path):
    """At once, whatever is under way; and the same command does go on."""
    box.faults.add(Fault(operation="uploads.initiate", kind="status", status=503))
    source = write(tmp_path / "in" / "a.tif", 1)
    process = push(source, wait=False)
    deadline = time.monotonic() + 120
    while not box.faults.listed()[0]["seen"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert "Ctrl-C again ends at once. The same command goes on where this one ended." in err
    assert json.loads(out)["items"] == []
    box.faults.clear()
    code, result = push(source)
    assert (code, len(result["items"])) == (0, 1)
