"""Real sessions with tiny rasters, for what no document says of a platform: each fact by asking.

What it makes it takes away again as far as the platform allows: sessions are failed, items deleted; what is left is
told by its id. It uses the calls of an upload as the daemon does, and besides them nothing that changes anything but
`items.delete`.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
import google_crc32c

from uploader.core import matching
from uploader.core.errors import Refused, RemoteError
from uploader.core.failure_policy import PUBLISHED_METHOD
from uploader.core.media_types import content_type
from uploader.core.tiny_raster import tiny_raster
from uploader.effects.live_facts import LiveFacts, or_refusal
from uploader.effects.live_item import MOST_SECONDS, LiveItem, assets_of, comes
from uploader.platform.api import ObjectStore, Platform

ELSEWHERE = 1.0
"""How far to the east of the first rasters the next ones lie, in degrees."""

_PAGE, _PAGES = 100, 10


class LiveCheck:
    """One check of one project, which writes what it finds into `facts`. `clock` gives monotonic seconds."""

    def __init__(
        self,
        platform: Platform,
        store: ObjectStore,
        project: str,
        method: str,
        *,
        facts: LiveFacts,
        clock: Callable[[], float],
    ) -> None:
        self._platform = platform
        self._store = store
        self._project = project
        self._clock = clock
        self._open: list[str] = []
        self._items: list[str] = []
        self._doubtful = ""
        self._seed = 0
        self._method = method
        self.facts = facts

    async def run(self) -> None:
        """Ask all that there is to ask. Raises RemoteError; what was made is taken away, or is in `facts.left`."""
        try:
            upload_id = await self._initiated()
            await self._failed_twice()
            names = [f"live-check-{uuid.uuid4().hex[:12]}{ending}" for ending in ("-a.tif", "-b.tif")]
            await self._stored(upload_id, names)
            await self._completed(upload_id, names)
            await self._item_asked()
            self.facts.token_life = self._platform.token_life
        finally:
            with anyio.CancelScope(shield=True):
                await self._clean()

    async def _initiated(self) -> str:
        """A session for two files, asked for twice in the same words."""
        body, key = self._body(2), str(uuid.uuid4())
        try:
            first = await self._begun(body, key)
        except Refused as error:
            if "transfer_method" not in error.problem.fields or self._method == PUBLISHED_METHOD:
                raise
            self._method = PUBLISHED_METHOD
            body, key = self._body(2), str(uuid.uuid4())
            first = await self._begun(body, key)
        self.facts.transfer_method = self._method

        async def again() -> str:
            return "same" if await self._begun(body, key) == first else "another"

        self.facts.initiate_repeated = await or_refusal(again)
        for other in [each for each in self._open if each != first]:
            await self._give_up(other)
        return first

    def _body(self, files: int, **more: object) -> dict[str, object]:
        size = files * len(tiny_raster(0))
        named = {"project_id": self._project, "transfer_method": self._method}
        return {**named, "file_count": files, "total_bytes": size, "is_categorical": False, **more}

    async def _begun(self, body: dict[str, object], key: str) -> str:
        upload_id = await self._platform.initiate(body, key)
        if upload_id not in self._open:
            self._open.append(upload_id)
        return upload_id

    async def _failed_twice(self) -> None:
        upload_id = await self._begun(self._body(1), str(uuid.uuid4()))
        await self._give_up(upload_id)

        async def again() -> str:
            await self._platform.fail(upload_id, "A live check ends it again.", "check")
            return "ok"

        self.facts.fail_repeated = await or_refusal(again)

    async def _give_up(self, upload_id: str) -> None:
        await self._platform.fail(upload_id, "A live check ends it.", "check")
        self._open.remove(upload_id)

    async def _stored(self, upload_id: str, names: Sequence[str], *, west: float = 0.0) -> None:
        for name in names:
            data, self._seed = tiny_raster(self._seed, west), self._seed + 1
            url = await self._platform.signed_url(upload_id, name, content_type(name))
            self.facts.url_life = url.life
            with tempfile.TemporaryFile() as file:
                file.write(data)
                file.flush()
                await self._store.put(
                    url,
                    file.fileno(),
                    size=len(data),
                    content_type=content_type(name),
                    crc32c=google_crc32c.value(data),
                    on_bytes=lambda _: None,
                    stop=lambda: False,
                )

    async def _completed(self, upload_id: str, names: Sequence[str]) -> None:
        self._items += await self._made(upload_id)
        began = self._clock()

        async def again() -> str:
            return "ids" if await self._platform.complete(upload_id) else "none"

        self.facts.complete_repeated = await or_refusal(again)
        records = await self._visible(upload_id, began)
        assets = [
            asset
            for record in records
            for asset in await assets_of(self._platform, str(record.get("id", "")))
        ]
        found = matching.match(names, [*records, *assets], upload_id=upload_id, item_ids=self._items)
        self.facts.names_in_items = (
            found.named or matching.match(names, assets, upload_id=upload_id, target_item_id="-").named
        )
        self.facts.items_per = {1: "session", len(names): "file"}.get(len(self._items), "")

    async def _made(self, upload_id: str) -> tuple[str, ...]:
        """Complete a session. Where nobody knows what came of it, it is not failed, and what it made is looked for."""
        self._open.remove(upload_id)
        self._doubtful = upload_id
        try:
            made = await self._platform.complete(upload_id)
        except Refused:
            self._open.append(upload_id)
            self._doubtful = ""
            raise
        self._doubtful = ""
        return made

    async def _visible(self, upload_id: str, began: float) -> list[dict[str, Any]]:
        """The records of the session's items, once all of them can be seen."""
        ours: list[dict[str, Any]] = []

        async def all_there() -> bool:
            listed = await self._listed()
            ours[:] = [
                one for one in listed if one.get("id") in self._items or one.get("upload_id") == upload_id
            ]
            return bool(ours) and len(ours) >= len(self._items)

        if await comes(all_there, self._clock, MOST_SECONDS):
            self._items += [str(one["id"]) for one in ours if one.get("id") not in self._items]
            self.facts.visible_after = round(self._clock() - began, 2)
        return ours

    async def _item_asked(self) -> None:
        """What becomes of one of the items that it is given."""
        if not self._items:
            return
        item = LiveItem(self._platform, self._items[0], self._given, self.facts, self._clock)
        await item.given_twice()
        await item.updated()

    async def _listed(self) -> list[dict[str, Any]]:
        """The items of the project, which should be empty but for ours: a few pages at most."""
        found: list[dict[str, Any]] = []
        for page in range(_PAGES):
            records = await self._platform.list_items(self._project, limit=_PAGE, offset=page * _PAGE)
            found += records
            if len(records) < _PAGE:
                break
        return found

    async def _given(self, target: str, asset_key: str) -> None:
        """Give an item one more asset, which lies elsewhere."""
        upload_id = await self._begun(
            self._body(1, target_item_id=target, asset_key=asset_key), str(uuid.uuid4())
        )
        await self._stored(upload_id, [f"live-check-{uuid.uuid4().hex[:12]}.tif"], west=ELSEWHERE)
        self._items += [item for item in await self._made(upload_id) if item not in self._items]

    async def _clean(self) -> None:
        for upload_id in list(self._open):
            try:
                await self._give_up(upload_id)
            except RemoteError:
                self.facts.left.append(f"session {upload_id}")
        if self._doubtful:
            self._items += await self._found(self._doubtful)
        for item_id in self._items:
            try:
                await self._platform.delete_item(item_id)
            except RemoteError:
                self.facts.left.append(f"item {item_id}")

    async def _found(self, upload_id: str) -> list[str]:
        """The items of a session that may have made some; it is told as left where none can be seen."""
        with suppress(RemoteError):
            listed = await self._listed()
            ours = [str(one["id"]) for one in listed if one.get("upload_id") == upload_id and one.get("id")]
            if ours:
                return [item for item in ours if item not in self._items]
        self.facts.left.append(f"session {upload_id}")
        return []
