"""The watch: what lies in the drop folders, by scan, by look, and by hint of an event."""

from uploader.core.settle_rules import Extent
from uploader.folders.events import WHOLE, changes
from uploader.folders.folder_probes import blind, device, fault_of_folder, inotify_limits, lease_doubt
from uploader.folders.missed_events import Missed
from uploader.folders.scanner import look, look_all, paced, scan
from uploader.folders.spec import FolderSpec, Found, LookProblem, Oddity, OddityKind
from uploader.folders.tiff_extent import extent
from uploader.system.leases import held_by_writer, prepare_leases

__all__ = [
    "WHOLE",
    "Extent",
    "FolderSpec",
    "Found",
    "LookProblem",
    "Missed",
    "Oddity",
    "OddityKind",
    "blind",
    "changes",
    "device",
    "extent",
    "fault_of_folder",
    "held_by_writer",
    "inotify_limits",
    "lease_doubt",
    "look",
    "look_all",
    "paced",
    "prepare_leases",
    "scan",
]
