"""The configuration: TOML in, typed settings out. The only place for its keys, defaults, checks and complaints."""

from uploader.config.places import find, load
from uploader.config.sections import (
    Batch,
    Convert,
    Dashboard,
    Folder,
    LimitsSection,
    Platform,
    Staging,
    Transfer,
)
from uploader.config.settings import Settings

__all__ = [
    "Batch",
    "Convert",
    "Dashboard",
    "Folder",
    "LimitsSection",
    "Platform",
    "Settings",
    "Staging",
    "Transfer",
    "find",
    "load",
]
