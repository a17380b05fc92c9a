"""Compares the receipts with what the platform lists, page by page, in memory that does not grow with either.

Reads both sides and changes none. What a listing does not show is asked for by its id before it is called missing, for
a listing that changes while it is read may skip an item; a target that cannot be listed makes nothing missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from uploader.core.errors import Refused, UploaderError
from uploader.core.matching import our_stems
from uploader.core.receipt_audit import (
    Difference,
    Kind,
    asset_differences,
    found_in,
    gone,
    item_differences,
)
from uploader.core.recovery_matching import Target
from uploader.journal.audit_rows import AuditRows
from uploader.platform.api import PAGE, Platform
from uploader.platform.patience import patiently

ABSENT = frozenset({404, 410})


class Audit:
    """One comparison. `deep` asks for the assets of every item as well, one call each."""

    def __init__(self, rows: AuditRows, platform: Platform, *, deep: bool = False) -> None:
        self._rows = rows
        self._platform = platform
        self._deep = deep
        self.listed = 0
        """Items that the platform has shown."""

    async def run(self, configured: Iterable[Target]) -> AsyncIterator[Difference]:
        """Every difference, as it is found. Raises no error of the platform: what it does not tell is unclear."""
        for target in reduced({*self._rows.targets(), *configured}):
            try:
                async for difference in self._listing(target):
                    yield difference
            except UploaderError as error:
                self._rows.note_unlisted(target)
                place = "/".join(filter(None, (target.project_id, target.collection_id)))
                yield Difference(Kind.UNCLEAR, field="target", ours=place, theirs=str(error))
        for item_id, name in self._rows.foreign():
            yield Difference(Kind.FOREIGN, item_id, theirs=name)
        try:
            for row in self._rows.unseen():
                async for difference in self._unseen(row):
                    yield difference
            async for difference in self._assets():
                yield difference
        except UploaderError as error:
            yield Difference(Kind.UNCLEAR, field="audit", ours="ended early", theirs=str(error))

    async def _listing(self, target: Target) -> AsyncIterator[Difference]:
        offset = 0
        while True:
            page = await self._page(target, offset)
            fresh = [record for record in page if self._rows.see(str(record.get("id") or ""))]
            for record in fresh:
                self.listed += 1
                async for difference in self._item(record):
                    yield difference
            if not fresh:
                return
            offset += len(page)

    async def _page(self, target: Target, offset: int) -> list[dict[str, Any]]:
        return await patiently(
            lambda: self._platform.list_items(
                target.project_id, collection_id=target.collection_id, limit=PAGE, offset=offset
            )
        )

    async def _item(self, record: Mapping[str, Any]) -> AsyncIterator[Difference]:
        """A record of the listing: which receipts are of it, and whether they say the same."""
        item_id, upload_id = str(record["id"]), str(record.get("upload_id") or "")
        ours = self._rows.of_item(item_id) or self._rows.of_names(our_stems(record), upload_id)
        if not ours:
            if not self._rows.session_known(upload_id):
                self._rows.note_foreign(item_id, str(record.get("name") or ""))
            return
        for row in ours:
            if next(item_differences(row, record), None) is not None:
                async for difference in self._confirmed(row, item_id):
                    yield difference

    async def _unseen(self, row: Mapping[str, Any]) -> AsyncIterator[Difference]:
        """A receipt that no listing has shown."""
        if row["item_id"]:
            async for difference in self._confirmed(row, row["item_id"]):
                yield difference
        else:
            words = "its item is not known, and none was listed under its name or its upload session"
            yield found_in(row, Kind.UNCLEAR, "item", row["file_name"] or "", words)

    async def _confirmed(self, row: Mapping[str, Any], item_id: str) -> AsyncIterator[Difference]:
        """What the item itself says, asked for by its id. Raises UploaderError where the platform cannot be asked."""
        try:
            record = await patiently(lambda: self._platform.get_item(item_id))
        except Refused as error:
            kind = Kind.MISSING if error.status in ABSENT else Kind.UNCLEAR
            yield found_in(row, kind, "item", item_id, "" if kind is Kind.MISSING else str(error))
        else:
            for difference in _missing(row) if gone(record) else item_differences(row, record):
                yield difference

    async def _assets(self) -> AsyncIterator[Difference]:
        """Size and hash of files, which only assets tell: of given items always, of all where it was asked for."""
        for item_id, found in self._rows.with_assets(everything=self._deep):
            try:
                assets = await patiently(lambda item=item_id: self._platform.list_assets(item))  # type: ignore[misc]
            except Refused as error:
                if error.status not in ABSENT:
                    yield Difference(Kind.UNCLEAR, item_id, field="assets", theirs=str(error))
                continue  # that the item is missing was told
            for row in found:
                for difference in asset_differences(row, assets):
                    yield difference


def _missing(row: Mapping[str, Any]) -> Iterator[Difference]:
    yield found_in(row, Kind.MISSING, "item", row["item_id"] or "")


def reduced(targets: Iterable[Target]) -> list[Target]:
    """The listings that show everything in these targets: a whole project shows its collections as well."""
    places = {(target.project_id, target.collection_id) for target in targets if target.project_id}
    whole = {project for project, collection in places if not collection}
    return [Target(*place) for place in sorted(places) if not place[1] or place[0] not in whole]
