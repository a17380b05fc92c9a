"""What a repaired journal may believe: which of the platform's records are files of ours, and whether that is certain.

A record is recognised by the file name it carries, because the name has the content's hash in it. Each record accounts
for one file. Where names do not come back, nothing is recognised and nothing may be sent again unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from uploader.core.configuration import Folder
from uploader.core.matching import our_stems
from uploader.core.path_text import raw
from uploader.core.scene_rules import Placement


@dataclass(frozen=True, slots=True)
class Target:
    """Where items of ours are looked for: a project, a collection of it, or the assets of one item."""

    project_id: str
    collection_id: str = ""
    item_id: str = ""

    @classmethod
    def of(cls, destination: Folder) -> Target:
        """Where the files of a folder go."""
        return cls(destination.project_id, destination.collection_id, destination.item_id)


@dataclass(frozen=True, slots=True)
class Listed:
    """One record of a listing: an item, or an asset of the target's item.

    `stems` are the file names of ours that it carries, without their extensions.
    """

    target: Target
    record_id: str
    item_id: str
    upload_id: str
    stems: frozenset[str]

    @classmethod
    def of(cls, target: Target, record: Mapping[str, Any]) -> Listed:
        """What matters of a record of the platform."""
        record_id = str(record.get("id") or "")
        upload_id = record.get("upload_id")
        return cls(
            target,
            record_id,
            target.item_id or record_id,
            upload_id if isinstance(upload_id, str) else "",
            our_stems(record),
        )


def names_come_back(listed: Iterable[Listed], items: Collection[str], uploads: Collection[str]) -> bool:
    """Whether a file that is not among these records of a target is surely not there.

    So it is where the target is empty, or where names are shown and every record that is known to be ours, by its id
    or its session's, shows one.
    """
    records = list(listed)
    if not records:
        return True
    ours = [one for one in records if one.item_id in items or (one.upload_id and one.upload_id in uploads)]
    return any(one.stems for one in records) and all(one.stems for one in ours)


def item_of_scene(
    place: Callable[[bytes], object], path: bytes, listed: Iterable[tuple[str, str]]
) -> str | None:
    """The item that has other rasters of the scene of the file at this path, told by their names; None: no item has.

    `listed` are file names of ours without their extensions, each with its item. An item that has the file's asset
    already is that of an earlier version of the file.
    """
    placed, (directory, slash, name) = place(path), path.rpartition(b"/")
    if not isinstance(placed, Placement) or not placed.spelled:
        return None
    extension = name[name.rfind(b".") :] if b"." in name else b""
    assets: dict[str, set[str]] = {}
    for stem, item_id in listed:
        other = place(directory + slash + raw(stem[:-_CONTENT]) + extension)
        if isinstance(other, Placement) and other.spelled and _alike(other, placed):
            assets.setdefault(item_id, set()).add(other.asset.casefold())
    return next((item for item, had in assets.items() if placed.asset.casefold() not in had), None)


def _alike(one: Placement, other: Placement) -> bool:
    return (one.item, one.collection) == (other.item, other.collection)


_CONTENT = len("-0123456789ab")
"""What ends a file name of ours, its extension apart."""
