"""A configured folder as the watch sees it, and whether it is there, and ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from uploader.folders import device
from uploader.folders.folder_holds import Cause
from uploader.folders.own_places import Territory
from uploader.folders.ownership import Owner, foreign
from uploader.system import files as fs
from uploader.system.locks import FolderLock


@dataclass(frozen=True, slots=True)
class FolderBounds:
    """What a drop folder must not touch, and whose it must be."""

    territory: Territory
    owner: Owner


def absent(folder: str, lock: FolderLock, bounds: FolderBounds | None) -> tuple[Cause, str] | None:
    """Why nothing can be expected from a folder; None where it is there, locked for us, and within bounds. Blocks."""
    try:
        if device(folder) is None:
            what = "is no folder" if Path(folder).exists() else "is missing"
            return Cause.FOLDER, f"The drop folder {folder} {what}."
        if bounds is not None and (why := bounds.territory.conflict(Path(folder))):
            return Cause.OVERLAP, why
        if bounds is not None and (why := foreign(Path(folder), bounds.owner.journal)):
            return Cause.FOREIGN, why
        if not lock.take():
            return Cause.TAKEN, f"Another daemon is watching the drop folder {folder}."
    except OSError as error:
        return Cause.FOLDER, f"The drop folder {folder} cannot be read: {fs.words(error)}."
    return None
