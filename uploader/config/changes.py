"""The only place that tells what a configuration that is read again changes, at once or with the next start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from uploader.config.sections import Folder
from uploader.config.settings import Settings

AT_A_START = frozenset(
    {"state_dir", "staging.dir", "convert.workers", "platform", "dashboard"}
    | {f"convert.{key}" for key in ("engine", "scheduler", "fallback")}
    | {f"convert.tls_{what}_file" for what in ("ca", "cert", "key")}
)
"""Keys, and sections as a whole, that a running daemon cannot change: locks, sockets and processes hang on them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the settings that a daemon runs with and those that were read."""

    settings: Settings
    """What holds from now on: as it was read, but for what needs a start."""
    live: tuple[str, ...] = ()
    """Keys that hold at once, as `section.key`."""
    restart: tuple[str, ...] = ()
    """Keys that hold after the next start."""
    added: tuple[Folder, ...] = ()
    removed: tuple[Folder, ...] = ()
    changed: tuple[Folder, ...] = ()
    """Folders whose keys have changed, with the new ones."""


def compare(running: Settings, read: Settings) -> Changes:
    """Tell what `read` changes. A folder is known by its path."""
    keys = list(_keys(running, read))
    before = {folder.path: folder for folder in running.folders}
    after = {folder.path: folder for folder in read.folders}
    return Changes(
        settings=_kept(running, read),
        live=tuple(key for key in keys if not _waits(key)),
        restart=tuple(key for key in keys if _waits(key)),
        added=tuple(folder for path, folder in after.items() if path not in before),
        removed=tuple(folder for path, folder in before.items() if path not in after),
        changed=tuple(folder for path, folder in after.items() if before.get(path, folder) != folder),
    )


def _keys(running: Settings, read: Settings) -> Iterator[str]:
    """The keys that differ, but for those of folders."""
    old, new = running.model_dump(exclude={"folders"}), read.model_dump(exclude={"folders"})
    for name, value in old.items():
        if isinstance(value, dict):
            yield from (f"{name}.{key}" for key in value if value[key] != new[name][key])
        elif value != new[name]:
            yield name


def _waits(key: str) -> bool:
    return key in AT_A_START or key.partition(".")[0] in AT_A_START


def _kept(running: Settings, read: Settings) -> Settings:
    """What was read, with what needs a start as it was."""
    update: dict[str, Any] = {}
    for place in AT_A_START:
        section, _, key = place.partition(".")
        old, new = getattr(running, section), update.get(section, getattr(read, section))
        update[section] = new.model_copy(update={key: getattr(old, key)}) if key else old
    return read.model_copy(update=update)
