"""The configuration: TOML in, typed settings out. The only place for its keys, defaults, checks and complaints."""

from uploader.config.changes import Changes, compare
from uploader.config.locations import find, load, load_state_dir
from uploader.config.sections import (
    BatchSection,
    ConvertSection,
    DashboardSection,
    Folder,
    LimitsSection,
    NotifySection,
    PlatformSection,
    StagingSection,
    TransferSection,
)
from uploader.config.settings import Settings

__all__ = [
    "BatchSection",
    "Changes",
    "ConvertSection",
    "DashboardSection",
    "Folder",
    "LimitsSection",
    "NotifySection",
    "PlatformSection",
    "Settings",
    "StagingSection",
    "TransferSection",
    "compare",
    "find",
    "load",
    "load_state_dir",
]
