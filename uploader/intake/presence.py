"""A configured folder as the watch sees it, and whether it is there, and ours."""

from __future__ import annotations

from uploader import filesystem as fs
from uploader.config import Folder
from uploader.intake.standing import Cause
from uploader.locks import FolderLock
from uploader.watch import FolderSpec, device


def spec_of(folder: Folder) -> FolderSpec:
    """What watching needs to know of a configured folder."""
    return FolderSpec(
        path=str(folder.path),
        include=folder.include,
        exclude=folder.exclude,
        passthrough=folder.passthrough,
        recursive=folder.recursive,
        ready_marker=folder.ready_marker,
        polling=folder.polling,
        ignore_below=(str(folder.archive_dir),) if folder.archive_dir else (),
    )


def absent(folder: str, lock: FolderLock) -> tuple[Cause, str] | None:
    """Why nothing can be expected from a folder; None where it is there and locked for us. Blocks."""
    try:
        if device(folder) is None:
            return Cause.FOLDER, f"The drop folder {folder} is missing."
        if not lock.take():
            return Cause.TAKEN, f"Another daemon is watching the drop folder {folder}."
    except OSError as error:
        return Cause.FOLDER, f"The drop folder {folder} cannot be read: {fs.words(error)}."
    return None
