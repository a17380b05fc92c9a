"""All that the platform lists where files of ours go: page by page, until nothing new comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from uploader.core.errors import Refused
from uploader.core.matching import our_stems
from uploader.core.recovery_matching import Listed, Target
from uploader.platform.api import PAGE, Platform
from uploader.platform.patience import CLOSED, patiently

PASSES = 3
"""Times that a listing is read which changes while it is read."""

MOST_DEEP = 5000
"""Items that are asked for their assets one by one, where the listing shows no names."""

PROBED = 3
"""Items after which it is clear whether assets show names."""

Record = dict[str, Any]


async def listing(
    platform: Platform, targets: Iterable[Target], scenes: Collection[Target] = ()
) -> tuple[list[Listed], set[Target]]:
    """Everything that lies in these targets, and those of them that may not be read.

    Collections come before the rest of their project, which they are no part of here. Items of `scenes` are asked for
    their assets one by one; where they are too many, the target counts as one that may not be read.
    """
    found: list[Listed] = []
    closed: set[Target] = set()
    seen: set[str] = set()
    for target in sorted(
        targets, key=lambda t: (not t.collection_id, t.project_id, t.collection_id, t.item_id)
    ):
        try:
            records = await _records(platform, target)
        except Refused as error:
            if error.status not in CLOSED:
                raise
            closed.add(target)
            continue
        new = {key: record for key, record in records.items() if target.item_id or key not in seen}
        if target in scenes and len(new) > MOST_DEEP:
            closed.add(target)
        elif not target.item_id and (
            target in scenes or not any(our_stems(record) for record in new.values())
        ):
            new = await _deeper(platform, new)
        found += [Listed.of(target, record) for record in new.values()]
        if not target.item_id:
            seen.update(records)
    return found, closed


async def _deeper(platform: Platform, records: dict[str, Record]) -> dict[str, Record]:
    """The same items with their assets, if names are shown there; as they were if not, or if they are too many."""
    if len(records) > MOST_DEEP:
        return records
    found: dict[str, Record] = {}
    for number, (key, record) in enumerate(records.items(), start=1):
        found[key] = {**record, "assets": await _assets(platform, key)}
        if number == PROBED and not any(our_stems(one) for one in found.values()):
            return records
    return found


async def _assets(platform: Platform, item_id: str) -> list[Record]:
    try:
        return await patiently(lambda: platform.list_assets(item_id))
    except Refused as error:
        if error.status in {404, 410}:
            return []  # it was removed a moment ago
        raise


async def _records(platform: Platform, target: Target) -> dict[str, Record]:
    if target.item_id:
        assets = await patiently(lambda: platform.list_assets(target.item_id))
        return {str(asset.get("id") or number): asset for number, asset in enumerate(assets)}

    async def page(offset: int) -> list[Record]:
        return await patiently(
            lambda: platform.list_items(
                target.project_id, collection_id=target.collection_id, limit=PAGE, offset=offset
            )
        )

    found: dict[str, Record] = {}
    for _ in range(PASSES):
        first = await page(0)
        end = await _read_on(page, first, found)
        if _ids(await page(0)) == _ids(first) and not await page(end):
            break  # nobody has added or removed anything meanwhile, so no page has slipped by another
    return found


async def _read_on(
    page: Callable[[int], Awaitable[list[Record]]], first: list[Record], found: dict[str, Record]
) -> int:
    """Add all pages to what was found; returns how many records there were."""
    records, offset, pass_seen = first, 0, set[str]()
    while new := _ids(records) - pass_seen:
        pass_seen |= new
        found.update((str(record.get("id")), record) for record in records)
        offset += len(records)
        records = await page(offset)
    return offset


def _ids(records: Iterable[Record]) -> set[str]:
    return {str(record["id"]) for record in records if record.get("id")}
