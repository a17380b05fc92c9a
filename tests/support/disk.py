"""A real disk whose power can be cut, for tests that run as root.

It is a `Volume` shown as a file system by a process of its own:

    with Disk.mounted(folder) as disk:
        ...                                # processes work below `folder`, and are killed
        lost = disk.cut("some", seed=1)    # what was not synced is gone, or not

Whoever still holds a file open after a cut gets ESTALE, as from a disk that was pulled.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support import mounts
from tests.support.fuse import MOST, PAGE, Server
from tests.support.volume import Lost, Volume


def missing() -> str:
    """Why this machine cannot do it; empty where it can."""
    return mounts.missing() or ("" if Path("/dev/fuse").exists() else "no /dev/fuse, so no disk that forgets")


class Disk:
    """A mounted volume, as the test sees it."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._process = process

    @classmethod
    @contextmanager
    def mounted(cls, folder: Path) -> Iterator[Disk]:
        """An empty disk there for the length of a block."""
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.support.disk", str(folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            disk = cls(folder, process)
            try:
                assert disk._ask("ready") == [0, 0]
                yield disk
            finally:
                disk.heal()
                mounts.unmount(folder)
                assert process.stdin is not None
                process.stdin.close()
                process.wait(20)

    def cut(self, what: str, seed: int) -> Lost:
        """The power fails; all processes that used the disk must be dead. See `volume.CUTS`."""
        return Lost(*self._ask("cut", what, seed))

    def arm(self, victim: int, changes: int) -> None:
        """Let the power fail by itself, right before so many changes from now: the victim is killed by it."""
        self._ask("arm", victim, changes)

    def hang(self) -> None:
        """No call returns any more, as on a mount whose server is gone."""
        self._process.send_signal(signal.SIGSTOP)

    def heal(self) -> None:
        """Calls are answered again, also those that hung."""
        self._process.send_signal(signal.SIGCONT)

    def sync(self) -> None:
        """Make everything last."""
        self._ask("sync")

    def _ask(self, *what: object) -> list[int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(what), file=self._process.stdin, flush=True)
        answer: list[int] = json.loads(self._process.stdout.readline())
        return answer


def _mount(folder: Path) -> int:
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40755,user_id=0,group_id=0,allow_other,default_permissions"
    flags = 2 | 4  # no set-user-id, no devices
    if libc.mount(b"unsynced", os.fsencode(folder), b"fuse", flags, options.encode()) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return fd


def _serve(folder: Path) -> None:
    server = Server(Volume())
    fd = _mount(folder)
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == fd:
                    request = os.read(fd, MOST + 2 * PAGE)
                    answer = server.answer(request)
                    if answer is not None:
                        with suppress(FileNotFoundError):  # whoever asked was killed meanwhile
                            os.write(fd, answer)
                elif not _told(server, sys.stdin.readline()):
                    return


def _told(server: Server, line: str) -> bool:
    """Do what the test says; False at the end."""
    if not line:
        return False
    what, *more = json.loads(line)
    lost = Lost(0, 0)
    if what == "cut":
        lost = server.cut(*more)
    elif what == "arm":
        server.arm(*more)
    elif what == "sync":
        server.volume.sync_all()
    sys.stdout.write(json.dumps([lost.writes, lost.names]) + "\n")
    sys.stdout.flush()
    return True


if __name__ == "__main__":
    try:
        _serve(Path(sys.argv[1]))
    except OSError as ended:
        if ended.errno != errno.ENODEV:  # unmounted
            raise
    finally:
        mounts.unmount(Path(sys.argv[1]))  # also when the test was killed
