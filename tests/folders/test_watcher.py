"""The watcher of a drop folder: what it takes while nothing happens, and what it does while its folder hangs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.intake import bench
from uploader.folders import folder_health, inbox, scanning, watcher
from uploader.folders.folder_files import FolderFiles
from uploader.folders.inbox import Inbox

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    """Tasks are counted as asyncio has them."""
    return "asyncio"


def _tasks() -> list[str]:
    """The running tasks that belong to a watcher, by the functions that they run."""
    names = (task.get_name().rpartition("uploader.folders.")[2] for task in asyncio.all_tasks())
    return sorted(name for name in names if "." in name and name != "intake.Intake.run")


async def test_a_folder_in_which_nothing_happens_takes_two_tasks(tmp_path: Path) -> None:
    """One that acts and one that follows events; scans, looks and probes have theirs only while they run."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        await b.settled(1)
        await b.until(lambda: len(_tasks()) == 2, "all else has ended")

        assert _tasks() == ["event_hints.EventHints.follow", "watcher.FolderWatcher.run"]


def _hanging(gate: threading.Event, real: Callable[..., Any]) -> Callable[..., Any]:
    def work(*args: Any) -> Any:
        gate.wait(30)
        return real(*args)

    return work


async def test_claims_end_and_events_are_followed_while_a_scan_and_looks_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever waits for the disk waits beside the watcher."""
    gate = threading.Event()
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        monkeypatch.setattr(scanning, "_chunk", _hanging(gate, scanning._chunk))
        monkeypatch.setattr(watcher, "look_closely", _hanging(gate, watcher.look_closely))
        b.intake.rescan()
        b.put("b.tif")
        try:
            await b.until(lambda: b.watcher.queue.id_of(b"b.tif"), "an event told of it")
            await b.until(lambda: "watcher.FolderWatcher._look" in _tasks(), "a look hangs")
            await b.claim(file_id)
            await b.until(lambda: b.watcher.queue.id_of(b"a.tif") is None, "its place is free")
            assert b.intake.settled() == ()
        finally:
            gate.set()
        assert len(await b.settled(1)) == 1


async def test_a_scan_looks_on_while_the_journal_enters_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part ahead, so that neither waits for the other; and no further, whatever the folder holds."""
    for number in range(5):
        (tmp_path / "drop" / f"{number}.tif").parent.mkdir(exist_ok=True)
        (tmp_path / "drop" / f"{number}.tif").touch()
    read, gate = list[int](), anyio.Event()
    real = scanning._chunk, FolderFiles.seen

    def chunk(entries: Any) -> Any:
        read.append(1)
        return real[0](entries)

    async def seen(*args: Any, **options: Any) -> Any:
        await gate.wait()
        return await real[1](*args, **options)

    monkeypatch.setattr(scanning, "CHUNK", 1)
    monkeypatch.setattr(scanning, "_chunk", chunk)
    monkeypatch.setattr(FolderFiles, "seen", seen)
    async with bench(tmp_path) as b:
        await b.until(lambda: len(read) == 2, "the next part is read")
        await anyio.sleep(0.1)
        assert len(read) == 2
        gate.set()
        await b.until(lambda: len(read) == 6, "the rest follows")


async def test_a_folder_that_does_not_answer_is_held_until_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was ready is not offered meanwhile; what is more, the hold is told although nothing else comes back."""
    gate = threading.Event()
    monkeypatch.setattr(folder_health, "PROBED_EVERY", 0.2)
    monkeypatch.setattr(folder_health, "PATIENCE", 0.2)
    async with bench(tmp_path) as b:
        b.put("a.tif")
        await b.settled(1)
        monkeypatch.setattr(folder_health, "device", _hanging(gate, folder_health.device))
        try:
            await b.until(lambda: b.watcher.held, "it is held")
            assert b.intake.settled() == ()
            assert "does not answer" in await b.until(b.hold, "it is told")
        finally:
            gate.set()
        assert len(await b.settled(1)) == 1
        assert not b.watcher.held


async def test_a_folder_is_not_idle_before_its_hold_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run until idle would end well, with nothing told of what it left."""
    gate = anyio.Event()
    async with bench(tmp_path) as b:
        b.put("a.tif")
        await b.settled(1)
        real = b.journal.holds.set

        async def slow(hold: Any) -> None:
            await gate.wait()
            await real(hold)

        monkeypatch.setattr(b.journal.holds, "set", slow)
        b.drop.rename(tmp_path / "away")
        b.intake.rescan()
        await b.until(lambda: b.watcher.held, "it is held")
        assert b.intake.settling() == {str(b.drop): 1}
        gate.set()
        await b.until(lambda: b.intake.settling() == {str(b.drop): 0}, "it is told")
        assert "is missing" in await b.hold()


async def test_a_sick_file_hastens_nobody_and_a_part_that_gets_well_does(tmp_path: Path) -> None:
    """A file that ends too early is looked at in its time, whatever else cannot be read."""
    async with bench(tmp_path) as b:
        b.put("a.tif")
        (file_id,) = await b.settled(1)
        b.watcher.queue.returned(file_id, time.monotonic() + 1000)
        for faults, hastened in (
            ([(b"b.tif", "")], False),
            ([(b"b.tif", "EIO")], False),
            ([(b"b.tif", "")], True),
        ):
            await b.watcher._inbox.deliver(inbox.Answered(faults))
            soon = (b.watcher.queue.next_look() or 0.0) < time.monotonic() + 500
            assert (soon or b.intake.settled() != ()) == hastened


async def test_whoever_delivers_to_a_watcher_that_has_ended_goes_on() -> None:
    """Also whoever waited when it ended."""
    box = Inbox()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(box.deliver, inbox.ClaimEnded(1))
            await anyio.sleep(0.01)
            box.close()
        await box.deliver(inbox.ClaimEnded(2))
    assert box.take() is None


async def test_messages_are_taken_in_order_and_each_sender_learns_of_its_own() -> None:
    """A message that was only taken has not been acted upon."""
    box = Inbox()
    first, second = box.post(inbox.ClaimEnded(1)), box.post(inbox.ClaimEnded(2))
    await box.wait(5)
    message, done = box.take() or (None, first)

    assert message == inbox.ClaimEnded(1)
    assert not first.is_set()
    done.set()
    assert first.is_set()
    assert not second.is_set()
