"""Where the configuration lies, and reading it from there."""

from __future__ import annotations

import os
from pathlib import Path

from uploader.config.error_messages import load_document, load_part
from uploader.config.settings import Settings
from uploader.core.errors import ConfigurationError

SYSTEM_FILE = Path("/etc/uploader/config.toml")


def load(path: Path, *, need_folders: bool = True, look: bool = True) -> Settings:
    """Read and check the file at `path`; without `look` without a look at where its folders lie.

    Relative paths in the file start at its own folder.
    Raises `ConfigurationError` whose text has one line for every mistake in it.
    """
    return load_document(Settings, path, need_folders=need_folders, look=look)


def load_state_dir(path: Path) -> Settings | None:
    """Settings of which only `state_dir` is the file's, which may be wrong elsewhere; None where it cannot be read."""
    return load_part(Settings, path, ("state_dir",))


def find(option: str | None) -> Path:
    """Choose the file: the option, `$UPLOADER_CONFIG`, `./config.toml`, the user's, the system's.

    What was named must exist when it is read; of the other places the first that exists is taken. Raises
    `ConfigurationError` naming them all when there is none.
    """
    named = option or os.environ.get("UPLOADER_CONFIG")
    if named:
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    places = (Path("config.toml"), home / "uploader" / "config.toml", SYSTEM_FILE)
    for place in places:
        if place.is_file():
            return place
    raise ConfigurationError(
        f"No configuration file was found at {', '.join(map(str, places))}.",
        "Name one with -c FILE or $UPLOADER_CONFIG, or have `uploader init` write one.",
    )
