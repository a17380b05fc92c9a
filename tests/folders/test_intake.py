"""Intake over a real folder and a real journal, with somebody who claims."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.intake import Bench, bench
from uploader.core.model import FileState, Sighting
from uploader.folders.inbox import ScanResult
from uploader.folders.missing_files import Marks
from uploader.journal.rows import encode_sighting
from uploader.system.locks import FolderLock

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def test_a_window_smaller_than_the_folder_lets_all_through(tmp_path: Path) -> None:
    """What finds no place waits in the journal and gets one when others are claimed; each is claimed once."""
    (tmp_path / "drop").mkdir()
    for number in range(30):
        (tmp_path / "drop" / f"{number}.tif").write_bytes(b"x")
    claimed: list[int] = []
    async with bench(tmp_path, window=4) as b:
        await b.until(lambda: b.intake.settling()[str(b.drop)] == 30, "all are counted")
        while len(claimed) < 30:
            (first, *_) = await b.settled(1)
            assert len(b.intake.settled()) <= 4
            claimed.append(first)
            await b.claim(first)
        assert len(set(claimed)) == 30
        assert await b.states() == {"queued": 30}
        await b.until(lambda: b.intake.settling()[str(b.drop)] == 0, "nothing is expected any more")


async def test_a_restart_takes_up_what_waited(tmp_path: Path) -> None:
    """Settling rows of an earlier life get their places again, also those beyond the window."""
    async with bench(tmp_path, window=2, settle_seconds=3600.0) as b:
        for number in range(5):
            b.put(f"{number}.tif")
        b.intake.rescan()
        await b.until(b.states, "known")
    async with bench(tmp_path, window=2) as b:
        for _ in range(5):
            (first, *_) = await b.settled(1)
            await b.claim(first)
        assert await b.states() == {"queued": 5}


async def test_a_claim_that_ends_while_rows_are_read_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of a file before its claim is not acted upon after it: it does not get a place again."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        sighting = b.intake.settled_sighting(file_id)
        assert sighting is not None
        real, claimed = b.journal.read, list[FileState]()

        async def read(query: Any) -> Any:
            found = await real(query)
            if not claimed:  # while the watcher reads of another file, this one is claimed
                claimed.append(await b.claim(file_id))
            return found

        monkeypatch.setattr(b.journal, "read", read)
        other = replace(sighting, path=b"b.tif")
        await b.watcher._inbox.deliver(ScanResult([other, sighting]))
        monkeypatch.undo()
        await b.watcher._inbox.deliver(ScanResult([sighting]))

        assert claimed == [FileState.QUEUED]
        assert b.watcher.queue.id_of(b"a.tif") is None
        row = next(row for row in await b.files() if row["id"] == file_id)
        assert (row["state"], row["sighting"]) == ("queued", encode_sighting(sighting))


async def test_rows_that_left_settling_are_not_touched_by_looks(tmp_path: Path) -> None:
    """A change or a disappearance that is entered after the claim's commit leaves the claimed version as it is."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        sighting = b.intake.settled_sighting(file_id)
        assert sighting is not None
        await b.claim(file_id)
        newer = Sighting(sighting.folder, sighting.path, type(sighting.fingerprint)(1, 2, 3, 4, 5))

        await b.journal.files.changed(file_id, newer)
        await b.journal.files.vanished([file_id])

        (row,) = await b.files()
        assert (row["state"], row["sighting"]) == ("queued", encode_sighting(sighting))


async def test_what_changes_while_it_is_claimed_is_a_new_version(tmp_path: Path) -> None:
    """No scan is needed to find it."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        sighting = b.intake.settled_sighting(file_id)
        b.put("a.tif", b"other content, longer than before" * 3)
        await b.until(lambda: b.intake.settled() == (), "the change is seen")
        await b.journal.files.claimed(file_id, sighting, "c", 1)
        b.intake.claimed(file_id)

        await b.until(lambda: _sizes(b), "the new version")
        (second,) = await b.settled(1)
        assert second != file_id


async def _sizes(b: Any) -> bool:
    return [row["state"] for row in await b.files()] == ["queued", "settling"]


async def test_marked_files_pass_those_without_a_marker(tmp_path: Path) -> None:
    """Files whose marker is missing take no place from those that have one."""
    async with bench(tmp_path, window=2, ready_marker="{stem}.done") as b:
        for number in range(6):
            b.put(f"{number}.tif")
        await b.until(lambda: _known(b, 6), "all are known")
        (b.drop / "5.done").touch()

        (file_id,) = await b.settled(1)
        await b.claim(file_id)

        assert [row["path"] for row in await b.files() if row["state"] == "queued"] == [b"5.tif"]
        await b.until(lambda: _waits_for_others(b), "nobody waits for the others")


async def _waits_for_others(b: Any) -> bool:
    return (b.intake.unfinished(), sum(b.intake.settling().values())) == (5, 0)


async def test_a_file_that_still_arrives_is_not_waited_for(tmp_path: Path) -> None:
    """Its transfer may have been given up; others beside it go on, and so does it once the control file is gone."""
    async with bench(tmp_path) as b:
        b.put("late.tif")
        (b.drop / "late.tif.aria2").touch()
        b.put("done.tif")
        (first,) = await b.settled(1)
        await b.claim(first)

        async def left() -> bool:
            return (b.intake.unfinished(), sum(b.intake.settling().values())) == (1, 0)

        await b.until(left, "one is left to others")
        (b.drop / "late.tif.aria2").unlink()
        (second,) = await b.settled(1)

    assert second != first


async def _known(b: Any, count: int) -> bool:
    return len(await b.files()) == count


async def test_files_that_go_one_by_one_are_gone_and_the_rest_stays(tmp_path: Path) -> None:
    """Claimed or not; a path that is dropped again later is new."""
    async with bench(tmp_path) as b:
        for number in range(4):
            b.put(f"{number}.tif")
        first, second, *_ = await b.settled(4)
        await b.claim(first)
        for file_id in (first, second):
            row = next(row for row in await b.files() if row["id"] == file_id)
            (b.drop / os.fsdecode(row["path"])).unlink()
        b.intake.rescan()

        await b.until(lambda: _gone(b, first, second), "both are let go")
        assert await b.hold() == ""


async def _gone(b: Any, first: int, second: int) -> bool:
    found = {row["id"]: row for row in await b.files()}
    return found[first]["current"] is None and found[second]["state"] == "gone"


async def test_a_folder_that_is_emptied_or_missing_is_held_and_comes_back(tmp_path: Path) -> None:
    """Files that leave together are not believed to be gone; their return ends the hold."""
    async with bench(tmp_path, rescan_seconds=1.0) as b:
        for number in range(3):
            b.put(f"{number}.tif")
        for file_id in (await b.settled(3))[:2]:
            await b.claim(file_id)
        b.drop.rename(tmp_path / "away")
        await b.until(lambda: _held(b, "is missing"), "missing")
        b.drop.mkdir()
        await b.until(lambda: _held(b, "vanished together"), "emptied")
        assert b.intake.settling() == {str(b.drop): 0}
        assert b.intake.settled() == ()
        b.drop.rmdir()
        (tmp_path / "away").rename(b.drop)

        await b.until(lambda: _held(b, ""), "over")
        assert (await b.states()).get("gone", 0) == 0
        await b.settled(1)


async def _held(b: Any, words: str) -> bool:
    found = await b.hold()
    return words in found if words else not found


async def test_an_empty_mount_point_is_no_deletion_even_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lone file that was on another device than its folder is now was unmounted; the row outlives a restart."""
    async with bench(tmp_path) as b:
        path = b.put("a.tif")
        (file_id,) = await b.settled(1)
        sighting = b.intake.settled_sighting(file_id)
        assert sighting is not None
        was = sighting.fingerprint
        elsewhere = type(was)(was.device + 1, was.inode, was.size, was.mtime_ns, was.ctime_ns)
        moved = Sighting(sighting.folder, sighting.path, elsewhere)
        await b.journal.files.claimed(file_id, moved, "c", 1)
        b.intake.claimed(file_id)
        path.unlink()
    async with bench(tmp_path, rescan_seconds=1.0) as b:
        await b.until(lambda: _held(b, "another file system"), "held")
        (row,) = await b.files()
        assert row["current"] == 1
        b.put("b.tif")
        await b.until(lambda: _held(b, ""), "the folder itself is believed again")
        assert next(row for row in await b.files() if row["id"] == file_id)["current"] == 1


async def test_what_is_wrong_with_the_watch_is_told(tmp_path: Path) -> None:
    """Limits of the kernel, and what events did not tell, by folder and with what to do."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        await b.settled(1)
        assert b.intake.warnings() == []
        missed = b.watcher.missed
        missed.limited = True
        missed.found(b"late.tif", time.monotonic() - 1000)

        first, second = b.intake.warnings()

        assert (first["code"], first["path"]) == ("inotify_limit", str(b.drop))
        assert "max_user_watches" in first["text"]
        assert (second["code"], "1 file " in second["text"]) == ("events_missed", True)


def test_marks_hold_any_id() -> None:
    """One bit each, whatever the order."""
    marks = Marks()
    assert not marks.any
    marks.add([1_000_000, 0, 7, 8])

    assert [n for n in (0, 1, 7, 8, 9, 999_999, 1_000_000, 5_000_000) if n in marks] == [0, 7, 8, 1_000_000]
    assert marks.any


async def test_a_file_that_was_claimed_comes_back(tmp_path: Path) -> None:
    """Without a scan; and until it is back, the folder is not idle."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        await b.claim(file_id)
        await b.until(lambda: b.intake.settling()[str(b.drop)] == 0, "nothing is expected")
        await b.journal.files.look_again(file_id, "It does not open.", 0.0)
        b.intake.unsettled(file_id)
        assert b.intake.settling()[str(b.drop)] > 0

        assert await b.settled(1) == [file_id]


async def test_a_marked_folder_is_idle_when_all_are_claimed(tmp_path: Path) -> None:
    """Files that waited for their markers are not expected any longer once they have passed."""
    async with bench(tmp_path, ready_marker="{stem}.done") as b:
        for number in range(3):
            b.put(f"{number}.tif")
        await b.until(lambda: _known(b, 3), "all are known")
        for number in range(3):
            b.put(f"{number}.done", b"")
        for file_id in await b.settled(3):
            await b.claim(file_id)

        await b.until(lambda: b.intake.settling()[str(b.drop)] == 0, "nothing is expected")


async def test_a_folder_that_another_daemon_watches_is_held(tmp_path: Path) -> None:
    """It came after the start, and the other one was there first; it goes on by itself once that has ended."""
    other = FolderLock(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    assert other.take()
    async with bench(tmp_path, rescan_seconds=1.0) as b:
        await b.until(lambda: _says(b, "Another daemon is watching"), "it is told")
        b.put("a.tif")
        await anyio.sleep(
            0.5
        )  # some scans; with more of them the test is stronger, with fewer it passes as well
        assert await b.files() == []
        other.release()
        await b.until(b.files, "it is found")
        await b.until(lambda: _says_nothing(b), "the hold is over")


async def _says(b: Bench, words: str) -> bool:
    return words in await b.hold()


async def _says_nothing(b: Bench) -> bool:
    return not await b.hold()


async def test_a_write_that_goes_on_is_no_event_that_was_missed(tmp_path: Path) -> None:
    """The events tell of it when the file is closed; a scan that sees it before has not found what they missed."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        await b.claim(file_id)
        missed = b.watcher.missed
        missed._told.clear()
        with (b.drop / "a.tif").open("ab", buffering=0) as file:
            file.write(b"more")
            b.intake.rescan()
            await b.until(lambda: _states(b, {"queued": 1, "settling": 1}), "the new version is known")
        assert missed.total(time.monotonic() + 1000) == 0


async def _states(b: Bench, wanted: dict[str, int]) -> bool:
    return await b.states() == wanted


async def test_what_will_be_converted_is_known_while_it_settles(tmp_path: Path) -> None:
    """So that converters come up meanwhile: files that are sent as they are do not count."""
    async with bench(tmp_path, settle_seconds=3600.0, passthrough=("*.dat",)) as b:
        assert b.intake.to_convert(2) == 0
        b.put("sent.dat")
        b.intake.rescan()
        await b.until(b.states, "known")
        assert b.intake.to_convert(2) == 0
        for number in range(3):
            b.put(f"{number}.tif")
        b.intake.rescan()
        await b.until(lambda: b.intake.to_convert(9) == 3, "all are known")
        assert b.intake.to_convert(2) <= 2
