"""What a live check asks about one item: what becomes of assets and properties that it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio

from uploader.core.errors import NoAnswer, Refused
from uploader.effects.live_facts import LiveFacts, or_refusal
from uploader.platform.api import Platform

ASSET_KEY = "live_check"
MOST_SECONDS = 60.0
"""How long items, and what is made of their rasters, are waited for."""

_UNNAMED = "-"
"""The asset of a view that does not tell it."""

_PROPERTIES = ("live_check:one", "live_check:two")
_LOOK = 0.25


class LiveItem:
    """One item of a live check. `give` adds an asset of a name to it, further east; `clock` gives monotonic seconds."""

    def __init__(
        self,
        platform: Platform,
        item_id: str,
        give: Callable[[str, str], Awaitable[None]],
        facts: LiveFacts,
        clock: Callable[[], float],
    ) -> None:
        self._platform = platform
        self._item_id = item_id
        self._give = give
        self._facts = facts
        self._clock = clock

    async def given_twice(self) -> None:
        """Two sessions that each give the item an asset of the same name."""
        before = len(await self._assets())
        box, view = await self._box(), await _if_told(self._first_view)

        async def twice() -> str:
            await self._give(self._item_id, ASSET_KEY)
            if not await self._more_assets(before):
                return ""
            self._facts.box_of_two = await self._box_after(box)
            self._facts.default_view = await _if_told(partial(self._view_after, view))
            await self._give(self._item_id, ASSET_KEY)
            return "both" if await self._more_assets(before + 1) else "replaced"

        self._facts.asset_key_twice = await or_refusal(twice)

    async def updated(self) -> None:
        """The item is told two properties, one after the other."""

        async def told() -> str:
            for name in _PROPERTIES:
                await self._platform.update_item(self._item_id, {"properties": {name: True}})
            return "ok"

        self._facts.items_update = await or_refusal(told)
        if self._facts.items_update == "ok":
            had = (await self._platform.get_item(self._item_id)).get("properties")
            kept = isinstance(had, dict) and _PROPERTIES[0] in had
            self._facts.properties_updated = "kept" if kept else "replaced"

    async def _assets(self) -> list[dict[str, Any]]:
        return await assets_of(self._platform, self._item_id)

    async def _more_assets(self, than: int) -> bool:
        """Whether the item comes to have more assets."""

        async def there() -> bool:
            return len(await self._assets()) > than

        return await self._soon(there)

    async def _soon(self, seen: Callable[[], Awaitable[bool]]) -> bool:
        """Whether something comes to be seen within the time in which the items came to be."""
        return await comes(seen, self._clock, (self._facts.visible_after or 0.0) + 4 * _LOOK)

    async def _box(self) -> list[float]:
        """West, south, east and north of the item; empty where it does not tell."""
        found = (await self._platform.get_item(self._item_id)).get("bbox")
        numbers = [one for one in found if isinstance(one, int | float)] if isinstance(found, list) else []
        return numbers if len(numbers) == 4 else []  # noqa: PLR2004 - the sides of a box

    async def _box_after(self, before: list[float]) -> str:
        """Where the item lies now that an asset of it lies further east."""

        async def wider() -> bool:
            return (await self._box() or before)[2] > before[2]

        if not before:
            return ""
        return "union" if await self._soon(wider) else "first"

    async def _view(self) -> str:
        """The asset that the item shows by default; empty before its rasters were looked at."""
        for profile in await self._platform.list_profiles(self._item_id):
            if profile.get("is_default") is True:
                return str(profile.get("asset_key") or _UNNAMED)
        return ""

    async def _first_view(self) -> str:
        """What the item shows of its own, once it shows something."""

        async def shown() -> bool:
            return bool(await self._view())

        return await self._view() if await comes(shown, self._clock, MOST_SECONDS) else ""

    async def _view_after(self, before: str) -> str:
        """Which asset the item shows now that the newest one was looked at, too."""

        async def ended() -> bool:
            looked_at = [one.get("key") for one in await self._assets() if one.get("band_names")]
            return await self._view() == ASSET_KEY or ASSET_KEY in looked_at

        if not before or before.startswith("HTTP "):
            return before
        await comes(ended, self._clock, MOST_SECONDS)
        after = await self._view()
        return {ASSET_KEY: "newest", _UNNAMED: "", before: "first"}.get(after, "")


async def _if_told(ask: Callable[[], Awaitable[str]]) -> str:
    """What is found out, or the refusal; empty where the answer is none: no published document shows it."""
    with suppress(NoAnswer):
        return await or_refusal(ask)
    return ""


async def assets_of(platform: Platform, item_id: str) -> list[dict[str, Any]]:
    """The assets of an item; none where it has no such list."""
    with suppress(Refused):
        return await platform.list_assets(item_id)
    return []


async def comes(seen: Callable[[], Awaitable[bool]], clock: Callable[[], float], seconds: float) -> bool:
    """Whether something is seen within so many seconds, looked for again and again."""
    until = clock() + seconds
    while not await seen():
        if clock() > until:
            return False
        await anyio.sleep(_LOOK)
    return True
