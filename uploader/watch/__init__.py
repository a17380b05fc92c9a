"""The watch: what lies in the drop folders, by scan, by look, and by hint of an event."""

from uploader.core.settling import Extent
from uploader.leases import held_by_writer, prepare_leases
from uploader.watch.events import WHOLE, changes
from uploader.watch.extent import extent
from uploader.watch.missed import Missed
from uploader.watch.probes import blind, device, fault_of_folder, inotify_limits, lease_doubt
from uploader.watch.scanning import look, look_all, paced, scan
from uploader.watch.spec import FolderSpec, Found, Oddity, OddityKind, Trouble

__all__ = [
    "WHOLE",
    "Extent",
    "FolderSpec",
    "Found",
    "Missed",
    "Oddity",
    "OddityKind",
    "Trouble",
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
