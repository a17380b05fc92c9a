"""One daemon for a state directory and for each drop folder: advisory locks that die with the process."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from uploader.core.errors import AlreadyRunning, ConfigurationError
from uploader.system import files as fs

_WAY_OUT = "Stop it first, or give this one a configuration of its own."


class FolderLock:
    """The lock of a drop folder, which may be mounted later, or another one after a while."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def take(self) -> bool:
        """Lock the folder that lies there now; False where another process has it.

        Raises OSError where it cannot be opened. A file system without locks, such as some network mounts, counts as
        locked: the lock of the state directory remains.
        """
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if self._is(directory):
            os.close(directory)
            return True
        if not _locked(directory):
            os.close(directory)
            return False
        self.release()
        self._held = directory
        return True

    def release(self) -> None:
        """Give it back, also where a child that is just being started has inherited it for a moment."""
        if self._held is not None:
            with suppress(OSError):
                fcntl.flock(self._held, fcntl.LOCK_UN)
            os.close(self._held)
            self._held = None

    def _is(self, directory: int) -> bool:
        """Whether this is the folder that is locked already."""
        if self._held is None:
            return False
        try:
            return os.path.sameopenfile(directory, self._held)
        except OSError:
            return False  # the one that was locked is no longer known to its server


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
            lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _keep_the_name(state_dir)
        except OSError as error:
            raise ConfigurationError(
                f"The state directory {state_dir} cannot be used: {error.strerror}.",
                "Create it for the user that runs this, or set state_dir.",
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
