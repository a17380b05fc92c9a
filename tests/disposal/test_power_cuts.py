"""Archiving while the power fails, on disks that forget what was not synced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import disk
from tests.support.disk import Disk
from tests.support.groups import crashed_at, make_group, seen, tree
from tests.support.volume import CUTS
from uploader.core.model import Sighting
from uploader.disposal import Disposed, dispose
from uploader.system.failpoints import within

pytestmark = [
    pytest.mark.unit,
    pytest.mark.root,
    pytest.mark.skipif(bool(disk.missing()), reason=disk.missing() or "it can be mounted"),
]

FAILPOINTS = [name for name in within("dispose") if name != "dispose.restoring"]


class Mounted(NamedTuple):
    """Two disks with empty folders on them."""

    disks: list[Disk]
    drop: Path
    vault: Path


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Disk]]:
    """One for the drop folders, one for the archives."""
    ground = tmp_path_factory.mktemp("disks")
    with Disk.mounted(ground / "a") as first, Disk.mounted(ground / "b") as second:
        yield [first, second]


@pytest.fixture(params=["same disk", "other disk"])
def mounted(disks: list[Disk], request: pytest.FixtureRequest) -> Mounted:
    """Folders of this test's own."""
    name = str(abs(hash(request.node.name)))
    drop = disks[0].folder / name
    vault = disks[request.param == "other disk"].folder / f"{name}-vault"
    for folder in (drop, vault):
        folder.mkdir()
    return Mounted(disks, drop, vault)


def archived(sighting: Sighting, vault: Path) -> Disposed:
    """A disposal that nobody stops."""
    return dispose("archive", sighting, vault, threading.Event())


@pytest.mark.parametrize("what", CUTS)
@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_source_is_archived_once_whatever_a_power_cut_undoes(
    mounted: Mounted, failpoint: str, what: str
) -> None:
    """A source that a cut brought back is not told as archived: it would be uploaded again as a new file."""
    sighting, before = make_group(mounted.drop), tree(mounted.drop)
    for each in mounted.disks:
        each.sync()

    crashed_at(failpoint, 1, lambda: archived(sighting, mounted.vault))
    for each in mounted.disks:
        each.cut(what, seed=1)
    done = archived(sighting, mounted.vault)
    if done.outcome == "replaced":
        # Its change time is another: it is looked at again, and found to be what was uploaded.
        done = archived(seen(mounted.drop), mounted.vault)

    assert done == Disposed("archived", bytes(mounted.vault / "a.tif"))
    assert tree(mounted.drop) == {}
    assert tree(mounted.vault) == before
