"""One daemon for a state directory and a drop folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import mounts
from uploader.core.errors import AlreadyRunning, ConfigurationError
from uploader.system import locks as locks_module
from uploader.system.locks import FolderLock, FolderLocks, hold_locks

pytestmark = pytest.mark.unit


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """By the drop folder, though its state directory is another one; and no longer once the first has ended."""
    drop = tmp_path / "drop"
    drop.mkdir()
    with hold_locks(tmp_path / "one", [drop]):
        with pytest.raises(AlreadyRunning, match="drop folder"), hold_locks(tmp_path / "two", [drop]):
            pass
        with pytest.raises(AlreadyRunning, match="state directory"), hold_locks(tmp_path / "one", []):
            pass
    with hold_locks(tmp_path / "two", [drop]):
        pass


@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
def test_a_state_directory_on_a_read_only_disk_is_told_as_that(tmp_path: Path) -> None:
    """To create it, which was the advice, would help nobody."""
    with mounts.tmpfs(tmp_path / "state"):
        mounts.remount(tmp_path / "state", "ro")
        with pytest.raises(ConfigurationError) as refused, hold_locks(tmp_path / "state", []):
            pass

    assert "mounted read-only" in refused.value.reason
    assert refused.value.way_out == "Mount it so that it can be written to, or set state_dir."


def test_a_folder_that_comes_later_is_locked_when_it_is_there(tmp_path: Path) -> None:
    """As one that is mounted after the start; whoever comes second is told so."""
    drop = tmp_path / "drop"
    with hold_locks(tmp_path / "one", [drop]) as locks:
        with pytest.raises(FileNotFoundError):
            locks[drop].take()
        drop.mkdir()
        assert locks[drop].take()
        assert not FolderLock(drop).take()


def test_locks_come_and_go_beside_others(tmp_path: Path) -> None:
    """A folder more is locked or refused, also twice; one less is free for others; at the end all are."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    with hold_locks(tmp_path / "state", [one]) as locks, hold_locks(tmp_path / "other", []) as others:
        with pytest.raises(AlreadyRunning, match="drop folder"):
            others.add(one)
        locks.add(two)
        locks.add(two)
        locks.remove(one)
        locks.remove(one)
        others.add(one)
        assert not FolderLock(two).take()
    assert FolderLock(one).take()
    assert FolderLock(two).take()


def test_the_folder_that_lies_there_now_is_the_one_that_is_locked(tmp_path: Path) -> None:
    """Another folder at the same place is locked anew, and the former one is let go."""
    drop, former = tmp_path / "drop", tmp_path / "former"
    drop.mkdir()
    own = FolderLock(drop)
    assert own.take()
    drop.rename(former)
    drop.mkdir()

    assert own.take()
    assert FolderLock(former).take()
    assert not FolderLock(drop).take()
    own.release()
    assert FolderLock(drop).take()


def test_a_folder_that_leaves_and_comes_back_stays_locked(tmp_path: Path) -> None:
    """Whoever gives it back that it left by gives back one of two."""
    locks = FolderLocks()
    locks.add(tmp_path)
    locks.add(tmp_path)
    locks.remove(tmp_path)
    assert not FolderLock(tmp_path).take()
    locks.remove(tmp_path)
    other = FolderLock(tmp_path)
    assert other.take()
    locks.remove(tmp_path)
    assert not FolderLock(tmp_path).take(), "nothing happens where it is not among them"
    other.release()


def test_a_lock_is_given_back_that_a_child_has_inherited(tmp_path: Path) -> None:
    """Between its fork and its exec it has all descriptors of its parent."""
    lock = FolderLock(tmp_path)
    assert lock.take()
    assert lock._held is not None
    inherited = os.dup(lock._held)
    try:
        lock.release()
        assert FolderLock(tmp_path).take()
    finally:
        os.close(inherited)


def test_a_lock_that_was_given_back_is_not_taken_again(tmp_path: Path) -> None:
    """A scan may still ask for it whose folder has left; the folder would be another daemon's for ever."""
    locks = FolderLocks()
    locks.add(tmp_path)
    late = locks[tmp_path]
    locks.remove(tmp_path)

    assert late.take()

    locks.add(tmp_path)
    assert not FolderLock(tmp_path).take()


def test_a_lock_that_is_given_back_while_it_is_taken_stays_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan is a thread, and who gives the folder up does not wait for it."""
    lock = FolderLock(tmp_path)
    locked = locks_module._locked

    def slow(descriptor: int) -> bool:
        found = locked(descriptor)
        lock.release()
        return found

    monkeypatch.setattr(locks_module, "_locked", slow)
    assert lock.take()
    monkeypatch.undo()

    assert FolderLock(tmp_path).take()
