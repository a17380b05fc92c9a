"""How a drop folder comes by its mark."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from uploader.config import Folder
from uploader.core.errors import Unreachable
from uploader.folders import FolderSpec, first_start
from uploader.folders.first_start import Belonging
from uploader.folders.folder_holds import Cause, FolderHolds
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.ownership import Owner, advance, mark, owner_of
from uploader.journal import Journal
from uploader.journal.opening import mark_of
from uploader.journal.recovery.salvage import finding

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Platform:
    """Answers from a list: names that are there, or an error."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    async def lookup(self, folder: Folder, names: Sequence[str]) -> list[str]:
        """One look."""
        self.asked.append(list(names))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [name for name in names if name.startswith(tuple(answer))] if answer else []


@asynccontextmanager
async def belonging_of(
    root: Path, platform: Platform, state_dir: str = "/state"
) -> AsyncIterator[tuple[Belonging, Journal, Owner]]:
    """One folder with six files, and its journal."""
    drop = root / "drop"
    drop.mkdir(exist_ok=True)
    for number in range(6):
        (drop / f"f{number}.tif").write_bytes(b"%d" % number * (number + 1))
    (root / "state").mkdir(exist_ok=True)
    folder, journal = Folder(path=drop, project_id="p-1"), Journal(root / "state")
    owner = Owner(journal.identity, state_dir)
    try:
        yield (
            Belonging(
                folder,
                FolderSpec(folder),
                journal,
                owner,
                platform.lookup,
                threads=FolderThreads(),
                doubt=partial(FolderHolds(journal, str(drop)).set, Cause.STRANGE),
            ),
            journal,
            owner,
        )
    finally:
        journal.close()


async def test_a_folder_of_which_nothing_is_there_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the platform has answered; a few of the smallest files are asked for."""
    monkeypatch.setattr(first_start, "AGAIN", 0.01)
    platform = Platform(Unreachable("no route"), Unreachable("no route"), [])
    async with belonging_of(tmp_path, platform) as (one, journal, owner):
        with anyio.fail_after(10):
            await one.settle()
        assert owner_of(tmp_path / "drop") == owner
        assert (await journal.status())["holds"] == []
    assert len(platform.asked) == 3
    assert [name.partition("-")[0] for name in platform.asked[0]] == ["f0", "f1", "f2", "f3", "f4"]


async def test_a_folder_of_which_something_is_there_is_held(tmp_path: Path) -> None:
    """It bears no mark, and a repair has something to find; a person's word ends that."""
    async with belonging_of(tmp_path, Platform(["f3-"])) as (one, journal, _):
        await one.settle()
        (hold,) = (await journal.status())["holds"]
        assert "f3-" in hold["reason"]
        assert "--new-journal" in hold["way_out"]
        assert owner_of(tmp_path / "drop") is None
    assert str(tmp_path / "drop") in finding(tmp_path / "state")
    journal = Journal(tmp_path / "state")
    await journal.holds.reconciled()
    journal.close()
    assert finding(tmp_path / "state") == ""


async def test_what_this_journal_knows_is_not_asked_for(tmp_path: Path) -> None:
    """Files that it has uploaded itself, as before there were marks."""
    platform = Platform()
    async with belonging_of(tmp_path, platform) as (one, journal, owner):
        for sighting, content in first_start._sample(one._spec, threading.Event()):
            (file_id,) = await journal.files.discovered([sighting])
            await journal.files.claimed(file_id, sighting, content, sighting.size)
        await one.settle()
        assert owner_of(tmp_path / "drop") == owner
    assert platform.asked == []


async def test_a_mark_of_ours_follows_its_state_directory_and_anothers_is_left(tmp_path: Path) -> None:
    """Where the directory was moved, people are told of the place where it is now."""
    other = Owner("f" * 16, "/other")
    async with belonging_of(tmp_path, Platform(), "/moved") as (one, _, owner):
        mark(tmp_path / "drop", Owner(owner.journal, "/before"))
        await one.settle()
        assert owner_of(tmp_path / "drop") == owner
        mark(tmp_path / "drop", other)
        await one.settle()
        assert owner_of(tmp_path / "drop") == other


async def test_the_mark_follows_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells how far that has come, soon after each commit; one that another daemon has given stays."""
    monkeypatch.setattr(first_start, "AGAIN", 0.01)
    drop = tmp_path / "drop"
    async with (
        belonging_of(tmp_path, Platform([])) as (one, journal, owner),
        anyio.create_task_group() as tasks,
    ):
        mark(drop, owner)
        tasks.start_soon(one.run)
        await anyio.wait_all_tasks_blocked()
        for sighting, _ in first_start._sample(one._spec, threading.Event()):
            await journal.files.discovered([sighting])
        last = (await journal.read(mark_of)).event
        for _ in range(1000):
            if owner_of(drop) == replace(owner, event=last):
                break
            await anyio.sleep(0.01)
        assert owner_of(drop) == replace(owner, event=last)
        other = Owner("f" * 16, "/other")
        mark(drop, other)
        await journal.files.discovered([replace(sighting, path=b"new.tif")])
        await anyio.sleep(0.1)
        tasks.cancel_scope.cancel()
    assert last > 0
    assert owner_of(drop) == other


async def test_a_mark_that_is_asked_for_tells_of_all_before_it_is_waited_for(tmp_path: Path) -> None:
    """However often within a minute: what is done next on the platform is known by the folder, too."""
    drop = tmp_path / "drop"
    async with (
        belonging_of(tmp_path, Platform([])) as (one, journal, owner),
        anyio.create_task_group() as tasks,
    ):
        mark(drop, owner)
        tasks.start_soon(one.run)
        await anyio.wait_all_tasks_blocked()
        for number, (sighting, _) in enumerate(first_start._sample(one._spec, threading.Event()), 1):
            await journal.files.discovered([sighting])
            await one.renew()
            assert owner_of(drop) == replace(owner, event=number)
        tasks.cancel_scope.cancel()
    assert number > 1


async def test_a_folder_that_hangs_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one waited for that has no mark yet; once it answers again it is."""
    monkeypatch.setattr(first_start, "PATIENCE", 0.1)
    monkeypatch.setattr(first_start, "AGAIN", 0.01)
    drop, hangs, answers = tmp_path / "drop", threading.Event(), threading.Event()

    def hang(folder: Path, owner: Owner) -> None:
        hangs.set()
        answers.wait(10)
        advance(folder, owner)

    monkeypatch.setattr(first_start, "advance", hang)
    async with (
        belonging_of(tmp_path, Platform([])) as (one, journal, owner),
        anyio.create_task_group() as tasks,
    ):
        (first, _), (second, _), *_ = first_start._sample(one._spec, threading.Event())
        await journal.files.discovered([first])
        with anyio.fail_after(0.05):
            await one.renew()
        mark(drop, owner)
        tasks.start_soon(one.run)
        await anyio.wait_all_tasks_blocked()
        await one.renew()
        assert hangs.is_set()
        with anyio.fail_after(0.05):
            await one.renew()
        answers.set()
        await journal.files.discovered([second])
        with anyio.fail_after(10):
            while owner_of(drop) != replace(owner, event=2):
                await one.renew()
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()


async def test_a_commit_without_an_event_uses_up_no_turn_of_the_mark(tmp_path: Path) -> None:
    """The first event after a start is told at once, for the state directory may have been copied right before it."""
    drop = tmp_path / "drop"
    async with (
        belonging_of(tmp_path, Platform([])) as (one, journal, owner),
        anyio.create_task_group() as tasks,
    ):
        mark(drop, owner)
        tasks.start_soon(one.run)
        await anyio.wait_all_tasks_blocked()
        await journal.holds.shown([], 1)
        await anyio.sleep(0.05)
        (sighting, _), *_ = first_start._sample(one._spec, threading.Event())
        await journal.files.discovered([sighting])
        for _ in range(1000):
            if owner_of(drop) != owner:
                break
            await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert owner_of(drop) == replace(owner, event=1)
