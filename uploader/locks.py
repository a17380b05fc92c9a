"""One daemon for a state directory and for each drop folder: advisory locks that die with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from uploader import filesystem as fs
from uploader.core.errors import AlreadyRunning, ConfigurationError


@contextmanager
def hold_locks(state_dir: Path, folders: Sequence[Path]) -> Iterator[None]:
    """Hold the locks of the state directory (made if need be) and of the drop folders that exist.

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
        _take(lock, f"Another daemon is running with the state directory {state_dir}.")
        for folder in folders:
            try:
                directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                continue  # a missing folder is a hold, not the end; it is locked by nobody
            stack.callback(os.close, directory)
            _take(directory, f"Another daemon is watching the drop folder {folder}.")
        yield


def _keep_the_name(folder: Path) -> None:
    """Let a folder outlast a power cut: its journal is of no use below a name that is gone.

    Also one that was there before: who made it may have been killed in between. What may not be opened above it was
    not made by us.
    """
    with suppress(OSError):
        for above in folder.absolute().parents:
            fs.sync_directory(str(above))


def _take(descriptor: int, message: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRunning(message, "Stop it first, or give this one a configuration of its own.") from None
    except OSError:
        pass  # a file system without locks, such as some network mounts: the state directory's lock remains
