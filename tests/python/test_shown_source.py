"""What the converter is shown of a raster that people name: a link to it, under a name of ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
import numpy as np
import pytest
import rasterio
import rasterio.shutil

from tests.support.rasters import make
from uploader.convert import Converter, Job, Report
from uploader.convert.write import publish
from uploader.core.errors import SourceChanged, UploaderError
from uploader.python.convert_files import converted
from uploader.python.shown_source import shown_source

pytestmark = [
    pytest.mark.unit,
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]


Outcome = Report | UploaderError


def _convert(*asked: tuple[Path, Path, Callable[[Job], object]]) -> list[Outcome]:
    """Have rasters converted in real children; what else is asked happens after one was seen, before it is read."""

    async def go() -> list[Outcome]:
        outcomes: list[Outcome] = []
        async with Converter(1) as converter:
            for source, target, meanwhile in asked:

                @contextmanager
                def progress(
                    job: Job, _: Path, meanwhile: Callable[[Job], object] = meanwhile
                ) -> Iterator[None]:
                    meanwhile(job)
                    yield

                files = {"preview": None, "limits": {}, "wishes": {}, "progress": progress}
                try:
                    outcomes.append(await converted(converter, source, target, **files))
                except UploaderError as error:
                    outcomes.append(error)
        return outcomes

    return anyio.run(go)


def _nothing(_: Job) -> None:
    """Nothing happens meanwhile."""


@pytest.fixture
def raster(tmp_path) -> Path:
    """A raster in a folder of its own, and another for its result."""
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    return make("rgb_striped", tmp_path / "in" / "a.tif", size=100)


def test_the_raster_is_read_where_it_lies_and_its_sidecars_are_copies(raster, tmp_path):
    """No byte of the raster is written twice, and its world file is used; a link beside it is no sidecar."""
    with rasterio.open(raster, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint8") as dataset:
        dataset.write(np.ones((1, 64, 64), np.uint8))
    raster.with_suffix(".tfw").write_text("2\n0\n0\n-2\n1001\n1999\n")
    raster.with_suffix(".prj").symlink_to(raster)
    told: list[tuple[Path, set[str]]] = []

    def look(job: Job) -> None:
        beside = {p.suffix for p in job.source.parent.iterdir() if not p.is_symlink()}
        told.append((job.source.readlink(), beside))

    _convert((raster, tmp_path / "out" / "a.tif", look))

    assert told == [(raster.resolve(), {".tfw"})]
    with rasterio.open(tmp_path / "out" / "a.tif") as result:
        assert result.transform.c == 1000


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _write_over(path: Path) -> None:
    """Other pixels; size and time of change are as they were."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-50, os.SEEK_END)
        file.write(bytes(50))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def _apply(change: Callable[[Path], object], path: Path, _: Job) -> None:
    change(path)


def test_what_changes_while_it_is_read_becomes_nothing(raster, tmp_path):
    """The error names the file and says what to do; what was at the target stays, and nothing else is left."""
    target, content = tmp_path / "out" / "a.tif", raster.read_bytes()
    target.write_text("before")
    changes = {_append: "changed", _write_over: "changed", _replace: "changed", Path.unlink: "was removed"}
    copies = {change: raster.with_name(f"{change.__name__}.tif") for change in changes}
    for copy in copies.values():
        copy.write_bytes(content)

    errors = _convert(
        *((copies[change], target, partial(_apply, change, copies[change])) for change in changes)
    )

    assert [type(error) for error in errors] == [SourceChanged] * len(changes)
    for (change, said), error in zip(changes.items(), errors, strict=True):
        assert error.reason == f"{copies[change]} {said} while it was read."
        assert "again" in error.way_out
    assert target.read_text() == "before"
    assert list(target.parent.iterdir()) == [target]


def test_a_raster_that_is_sent_as_it_is_becomes_a_file_of_its_own(raster, tmp_path, monkeypatch):
    """Whoever changes one of them does not change the other; it was copied while it was looked at."""
    monkeypatch.setattr(publish, "adopt", lambda *_, **__: 1 / 0)
    cog, target = raster.with_name("cog.tif"), tmp_path / "out" / "a.tif"
    rasterio.shutil.copy(raster, cog, driver="COG", STATISTICS="YES", COMPRESS="DEFLATE", BLOCKSIZE="512")

    (report,) = _convert((cog, target, _nothing))

    assert report.method == "passthrough"
    assert target.read_bytes() == cog.read_bytes()
    assert not target.samefile(cog)
    assert (target.stat().st_nlink, target.is_symlink()) == (1, False)


def test_what_was_copied_too_early_is_no_result(raster, tmp_path):
    """A COG by its head, whose overviews show another raster: they are made anew."""
    with rasterio.open(
        raster, "w", driver="GTiff", width=1100, height=1100, count=1, dtype="uint8"
    ) as dataset:
        dataset.write(np.zeros((1, 1100, 1100), np.uint8))
        dataset.build_overviews([2, 4])
    pixels = np.random.default_rng(1).integers(1, 255, (1, 1100, 1100), np.uint8)
    with rasterio.open(raster, "r+") as dataset:
        dataset.write(pixels)
    cog, target = raster.with_name("cog.tif"), tmp_path / "out" / "a.tif"
    rasterio.shutil.copy(raster, cog, driver="COG", STATISTICS="YES", COMPRESS="DEFLATE", BLOCKSIZE="512")

    (report,) = _convert((cog, target, _nothing))

    assert (report.method, [warning.code for warning in report.warnings][:1]) == (
        "rewrite",
        ["overviews_remade"],
    )
    with rasterio.open(target, overview_level=0) as level:
        assert level.read().min() > 0


def test_odd_names_are_none_of_gdals_business(raster, tmp_path):
    """It is shown a name of ours, whatever people called the raster."""
    names = (b"a\nb.tif", b"HDF5:a.tif", b"\xff.tif", b"vsicurl", b"-o.tif")
    asked = []
    for number, name in enumerate(names):
        odd = raster.with_name(os.fsdecode(name))
        odd.write_bytes(raster.read_bytes())
        asked.append((odd, tmp_path / "out" / f"{number}.tif", _nothing))

    assert [type(outcome) for outcome in _convert(*asked)] == [Report] * len(names)
    for _, target, _ in asked:
        with rasterio.open(target) as result:
            assert result.count == 3


def test_what_the_child_could_not_open_is_copied(raster, tmp_path, monkeypatch):
    """A file that has lost its name, and one that is read by a right which the child does not have."""
    with raster.open("rb") as opened:
        raster.rename(raster.with_name("b.tif")).unlink()
        nameless = Path(f"/proc/self/fd/{opened.fileno()}")
        _convert((nameless, tmp_path / "out" / "a.tif", _nothing))
        with rasterio.open(tmp_path / "out" / "a.tif") as result:
            assert result.count == 3
    monkeypatch.setattr("uploader.python.shown_source.own_status", lambda _: "2")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    shown = shown_source(tmp_path / "out" / "a.tif", tmp_path / "room")
    assert not shown.linked
    assert shown.path.is_file()
    assert not shown.path.is_symlink()


def test_a_raster_that_cannot_be_read_is_told_as_such(tmp_path):
    """It is gone, or not for us to read."""
    with pytest.raises(UploaderError, match="cannot be read: No such file"):
        shown_source(tmp_path / "none.tif", tmp_path / "room")
