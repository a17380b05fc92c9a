"""The receipt beside an archived source: there before the source moves, one of it, whatever is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.disposal.test_disposal import archive, drop, kills, run
from tests.support.groups import crashed_at, make_group, seen, tree
from uploader.core.errors import LocalError, NoSpace
from uploader.core.naming import receipt_name
from uploader.disposal import Disposed
from uploader.disposal import archive as archiving

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("leases")]
__all__ = ["archive", "drop"]

RECEIPT = b'{"item_id": "it-1"}\n'
TOLD = {"a.tif.receipt.json": RECEIPT}


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def test_it_lies_beside_the_source_and_all_may_read_it(drop: Path, archive: Path) -> None:
    """Also in a subfolder; no hidden file stays."""
    make_group(drop / "sub")
    before, sighting = tree(drop), seen(drop, "sub/a.tif")

    assert run("archive", sighting, archive, RECEIPT).outcome == "archived"

    assert tree(archive) == {**before, "sub/a.tif.receipt.json": RECEIPT}
    assert (archive / "sub/a.tif.receipt.json").stat().st_mode & 0o777 == 0o644
    assert names(archive / "sub") == sorted(name.removeprefix("sub/") for name in tree(archive))


@pytest.mark.parametrize(("name", "nth"), kills())
def test_it_survives_a_kill_at_every_point(drop: Path, archive: Path, name: str, nth: int) -> None:
    """Its bytes are in the archive before the raster is; a repeat ends with exactly one of it."""
    sighting = make_group(drop)
    before = tree(drop)

    crashed_at(name, nth, lambda: run("archive", sighting, archive, RECEIPT))
    between = [path.read_bytes() for path in archive.iterdir()]
    if (archive / "a.tif").exists():
        assert RECEIPT in between
    run("archive", sighting, archive, RECEIPT)

    assert tree(archive) == {**before, **TOLD}
    assert len(names(archive)) == len(before) + 1
    assert list(drop.iterdir()) == []


@pytest.mark.parametrize("second", ["dispose.recorded", "dispose.archived", "dispose.placed", "dispose.done"])
@pytest.mark.parametrize("first", ["dispose.hidden", "dispose.archived", "dispose.placed"])
def test_a_repeat_survives_a_kill_as_well(drop: Path, archive: Path, first: str, second: str) -> None:
    """Of a raster alone, whose hidden folder is empty as soon as it has arrived."""
    source = drop / "a.tif"
    source.write_bytes(b"II*\0 alone")
    before, sighting = tree(drop), seen(drop)

    for name in (first, second):
        crashed_at(name, 1, lambda: run("archive", sighting, archive, RECEIPT))

    assert run("archive", sighting, archive, RECEIPT).outcome == "archived"
    assert tree(archive) == {**before, **TOLD}
    assert len(names(archive)) == 2


def test_a_taken_name_of_a_receipt_gives_the_source_another_one(drop: Path, archive: Path) -> None:
    """Nothing that lies in the archive is replaced, and both keep one name."""
    (archive / "a.tif.receipt.json").write_bytes(b"somebody's")
    sighting = make_group(drop)

    assert run("archive", sighting, archive, RECEIPT) == Disposed("archived", bytes(archive / "a-2.tif"))

    assert (archive / "a.tif.receipt.json").read_bytes() == b"somebody's"
    assert (archive / "a-2.tif.receipt.json").read_bytes() == RECEIPT


def test_a_name_that_is_taken_in_the_last_instant_is_told(
    drop: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source waits with a reason, and goes on once the stranger is moved."""
    sighting = make_group(drop)
    take = archiving.Archive._take

    def taken(self, *args):
        number = take(self, *args)
        (archive / "a.tif.receipt.json").write_bytes(b"somebody's")
        return number

    monkeypatch.setattr(archiving.Archive, "_take", taken)
    with pytest.raises(LocalError, match=r"a\.tif\.receipt\.json is not the receipt.*Move it elsewhere"):
        run("archive", sighting, archive, RECEIPT)
    monkeypatch.undo()
    (archive / "a.tif.receipt.json").unlink()

    assert run("archive", sighting, archive, RECEIPT).outcome == "archived"
    assert (archive / "a.tif.receipt.json").read_bytes() == RECEIPT


def test_a_source_that_stays_has_no_receipt(drop: Path, archive: Path) -> None:
    """It was changed while it was hidden: what was written for it goes."""
    sighting = make_group(drop)
    crashed_at("dispose.hidden", 1, lambda: run("archive", sighting, archive, RECEIPT))
    (hidden,) = drop.glob(".uploader-*/a.tif")
    hidden.write_bytes(b"changed")

    assert run("archive", sighting, archive, RECEIPT) == Disposed("replaced")
    assert list(archive.iterdir()) == []


def test_a_source_that_vanished_has_no_receipt(drop: Path, archive: Path) -> None:
    """Somebody took it after the receipt was written."""
    sighting = make_group(drop)
    crashed_at("dispose.recorded", 1, lambda: run("archive", sighting, archive, RECEIPT))
    (drop / "a.tif").unlink()

    assert run("archive", sighting, archive, RECEIPT).outcome == "missing"
    assert list(archive.iterdir()) == []


def test_a_full_archive_leaves_the_source_where_it_is(
    drop: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt comes first: without it nothing is hidden or moved."""
    sighting = make_group(drop)
    before = tree(drop)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("uploader.disposal.archived_receipt.os.fsync", full)
    with pytest.raises(NoSpace, match=r"full .*Make room"):
        run("archive", sighting, archive, RECEIPT)
    monkeypatch.undo()

    assert tree(drop) == before
    assert not list(archive.iterdir())


@pytest.mark.parametrize("length", [3, 242, 243, 255])
def test_its_name_is_never_too_long(length: int) -> None:
    """A name that has no room for more is cut, and two that begin alike stay apart."""
    name = b"\xc3\xa4" * (length // 2) + b"x" * (length % 2)
    other = name[:-1] + b"y"

    assert len(receipt_name(name)) <= 255
    assert receipt_name(name) != receipt_name(other)
    assert receipt_name(name).endswith(b".receipt.json")
