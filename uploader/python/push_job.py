"""A push from its paths to what came of them, the same for the command and for Python programs.

The paths become drop folders of a daemon that runs to its end. Its journal lies where the same target finds it again,
so that a push that was broken off goes on when it is asked for again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uploader.config import BatchSection, DashboardSection, Settings, StagingSection
from uploader.core.errors import UploaderError
from uploader.core.lifecycle import ITEMS
from uploader.core.path_text import shown
from uploader.journal import Reader
from uploader.python.push_folders import folders_of
from uploader.system.files import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NO_FILES = frozenset({"gone", "unpacked"})
"""States of what is not told as a file: it is not there any more, or the files in it are told."""


def home() -> Path:
    """Where the state of pushes lies, unless somebody says otherwise."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    return state / "uploader" / "push"


def settings_of(
    paths: Sequence[Path],
    project: str,
    collection: str,
    base: Settings,
    *,
    state_dir: Path | None = None,
    declared: Mapping[str, str] | None = None,
) -> Settings:
    """Describe the paths as drop folders, with the platform and the limits of `base`.

    Below `state_dir` each target has a state directory of its own: what is an item of one project is none of another.
    `declared` are keys of the drop folders.
    """
    target = f"{base.platform.base_url}\0{project}\0{collection}"
    return Settings(
        state_dir=(state_dir or home()) / hashlib.sha256(target.encode()).hexdigest()[:16],
        platform=base.platform,
        folders=tuple(
            folder.model_copy(update=declared or {}) for folder in folders_of(paths, project, collection)
        ),
        staging=StagingSection(max_bytes=base.staging.max_bytes),
        convert=base.convert,
        batch=BatchSection(
            max_files=base.batch.max_files, max_bytes=base.batch.max_bytes, linger_seconds=1.0
        ),
        transfer=base.transfer,
        limits=base.limits,
        dashboard=DashboardSection(listen=""),
    )


@contextmanager
def alone(state_dir: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Let no other push to the same target run during the block.

    Where one runs, `busy` is called, and may raise; else its end is waited for.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (state_dir / "push.lock").open("w")
    except OSError as error:
        raise UploaderError(
            f"What a push remembers cannot be kept in {state_dir}: {words(error)}.",
            "Name a folder that can be written to by $XDG_STATE_HOME, or in Python by state_dir.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def outcome(state_dir: Path, named: Callable[[str], bool]) -> dict[str, Any]:
    """Read from the journal what became of the files that are named, each in its newest version.

    Raises UploaderError where there are none.
    """
    with Reader(state_dir) as reader:
        status = reader.status()
        states = {entry["path"]: entry["state"] for entry in reader.files() if named(entry["path"])}
        items = {item["path"]: item for item in reader.items()}
    files = [path for path, state in states.items() if state not in NO_FILES]
    if not files:
        raise UploaderError(
            "There is nothing to upload at these paths.", "Folders are searched for *.tif and *.tiff."
        )
    failed = [entry for entry in status["failed"] if named(entry["path"])]
    return {
        "files": len(files),
        "items": [items[path] for path in files if states[path] in ITEMS],
        "rejected": len(failed),
        "failed": failed,
        "holds": status["holds"],
        "warnings": [warning for warning in status["warnings"] if named(warning["path"])],
    }


def naming(paths: Sequence[Path]) -> Callable[[str], bool]:
    """Tell whether a path, as the journal spells it for people, is one of these or below one of them."""
    exact = [
        path.resolve() if path.is_dir() else path.absolute().parent.resolve() / path.name for path in paths
    ]
    wanted = {shown(str(path)) for path in exact}
    return lambda path: path in wanted or any(str(parent) in wanted for parent in Path(path).parents)
