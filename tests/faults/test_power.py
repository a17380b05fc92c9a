"""The short form of the power cuts, and what the disk that forgets is made of."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.faults.power import power
from tests.support import disk
from tests.support.rasters import make
from tests.support.volume import ROOT, SECTOR, Node, Volume
from tests.support.world import world

pytestmark = [pytest.mark.storm]

FILE, FOLDER = stat.S_IFREG | 0o600, stat.S_IFDIR | 0o700


def made(volume: Volume, name: bytes, mode: int = FILE, folder: int = ROOT) -> Node:
    """A new inode with a name."""
    node = volume.make(mode)
    volume.edit((folder, name, node.ino))
    return node


def names(volume: Volume, folder: int = ROOT) -> set[bytes]:
    """What a process sees in a folder."""
    return set(volume.nodes[folder].entries)


@pytest.mark.unit
def test_a_name_lasts_once_its_folder_was_synced() -> None:
    """Syncing the file alone does not keep its name; syncing the folder alone does not keep its bytes."""
    volume = Volume()
    volume.write(made(volume, b"kept"), 0, b"bytes")
    volume.sync(volume.nodes[ROOT])
    lost = made(volume, b"lost")
    volume.write(lost, 0, b"bytes")
    volume.sync(lost)

    found = volume.cut("nothing", 1)

    assert names(volume) == {b"kept"}
    assert volume.nodes[volume.nodes[ROOT].entries[b"kept"]].data == b""
    assert (found.writes, found.names) == (1, 1)


@pytest.mark.unit
def test_a_rename_is_there_as_a_whole_or_not_at_all() -> None:
    """A file that was moved from one folder to another is in one of them, whichever was synced."""
    for synced in (0, 1):
        volume = Volume()
        folders = [made(volume, name, FOLDER) for name in (b"a", b"b")]
        node = made(volume, b"x", folder=folders[0].ino)
        volume.sync_all()
        volume.edit((folders[0].ino, b"x", None), (folders[1].ino, b"y", node.ino))
        volume.sync(folders[synced])
        volume.cut("nothing", 1)
        assert [names(volume, folder.ino) for folder in folders] == [set(), {b"y"}]


@pytest.mark.unit
def test_what_was_deleted_comes_back_unless_its_folder_was_synced() -> None:
    """An unlink is a change of the folder, and nothing else."""
    volume = Volume()
    made(volume, b"x")
    volume.sync_all()
    volume.edit((ROOT, b"x", None))

    volume.cut("nothing", 1)

    assert names(volume) == {b"x"}


@pytest.mark.unit
def test_writes_tear_between_sectors_only() -> None:
    """Whatever survives of one write is a whole number of sectors, or all of it."""
    for seed in range(200):
        volume = Volume()
        node = made(volume, b"x")
        volume.sync_all()
        volume.write(node, SECTOR // 2, b"\1" * 3000)
        volume.cut("some", seed)
        size = len(volume.nodes[node.ino].data)
        assert size in {0, SECTOR // 2, SECTOR // 2 + 3000} or size % SECTOR == 0


@pytest.mark.e2e
@pytest.mark.root
@pytest.mark.skipif(bool(disk.missing()), reason=disk.missing() or "it can be mounted")
def test_power_cuts_lose_nothing(tmp_path: Path) -> None:
    """Four cuts while six files arrive, the archive on another disk."""
    outcome, _ = power(tmp_path, files=6, cuts=4, seed=1, longest=2.0)

    assert outcome.wrong == []
    assert outcome.items == 6


@pytest.mark.e2e
@pytest.mark.root
@pytest.mark.skipif(bool(disk.missing()), reason=disk.missing() or "it can be mounted")
def test_an_archive_that_was_just_made_outlasts_a_power_cut(tmp_path: Path) -> None:
    """Its name is there as well as the sources in it, and the journal knows them."""
    ground = tmp_path / "disk"
    folder = {"path": str(ground / "drop"), "project_id": "p-1", "after_upload": "archive"}
    folder["archive_dir"] = str(ground / "vault")
    with disk.Disk.mounted(ground) as mounted, world(tmp_path, home=ground, folders=[folder]) as w:
        (w.drop / "sub").mkdir()
        make("dem_nodata", w.drop / "sub" / "a.tif", size=64)
        mounted.sync()
        w.until_idle()

        mounted.cut("nothing", 1)

        assert (ground / "vault" / "sub" / "a.tif").exists()
        w.until_idle()
        assert len(w.audit().items) == 1
