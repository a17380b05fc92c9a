"""Whether the platform has files of ours by name: a few pages of what it lists, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from uploader.config import Folder
from uploader.core.matching import our_stems, stem_of
from uploader.platform.api import PAGE, Platform

PAGES = 10
"""Pages that are read at most."""

ASKED = 20
"""Items whose assets are asked for, where the items themselves show no names of ours."""


async def uploaded(platform: Platform, folder: Folder, names: Sequence[str]) -> list[str]:
    """Those of these file names that are found where the folder's files go. Raises UploaderError."""
    wanted = {stem_of(name): name for name in names}
    found: dict[str, None] = {}
    async for record in _records(platform, folder):
        found.update((wanted[stem], None) for stem in our_stems(record) if stem in wanted)
        if len(found) == len(wanted):
            break
    return list(found)


async def _records(platform: Platform, folder: Folder) -> AsyncIterator[dict[str, Any]]:
    """Items, or the assets of the target item; assets of items, too, where items show no names."""
    if folder.item_id:
        for asset in await platform.list_assets(folder.item_id):
            yield asset
        return
    named, asked, seen = False, 0, set[str]()
    for number in range(PAGES):
        page = await platform.list_items(
            folder.project_id, collection_id=folder.collection_id, limit=PAGE, offset=number * PAGE
        )
        fresh = [record for record in page if str(record.get("id")) not in seen]
        seen.update(str(record.get("id")) for record in fresh)
        for record in fresh:
            yield record
            named = named or bool(our_stems(record))
            if not named and asked < ASKED and record.get("id"):
                asked += 1
                for asset in await platform.list_assets(str(record["id"])):
                    yield asset
        if not fresh:
            return
