"""Tests of the stream of a plan, with a stand-in for what reads heads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.support import archives
from uploader.cli.plan_text import sentences
from uploader.config import Folder, Settings
from uploader.convert.archive_job import ArchiveJob
from uploader.convert.archives.opening import listed
from uploader.convert.job import Forecast, Job
from uploader.core.archives import ArchiveEntry
from uploader.core.errors import ConversionFailed, RasterRefused, UploaderError
from uploader.core.platform_traits import Traits
from uploader.core.upload_advice import ADVICE, Asker
from uploader.daemon.live_profile import fitted
from uploader.lookahead.plan import AHEAD, planned
from uploader.lookahead.planned_archive import HEADS
from uploader.lookahead.planned_file import PlannedFile
from uploader.lookahead.sums import PlanSums

pytestmark = pytest.mark.unit

SIZES = {"fast": 90, "balanced": 80, "small": 70}


class Heads:
    """Says of each raster what its name says; counts how many are under way at once."""

    workers = 2

    def __init__(self) -> None:
        self.now = self.most = 0
        self.asked: list[tuple[Job, Sequence[str]]] = []

    async def look_ahead(self, job: Job, beside: Sequence[str]) -> Forecast:
        """One head."""
        self.asked.append((job, beside))
        self.now += 1
        self.most = max(self.most, self.now)
        await anyio.lowlevel.checkpoint()
        self.now -= 1
        if "refused" in job.name:
            raise RasterRefused("It is refused.", "Mend it.", as_it_is=True)
        if "crash" in job.name:
            raise ConversionFailed("The converter crashed.")
        return Forecast("encode", None, SIZES, "JPEG" if "jpeg" in job.name else "")

    async def list_archive(self, job: ArchiveJob) -> list[ArchiveEntry]:
        """One list, by what reads it in the child."""
        return listed(job)


def settings(drop: Path, **keys: Any) -> Settings:
    """One folder."""
    return Settings(state_dir=drop.parent / "state", folders=[Folder(path=drop, project_id="p-1", **keys)])


def all_of(chosen: Settings, *paths: Path, heads: Heads | None = None) -> list[PlannedFile]:
    """The whole plan."""

    async def collected() -> list[PlannedFile]:
        return [file async for file in planned(chosen, paths, heads or Heads())]  # type: ignore[arg-type]

    return anyio.run(collected)


def test_each_file_has_its_verdict(tmp_path: Path) -> None:
    """Also where the head cannot be read, which is no word against the raster."""
    for name in ("good.tif", "refused.tif", "crash.tif", "sent.las", "good.tfw"):
        (tmp_path / name).write_bytes(b"xy")
    (tmp_path / "good.tif.aria2").touch()
    (tmp_path / "fine.tif").write_bytes(b"xyz")
    (tmp_path / "fine.tfw").write_bytes(b"1")
    (tmp_path / os.fsdecode(b"odd\xff.tif")).write_bytes(b"xy")
    heads = Heads()
    found = {Path(f.path).name: f for f in all_of(settings(tmp_path, passthrough=["*.las"]), heads=heads)}

    assert {name: file.verdict for name, file in found.items() if file.verdict != "left"} == {
        "good.tif": "waits",
        "fine.tif": "upload",
        "refused.tif": "refused",
        "crash.tif": "failed",
        "sent.las": "upload",
        "odd\\xff.tif": "failed",
    }
    assert found["refused.tif"].way_out == f"Mend it. {ADVICE[Asker.FOLDER]}"
    assert (found["fine.tif"].bytes, found["fine.tif"].size) == (4, 90)
    assert (found["sent.las"].method, found["sent.las"].size) == ("passthrough", 2)
    assert ["fine.tfw"] in [beside for _, beside in heads.asked]


def test_no_more_heads_are_read_at_once_than_keep_the_converters_busy(tmp_path: Path) -> None:
    """However many files there are; and each is told once."""
    for number in range(100):
        (tmp_path / f"{number}.tif").write_bytes(b"xy")
    heads = Heads()

    assert len({file.path for file in all_of(settings(tmp_path), heads=heads)}) == 100
    assert heads.most <= AHEAD * heads.workers


def test_paths_choose_files_and_folders(tmp_path: Path) -> None:
    """What lies elsewhere is a mistake, not an empty plan."""
    for name in ("a.tif", "in/b.tif", "in/c.tif", "inner/d.tif"):
        (tmp_path / "drop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "drop" / name).write_bytes(b"xy")
    chosen = settings(tmp_path / "drop")

    found = all_of(chosen, tmp_path / "drop/a.tif", tmp_path / "drop/in")

    assert sorted(Path(file.path).name for file in found) == ["a.tif", "b.tif", "c.tif"]
    assert len(all_of(chosen, tmp_path / "drop")) == 4
    with pytest.raises(UploaderError, match="lies in no drop folder"):
        all_of(chosen, tmp_path)
    with pytest.raises(UploaderError, match="does not exist"):
        all_of(chosen, tmp_path / "drop/z.tif")


def test_sums_are_those_of_the_files(tmp_path: Path) -> None:
    """Lossy sources are told apart, for they grow."""
    for name in ("a.tif", "b.jpeg.tif", "refused.tif"):
        (tmp_path / name).write_bytes(b"xy")
    chosen = settings(tmp_path)
    sums = PlanSums(chosen)

    calls = sum(sums.counted(file).calls for file in all_of(chosen))

    told = sums.to_json()
    assert told["files"] == {"upload": 2, "opened": 0, "refused": 1, "waits": 0, "left": 0, "failed": 0}
    assert told["estimated_bytes_by_level"] == {name: 2 * size for name, size in SIZES.items()}
    grown = {"files": 1, "bytes": 2, "estimated_bytes": 90}
    assert told["lossy_sources"] == {**grown, "by_compression": {"JPEG": grown}}
    assert told["calls"] == calls == 5


def test_a_scene_is_told_with_what_it_costs(tmp_path: Path) -> None:
    """Thirteen bands are thirteen sessions, and its item is told its date; what fits no rule is named."""
    for band in range(1, 14):
        (tmp_path / f"S1_20240102_B{band:02d}.tif").write_bytes(b"xy")
    (tmp_path / "S2_20240102_B01.tif").write_bytes(b"xy")
    (tmp_path / "odd.tif").write_bytes(b"xy")
    rule = {"pattern": r"(?P<scene>S\d)_(?P<date>\d{8})_(?P<asset>B\d\d)\.tif"}
    chosen = settings(tmp_path, scenes=[{"rules": [rule]}])
    sums = PlanSums(chosen)
    calls = sum(sums.counted(file).calls for file in all_of(chosen))

    told = sums.to_json()
    assert told["scenes"] == {
        "items": 2,
        "sessions": 14,
        "calls": calls,
        "call_window_seconds": 4.8,
        "costliest": {"scene": "S1", "sessions": 13, "calls": 42, "call_window_seconds": 4.2},
    }
    assert told["no_rule"] == {"files": 1, "first": [str(tmp_path / "odd.tif")]}
    text = " ".join(sentences(sums, chosen))
    assert "The costliest, S1, takes 13 sessions and 42 calls: 4 s." in text
    assert f"No rule of their scenes fits {tmp_path}/odd.tif." in text


def test_a_plan_of_nothing_says_where_it_looked(tmp_path: Path) -> None:
    """And tells no zeros, neither of empty folders nor where every file is left."""
    (tmp_path / "sub").mkdir()
    chosen = settings(tmp_path)
    sums = PlanSums(chosen)
    assert [sums.counted(file) for file in all_of(chosen)] == []
    assert list(sentences(sums, chosen)) == [f"No file was found at or below {tmp_path}."]
    assert list(sentences(sums, chosen, [tmp_path / "sub"])) == [
        f"No file was found at or below {tmp_path}/sub."
    ]

    (tmp_path / "notes.txt").touch()
    assert [sums.counted(file).code for file in all_of(chosen)] == ["no_pattern"]
    first, *others = sentences(sums, chosen)
    assert (first, len(others)) == ("No file would be uploaded.", 1)


def test_a_folder_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    """The scan says so; the list of what is left does not say it again."""
    (file,) = all_of(settings(tmp_path / "away"))
    assert (file.verdict, file.code) == ("failed", "unreadable")


def test_sessions_of_one_file_cost_what_they_cost(tmp_path: Path) -> None:
    """Where a live check has found that a session becomes one item, the plan counts so."""
    for number in range(4):
        (tmp_path / f"{number}.tif").write_bytes(b"xy")
    chosen = settings(tmp_path)
    shared, single = PlanSums(chosen), PlanSums(fitted(chosen, Traits(merges=True)))
    for file in all_of(chosen):
        shared.counted(file)
        single.counted(file)

    assert (shared.calls.sessions, single.calls.sessions) == (2, 4)
    assert single.calls.calls == 12


def test_an_archive_is_told_with_each_raster_that_it_would_bring(tmp_path: Path) -> None:
    """By their names alone, which is said; what is of a scene counts as an asset of it."""
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "o.zip").write_bytes(
        archives.zipped({"S_red.tif": b"x" * 70, "S_nir.tif": b"y" * 30, "note.txt": b""})
    )
    rules = [{"pattern": r".*/(?P<scene>[^/_]+)_(?P<asset>\w+)\.tif"}]
    chosen = settings(drop, include=("*.zip",), scenes=[{"rules": rules}])
    archive, *files = all_of(chosen)

    assert (archive.verdict, archive.reason) == ("opened", "Would be taken from it: 2 rasters of 3 files.")
    assert sorted((file.path, file.asset, file.size, file.method) for file in files) == [
        (f"{drop}/o.zip/S_nir.tif", "nir", 30, ""),
        (f"{drop}/o.zip/S_red.tif", "red", 70, ""),
    ]
    sums = PlanSums(chosen)
    assert [file.verdict for file in map(sums.counted, files)] == ["upload", "upload"]
    told = sums.to_json()
    assert (told["scene_items"], told["sessions"], told["estimated_bytes"], told["doubts"]) == (
        1,
        2,
        100,
        {HEADS: 2},
    )


def test_an_archive_that_would_be_refused_is_told_so(tmp_path: Path) -> None:
    """In the words that the daemon has for it; one without a raster for the folder, too."""
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "bad.zip").write_bytes(archives.zipped({"../a.tif": b"x"}))
    (drop / "none.zip").write_bytes(archives.zipped({"a.txt": b"x"}))
    found = {Path(file.path).name: file for file in all_of(settings(drop, include=("*.tif", "*.zip")))}

    assert {name: file.verdict for name, file in found.items()} == {
        "bad.zip": "refused",
        "none.zip": "refused",
    }
    assert "leads out of the archive" in found["bad.zip"].reason
    none = "The archive holds 1 file, and none that is to be taken: no name fits *.tif."
    assert found["none.zip"].reason == none
