"""The key of the installed service, for who asks the platform by hand with the service's configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uploader.config import Settings

SYSTEM = Path("/etc")
"""Where configurations lie that are those of a service."""


def of_the_service(path: Path) -> bool:
    """Whether this is a configuration for the service, which is handed its key."""
    return path.absolute().is_relative_to(SYSTEM)


def settings_with_key(config: str | None, *, need_folders: bool = True, look: bool = True) -> Settings:
    """As `common.settings`; where nothing gives a key, it is read from where the service's comes from.

    Only for the service's own configuration: its key must not reach the platform that another one names.
    """
    from uploader.config import find, load
    from uploader.platform.geopera.key_file import VARIABLE
    from uploader.service.unit_files import KEY

    path = find(config)
    chosen = load(path, need_folders=need_folders, look=look)
    given = chosen.platform.api_key_file or {VARIABLE, "CREDENTIALS_DIRECTORY"} & os.environ.keys()
    if given or not of_the_service(path) or not os.access(KEY, os.R_OK):
        return chosen
    platform = chosen.platform.model_copy(update={"api_key_file": KEY})
    return chosen.model_copy(update={"platform": platform})
