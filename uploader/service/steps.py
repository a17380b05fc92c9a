"""Steps that change a machine, one after the other: each knows whether it is done, does itself, and can be printed.

`shell` is what a person would type for the same. Steps need to be run in order: a later one may ask what an earlier
one has made.
"""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from uploader.core.errors import UploaderError


class InstallStep(Protocol):
    """One change. `done`, `do` raise OSError, `do` also UploaderError."""

    def done(self, *, changed: bool) -> bool:
        """Whether nothing is to be done; `changed`: an earlier step has changed something."""

    def do(self) -> None:
        """Do it."""

    def shell(self) -> str:
        """The same as lines for a shell."""


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file with this content and mode appears whole. A secret is not printed."""

    path: Path
    content: str = field(repr=False)
    mode: int = 0o644
    secret: bool = False

    def done(self, *, changed: bool) -> bool:  # noqa: ARG002 - a file is as it is
        """Whether it is there as it should be."""
        if not self.path.is_file() or self.path.read_text(encoding="utf-8", errors="replace") != self.content:
            return False
        return not self.secret or stat.S_IMODE(self.path.stat().st_mode) == self.mode

    def do(self) -> None:
        """Write it beside its place, and put it there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self.mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, self.mode)  # whatever the umask
                file.write(self.content)
                file.flush()
                os.fsync(descriptor)
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)

    def shell(self) -> str:
        """As a here document; a secret is left to whoever types it."""
        path, mode = shlex.quote(str(self.path)), f"{self.mode:04o}"
        if self.secret:
            return f"install -Dm{mode} /dev/stdin {path}    # paste the key, then Ctrl-D"
        return f"install -Dm{mode} /dev/stdin {path} <<'END'\n{self.content}END"


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """A folder that is missing is made, for this user and group. One that is there stays as it is."""

    path: Path
    mode: int
    owner: str = ""
    group: str = ""

    def done(self, *, changed: bool) -> bool:  # noqa: ARG002 - likewise
        """Whether it is there, or its disk is not."""
        return self.path.is_dir() or not self.path.parent.is_dir()

    def do(self) -> None:
        """Make it."""
        self.path.mkdir()
        if self.owner:
            shutil.chown(self.path, self.owner, self.group)
        self.path.chmod(self.mode)

    def shell(self) -> str:
        """As `install -d`."""
        owner = f"-o {self.owner} -g {self.group} " if self.owner else ""
        return f"install -d -m {self.mode:04o} {owner}{shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Share:
    """A file or folder of root's, and of root's group, is given to a group with these rights more."""

    path: Path
    group: str
    rights: str
    bits: int

    def done(self, *, changed: bool) -> bool:  # noqa: ARG002 - likewise
        """Whether the group may do so, or it is somebody's who decides himself."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return True
        return found.st_uid != 0 or found.st_gid != 0

    def do(self) -> None:
        """Give it to the group."""
        shutil.chown(self.path, group=self.group)
        self.path.chmod(stat.S_IMODE(self.path.stat().st_mode) | self.bits)

    def shell(self) -> str:
        """As chgrp and chmod."""
        path = shlex.quote(str(self.path))
        return f"chgrp {self.group} {path} && chmod {self.rights} {path}"


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command that is run where it is `needed`, which is told whether an earlier step has changed something."""

    arguments: tuple[str, ...]
    needed: Callable[[bool], bool]

    def done(self, *, changed: bool) -> bool:
        """Whether it need not be run."""
        return not self.needed(changed)

    def do(self) -> None:
        """Run it. Raises UploaderError with what it says where it fails."""
        done = subprocess.run(  # noqa: S603 - what `shell` prints
            self.arguments, check=False, capture_output=True, text=True
        )
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise UploaderError(f"`{self.shell()}` failed: {said}", "Mend that and run the same again.")

    def shell(self) -> str:
        """As it is typed."""
        return shlex.join(self.arguments)


def known(user: str, group: str) -> bool:
    """Whether the machine has this user and this group."""
    try:
        pwd.getpwnam(user)
        grp.getgrnam(group)
    except KeyError:
        return False
    return True
