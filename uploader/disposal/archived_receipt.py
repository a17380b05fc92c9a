"""The receipt beside an archived source: durable before the source moves, under its name once the source has its own.

It waits under a hidden name, as which name the source gets is only known when it arrives. A repeat after a kill goes on
from where it lies, and the end is one receipt.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from uploader.core import naming
from uploader.core.errors import NO_ROOM, LocalError, NoSpace
from uploader.core.path_text import shown
from uploader.system import files as fs
from uploader.system.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class ArchivedReceipt:
    """What is laid beside a source into the open folder `fd`, which `path` names for people.

    `token` keeps the hidden names of different sources apart.
    """

    fd: int
    path: bytes
    token: bytes
    content: bytes

    @property
    def waiting(self) -> bytes:
        """The hidden name."""
        return naming.hidden(self.token + b"\0receipt") + b".part"

    def record(self) -> None:
        """Write it under its hidden name, durably. May be repeated. Raises NoSpace, OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(self.waiting, flags, 0o600, dir_fd=self.fd)
            with os.fdopen(fd, "wb") as file:
                file.write(self.content)
                file.flush()
                with suppress(OSError):  # a mount with rights of its own
                    os.fchmod(fd, 0o644)
                os.fsync(fd)
        except OSError as error:
            self.forget()
            if error.errno in NO_ROOM:
                raise NoSpace(f"The archive {shown(self.path)}: {fs.words(error)}.", "Make room.") from error
            raise
        fs.sync_names(self.fd)
        failpoint("dispose.recorded")

    def place(self, source: bytes) -> None:
        """Give it its name beside the archived source of this name, replacing nothing. May be repeated.

        Raises LocalError where somebody else has taken the name meanwhile.
        """
        name = naming.receipt_name(source)
        waits = fs.exists(self.waiting, self.fd)
        if not waits and fs.exists(name, self.fd):
            return  # placed before a kill
        if not waits:
            self.record()
        try:
            fs.rename_noreplace(self.waiting, self.fd, name, self.fd)
        except FileExistsError:
            if not self._is(name):
                raise LocalError(
                    f"{shown(self.path)}/{shown(name)} is not the receipt of the source beside it.",
                    "Move it elsewhere; the receipt is then written there.",
                ) from None
            self.forget()
        fs.sync_names(self.fd)
        failpoint("dispose.placed")

    def _is(self, name: bytes) -> bool:
        with suppress(OSError), fs.opened(name, self.fd) as fd:
            return os.read(fd, len(self.content) + 1) == self.content
        return False

    def forget(self) -> None:
        """Remove what waits: the source stays where it is."""
        fs.remove_quietly(self.waiting, self.fd)
