"""The folder in which a demo happens: what lies where, and the configuration that it runs with."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.core.errors import UploaderError

if TYPE_CHECKING:
    from uploader.config import Settings

CONFIG = """\
# What the demo runs with; paths start at this file's folder.
state_dir = "state"

[platform]
base_url = "{base_url}"
api_key_file = "api-key"

[[folders]]
path = "drop"
project_id = "{project}"
settle_seconds = 1.0

[batch]
linger_seconds = 1.0

[limits]
min_free_bytes = "64MiB"

[dashboard]
listen = ""
"""


PREFIX = "uploader-demo-"
"""How the names of folders begin that go with their demo."""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The places below its root."""

    root: Path

    @property
    def drop(self) -> Path:
        """The drop folder."""
        return self.root / "drop"

    @property
    def state(self) -> Path:
        """The state directory of its daemon."""
        return self.root / "state"

    @property
    def platform(self) -> Path:
        """What the local platform keeps."""
        return self.root / "platform"

    @property
    def mark(self) -> Path:
        """Says that the folder is a demo's; there before all else."""
        return self.root / ".uploader-demo"

    @property
    def lock(self) -> Path:
        """Says that the folder goes with its demo, whose process keeps it locked."""
        return self.root / ".uploader-demo-lock"

    @property
    def samples(self) -> Path:
        """What was dropped; there once all of it was."""
        return self.root / "samples.json"

    @property
    def config(self) -> Path:
        """What the daemon and the other commands read."""
        return self.root / "config.toml"


def taken(keep: Path) -> Path:
    """Make or take the folder of a demo: a new one, an empty one, or that of an earlier demo. Raises UploaderError."""
    keep = keep.absolute()
    stage = DemoFolder(keep)
    if keep.exists() and not (stage.mark.is_file() or stage.samples.is_file()) and any(keep.iterdir()):
        raise UploaderError(
            f"{keep} is not empty, and holds no demo to go on with.",
            "Name a folder that does not exist yet, or an empty one.",
        )
    keep.mkdir(parents=True, exist_ok=True)
    stage.mark.touch()
    stage.lock.unlink(missing_ok=True)
    return keep


@contextmanager
def passing() -> Iterator[Path]:
    """Make a folder that goes with this demo; those that killed ones have left behind go before."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            _remove_left(DemoFolder(left))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as root:
        stage = DemoFolder(Path(root))
        fresh = stage.lock.with_suffix(".new")
        with fresh.open("x") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh.rename(stage.lock)  # it is there once it is locked
            yield stage.root


def _remove_left(stage: DemoFolder) -> None:
    """Remove a folder of ours whose demo is gone. Raises OSError where it is another's, or locked."""
    found = stage.root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    with stage.lock.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The lock goes last: where this is cut short, the next demo goes on.
        for entry in set(stage.root.iterdir()) - {stage.lock}:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        shutil.rmtree(stage.root)


def settings(stage: DemoFolder, base_url: str, project: str, api_key: str) -> Settings:
    """Write the configuration as a person would, and read it; with `--keep` it serves the other commands too."""
    from uploader.config import load

    key_file = stage.root / "api-key"
    key_file.touch(mode=0o600)
    key_file.write_text(api_key)
    stage.config.write_text(CONFIG.format(base_url=base_url, project=project))
    return load(stage.config)
