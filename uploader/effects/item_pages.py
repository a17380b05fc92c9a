"""Reading back what the platform made of a session, in as few calls as it takes."""

from __future__ import annotations

from typing import Any

from uploader.core.errors import Refused
from uploader.journal import SessionRow
from uploader.platform.api import PAGE, Platform

MAX_PAGES = 50
"""Pages that are read in search of a session's items; a listing has no promised order."""


async def records(platform: Platform, session: SessionRow) -> list[dict[str, Any]]:
    """The platform's records that may be this session's: items, or the assets of the target item."""
    if session.key.item_id:
        return await platform.list_assets(session.key.item_id)
    if len(session.item_ids) == 1:
        found = await _one(platform, session.item_ids[0])
        return [] if found is None else [found]
    listed = await _listed(platform, session)
    seen = {record.get("id") for record in listed}
    for item_id in session.item_ids:
        if item_id not in seen:
            record = await _one(platform, item_id)
            if record is not None:
                listed.append(record)
    return listed


async def _listed(platform: Platform, session: SessionRow) -> list[dict[str, Any]]:
    """The session's items from the project's listing, page by page until all are seen."""
    wanted = set(session.item_ids)
    found: list[dict[str, Any]] = []
    pages = 2 if wanted else MAX_PAGES
    for page in range(pages):
        records = await platform.list_items(
            session.key.project_id, collection_id=session.key.collection_id, limit=PAGE, offset=page * PAGE
        )
        found += [r for r in records if r.get("id") in wanted or r.get("upload_id") == session.upload_id]
        if len(records) < PAGE or len(found) >= max(len(wanted), len(session.members)):
            break
    return found


async def _one(platform: Platform, item_id: str) -> dict[str, Any] | None:
    try:
        return await platform.get_item(item_id)
    except Refused as error:
        if error.status in {404, 410}:
            return None
        raise
