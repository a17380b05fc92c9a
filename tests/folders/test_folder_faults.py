"""Whether a folder or a file is to blame, and how a hold of a folder begins and ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from uploader.folders import FolderSpec, fault_of_folder, folder_probes
from uploader.folders.folder_health import FolderHealth
from uploader.folders.folder_holds import HOLD_CAUSES, WAYS_OUT, Cause, FolderHolds
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.inbox import Answered
from uploader.journal import Journal

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def fail(monkeypatch: pytest.MonkeyPatch, *names: bytes) -> None:
    """Let files of these names not open any more."""
    real = folder_probes.fs.opened

    @contextmanager
    def opened(name: bytes, dir_fd: int | None = None) -> Iterator[int]:
        if name in names:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        with real(name, dir_fd) as fd:
            yield fd

    monkeypatch.setattr(folder_probes.fs, "opened", opened)


@pytest.mark.parametrize(
    ("sick", "blamed"),
    [
        ((b"a.tif",), False),
        ((b"a.tif", b"b.tif"), False),
        ((b"a.tif", b"b.tif", b"c.tif"), True),
    ],
)
def test_a_folder_is_to_blame_where_none_of_some_files_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sick: tuple[bytes, ...], blamed: bool
) -> None:
    """One that can be read clears it; what is no raster does not count."""
    for name in (b"a.tif", b"b.tif", b"c.tif", b"notes.txt"):
        (tmp_path / os.fsdecode(name)).touch()
    fail(monkeypatch, *sick)

    assert bool(fault_of_folder(FolderSpec(str(tmp_path)), b"a.tif")) == blamed


def test_two_files_of_two_do_not_make_a_sick_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be sick both."""
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).touch()
    fail(monkeypatch, b"a.tif", b"b.tif")

    assert fault_of_folder(FolderSpec(str(tmp_path)), b"a.tif") == ""


def test_a_missing_drop_folder_is_to_blame_a_missing_subfolder_is_not(tmp_path: Path) -> None:
    """A subfolder that was removed took its files with it."""
    assert fault_of_folder(FolderSpec(str(tmp_path)), b"sub/a.tif") == ""
    assert fault_of_folder(FolderSpec(str(tmp_path / "none")), b"a.tif") != ""


async def test_an_ailing_folder_gets_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words name the folder and what the system says; they end when a file can be read."""
    for name in "abcd":
        (tmp_path / f"{name}.tif").touch()
    health = FolderHealth(FolderSpec(str(tmp_path)), FolderThreads())

    async def told(message: Answered) -> None:
        for path, reason in message.faults:
            health.note(path, reason)

    with monkeypatch.context() as patch:
        fail(patch, b"a.tif", b"b.tif", b"c.tif", b"d.tif")
        health.note(b"a.tif", await health.fault(b"a.tif"))
        assert str(tmp_path) in health.reason
        assert "input/output error" in health.reason
        await health.check(told)
        assert health.reason != ""

    assert await health.fault(b"b.tif") != "", "what was found holds for a while"
    await health.check(told)
    assert health.reason == ""


async def test_a_hold_lasts_as_long_as_one_of_its_causes(tmp_path: Path) -> None:
    """All causes stand in one hold; the last one takes it away."""
    journal = Journal(tmp_path)
    standing = FolderHolds(journal, "/drop")

    async def told() -> str:
        return " ".join(f"{hold['reason']} {hold['way_out']}" for hold in (await journal.status())["holds"])

    await standing.set(Cause.FILES, "Files ail.")
    await standing.set(Cause.ENTRIES, "Entries ail.")
    assert (await told()).startswith("Files ail. Entries ail. ")
    await standing.set(Cause.FILES, "")
    assert (await told()).startswith("Entries ail. ")
    await standing.good(Cause.ENTRIES)
    assert await told() == ""
    journal.close()


async def test_a_hold_of_an_earlier_life_ends_with_a_good_scan_only(tmp_path: Path) -> None:
    """Before the folder was seen as a whole nothing is known of it."""
    journal = Journal(tmp_path)
    await FolderHolds(journal, "/drop").set(Cause.FOLDER, "It is missing.")
    standing = FolderHolds(journal, "/drop")

    await standing.set(Cause.FILES, "")
    assert len((await journal.status())["holds"]) == 1
    await standing.good(Cause.FOLDER)
    assert (await journal.status())["holds"] == []
    journal.close()


async def test_causes_that_come_and_go_at_once_leave_nothing(tmp_path: Path) -> None:
    """A cause that ends while it is being told is told and taken back, in this order."""
    journal = Journal(tmp_path)
    standing = FolderHolds(journal, "/drop")
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(standing.set, Cause.FILES, "Files ail.")
            group.start_soon(standing.set, Cause.FILES, "")

    assert (await journal.status())["holds"] == []
    journal.close()


async def test_a_hold_has_the_cause_that_matters_most(tmp_path: Path) -> None:
    """The first in the list of causes, each of which has its word and its way out."""
    assert set(HOLD_CAUSES) == set(WAYS_OUT) == set(Cause)
    journal = Journal(tmp_path)
    standing = FolderHolds(journal, "/drop")

    async def cause() -> str:
        (hold,) = (await journal.status())["holds"]
        return str(hold["cause"])

    await standing.set(Cause.FILES, "Files ail.")
    assert await cause() == "folder_unreadable"
    await standing.set(Cause.FOLDER, "It is missing.")
    assert await cause() == "folder_missing"
    await standing.good(Cause.FOLDER)
    assert await cause() == "folder_unreadable"
    journal.close()
