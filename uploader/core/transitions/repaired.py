"""What a repair of the journal has learned of files: items of those that are not known, those that may be items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uploader.core.transitions.records import NEW_STEP

UNSURE = (
    "It lay here when the journal was repaired, and nobody can tell whether it was uploaded before: the platform does "
    "not show the names of its files. Look there; `uploader retry` on this file says that it is missing and uploads it."
)


@dataclass(frozen=True, slots=True)
class KnownItem:
    """A record that the platform has shown at a repair, and that is no file's yet: its row, and its item's id."""

    id: int
    item_id: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair has left to say of one file; of most nothing.

    `name` is the file's name on the platform and `after_upload` its folder's policy, for where there is an item.
    """

    item: KnownItem | None = None
    unsure: bool = False
    name: str = ""
    after_upload: str = ""


NOTHING = Repaired()
"""No repair knows anything of the file."""


def recognised(now: float, item_id: str, name: str, after_upload: str) -> tuple[str, dict[str, Any]]:
    """The note and the columns of a file whose item the platform has shown."""
    disposal = "kept" if after_upload == "keep" else None
    columns = {
        "item_id": item_id or None,
        "file_name": name,
        "after_upload": after_upload,
        "disposal": disposal,
    }
    return f"the platform has it as {item_id}", {**NEW_STEP, **columns, "completed_at": now}
