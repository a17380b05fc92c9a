"""The mark on a drop folder."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from uploader.core import naming
from uploader.folders.ownership import ATTRIBUTE, FILE, MOST, Owner, foreign, give, mark, owner_of, strangers
from uploader.journal import Journal

pytestmark = pytest.mark.unit

MINE, OTHER = Owner("0123456789abcdef", "/var/lib/up loader"), Owner("f" * 16, "/old")


@pytest.fixture(params=["attribute", "file"])
def _kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems with extended attributes, and without."""
    if request.param == "file":

        def refused(*_: object) -> bytes:
            raise OSError(errno.ENOTSUP, "not supported")

        monkeypatch.setattr(os, "setxattr", refused)
        monkeypatch.setattr(os, "getxattr", refused)


@pytest.mark.usefixtures("_kind")
def test_a_mark_is_read_as_it_was_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And another one takes its place; whose folder it was is logged."""
    assert owner_of(tmp_path) is None
    assert mark(tmp_path, OTHER)
    assert owner_of(tmp_path) == OTHER
    assert "/old" in foreign(tmp_path, MINE.journal)
    give([tmp_path], MINE)
    assert owner_of(tmp_path) == MINE
    assert foreign(tmp_path, MINE.journal) == ""
    assert "/old" in caplog.text
    assert all(naming.ignored(os.fsencode(entry.name)) for entry in tmp_path.iterdir())


def test_a_mark_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """It told of no event, so no journal is behind it."""
    os.setxattr(tmp_path, ATTRIBUTE, b"0123456789abcdef /var/lib/up loader")
    assert owner_of(tmp_path) == MINE


def test_a_folder_that_knows_more_than_its_journal_is_strange(tmp_path: Path) -> None:
    """The state directory was put back; one that is as far as the mark, or further, was not."""
    (tmp_path / "state").mkdir()
    (tmp_path / "drop").mkdir()
    journal = Journal(tmp_path / "state")
    own = Owner(journal.identity, str(tmp_path / "state"), 7)
    journal.close()

    mark(tmp_path / "drop", own)
    assert "event 7" in strangers([tmp_path / "drop"], tmp_path / "state")[tmp_path / "drop"]
    mark(tmp_path / "drop", replace(own, event=0))
    assert strangers([tmp_path / "drop"], tmp_path / "state") == {}


def test_all_folders_that_are_not_of_a_journal_are_named(tmp_path: Path) -> None:
    """Each with why; those without a mark, those that are not there, and its own are not among them."""
    (tmp_path / "state").mkdir()
    journal = Journal(tmp_path / "state")
    own = Owner(journal.identity, str(tmp_path / "state"))
    journal.close()
    owners = {"mine": own, "later": replace(own, event=9), "plain": None, "other": OTHER, "missing": None}
    for name, owner in owners.items():
        if name != "missing":
            (tmp_path / name).mkdir()
        if owner is not None:
            mark(tmp_path / name, owner)

    found = strangers((tmp_path / name for name in owners), tmp_path / "state")

    assert [path.name for path in found] == ["later", "other"]
    assert "event 9" in found[tmp_path / "later"]
    assert "The one in" in found[tmp_path / "other"]
    assert "is another one" in found[tmp_path / "other"]
    assert "does not exist yet" in strangers([tmp_path / "mine"], tmp_path / "new")[tmp_path / "mine"]


@pytest.mark.parametrize("data", [b"", b"x", b"0123456789abcdef", b"0123456789ABCDEF /x", b"\xff" * 9000])
def test_a_mark_that_is_none_of_ours_is_none(tmp_path: Path, data: bytes) -> None:
    """Whoever wrote it, as an attribute or as a file."""
    (tmp_path / os.fsdecode(FILE)).write_bytes(data)
    assert owner_of(tmp_path) is None
    if len(data) < MOST:
        (tmp_path / os.fsdecode(FILE)).unlink()
        os.setxattr(tmp_path, ATTRIBUTE, data)
        assert owner_of(tmp_path) is None


def test_a_mark_is_no_door_to_other_files(tmp_path: Path) -> None:
    """A link or a pipe in its place is not read, and nothing is written through it."""
    (tmp_path / "secret").write_bytes(b"0123456789abcdef /x")
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / os.fsdecode(FILE)).symlink_to(tmp_path / "secret")
    assert owner_of(drop) is None
    (drop / os.fsdecode(FILE)).unlink()
    os.mkfifo(drop / os.fsdecode(FILE))
    assert owner_of(drop) is None
    assert owner_of(tmp_path / "missing") is None
    assert not mark(tmp_path / "missing", MINE)
