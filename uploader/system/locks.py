"""One daemon for a state directory and for each drop folder: advisory locks that die with the process."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from uploader.core.errors import AlreadyRunning, ConfigurationError
from uploader.system import files as fs

_WAY_OUT = "Stop it first, or give this one a configuration of its own."
_USABLE = {
    errno.EACCES: "Run this as the daemon's user or as root, or set state_dir to a folder of this user's.",
    errno.EROFS: "Mount it so that it can be written to, or set state_dir.",
    errno.ENOSPC: "Make room there, or set state_dir.",
}
"""What to do about a state directory, by what the system says."""


class FolderLock:
    """The lock of a drop folder, which may be mounted later, or another one after a while. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None
        self._released = False
        self._guard = threading.Lock()
        """Of the two above; nobody asks a disk meanwhile, which may not answer."""

    def take(self) -> bool:
        """Lock the folder that lies there now; False where another process has it.

        Raises OSError where it cannot be opened. A file system without locks, such as some network mounts, counts as
        locked: the lock of the state directory remains. After `release` nothing is locked any more: a scan may still
        ask whose folder has left, and its answer is nobody's.
        """
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if self._settled(directory):
            os.close(directory)
            return True
        if not _locked(directory):
            settled = self._settled(directory)  # by another thread of ours, a moment ago
            os.close(directory)
            return settled
        with self._guard:
            if self._released:
                earlier: int | None = directory
            else:
                earlier, self._held = self._held, directory
        _unlock(earlier)
        return True

    def release(self) -> None:
        """Give it back for good, also where a child that is just being started has inherited it for a moment."""
        with self._guard:
            self._released = True
            held, self._held = self._held, None
        _unlock(held)

    def _settled(self, directory: int) -> bool:
        """Whether there is nothing to lock: this folder is locked already, or never again."""
        with self._guard:
            released, held = self._released, self._held
        return released or (held is not None and _same(directory, held))


class FolderLocks:
    """The locks of a daemon's drop folders; those that are named when it is made are not taken yet."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._locks = {folder: FolderLock(folder) for folder in folders}
        self._users = Counter(folders)
        """A folder that leaves and is added again meanwhile has two for a while."""

    def __getitem__(self, folder: Path) -> FolderLock:
        return self._locks[folder]

    def add(self, folder: Path) -> None:
        """Lock one more, in so far as it exists. Raises AlreadyRunning where another process has it."""
        lock = self._locks.get(folder) or FolderLock(folder)
        with suppress(OSError):  # a missing folder is a hold, not the end; it is locked once it is there
            if not lock.take():
                raise AlreadyRunning(f"Another daemon is watching the drop folder {folder}.", _WAY_OUT)
        self._locks[folder] = lock
        self._users[folder] += 1

    def remove(self, folder: Path) -> None:
        """Give one back that was added, once; nothing happens where it is not among them."""
        if folder not in self._locks:
            return
        self._users[folder] -= 1
        if self._users[folder] <= 0:
            del self._users[folder]
            self._locks.pop(folder).release()

    def release(self) -> None:
        """Give all back."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()
        self._users.clear()


@contextmanager
def hold_locks(state_dir: Path, folders: Sequence[Path]) -> Iterator[FolderLocks]:
    """Hold the locks of the state directory (made if need be) and of the drop folders, in so far as they exist.

    Raises AlreadyRunning where another process holds one, ConfigurationError where the state directory cannot be used.
    """
    with ExitStack() as stack:
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fs.give_to_owner(state_dir, lock)
            _keep_the_name(state_dir)
        except OSError as error:
            raise ConfigurationError(
                f"The state directory {state_dir} cannot be used: {fs.words(error)}.",
                _USABLE.get(error.errno or 0, "Create it for the user that runs this, or set state_dir."),
            ) from error
        stack.callback(os.close, lock)
        if not _locked(lock):
            raise AlreadyRunning(f"Another daemon is running with the state directory {state_dir}.", _WAY_OUT)
        locks = FolderLocks()
        stack.callback(locks.release)
        for folder in folders:
            locks.add(folder)
        yield locks


def _keep_the_name(folder: Path) -> None:
    """Let a folder outlast a power cut: its journal is of no use below a name that is gone.

    Also one that was there before: who made it may have been killed in between. What may not be opened above it was
    not made by us.
    """
    with suppress(OSError):
        for above in folder.absolute().parents:
            fs.sync_directory(above)


def _locked(descriptor: int) -> bool:
    """Take a lock; False where another process has it, and not where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _unlock(descriptor: int | None) -> None:
    if descriptor is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _same(directory: int, held: int) -> bool:
    try:
        return os.path.sameopenfile(directory, held)
    except OSError:
        return False  # the one that was locked is no longer known to its server
