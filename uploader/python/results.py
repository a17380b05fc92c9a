"""What a push answers, and what it tells while it runs: plain values, loaded without anything else."""

from __future__ import annotations

from dataclasses import dataclass

from uploader.convert.job import RasterWarning
from uploader.core.errors import UploaderError


@dataclass(frozen=True, slots=True)
class Item:
    r"""A file that is an item.

    `path` is absolute, bytes of it that are no UTF-8 as `\xe9`; `item_id` is None where the platform does not show
    which of a session's items it is; `object_name` is what the file is called on the platform.
    """

    path: str
    item_id: str | None
    object_name: str
    warnings: tuple[RasterWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that is no item and will not become one as it is."""

    path: str
    reason: str
    way_out: str


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of the files that were named: each is in one of the two, in the order of the paths."""

    items: tuple[Item, ...]
    rejected: tuple[RejectedFile, ...]


class PushHeld(UploaderError):
    """Something holds files back that is no fault of theirs: the key, a quota, the network, a full disk.

    `result` has what was done all the same. The same push goes on where this one ended.
    """

    def __init__(self, reason: str, way_out: str, result: PushResult) -> None:
        super().__init__(reason, way_out)
        self.result = result


@dataclass(frozen=True, slots=True)
class FileProgress:
    """A file that is being worked on, by its name without folders.

    `step` is claim (it is copied), convert or put (it is sent). Of `total` bytes `done` are done; only while a file is
    sent is that known as it goes.
    """

    name: str
    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push is. Files are done when they are items or rejected; sizes are those of the sources, in bytes.

    Of a file that is being sent the share counts that has left. The totals grow while folders are looked through.
    """

    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    running: tuple[FileProgress, ...] = ()
