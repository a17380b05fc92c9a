"""A model of the platform and its store: as strict as the sandbox, in memory, failing by a seeded draw."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uploader.core import errors as err


@dataclass
class Upload:
    """One upload session; `objects` maps file names to the content that the store holds."""

    id: str
    project_id: str
    file_count: int
    reserved: int
    state: str = "open"
    objects: dict[str, str] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)


@dataclass
class Url:
    """A signed URL: where a PUT goes."""

    upload_id: str
    name: str


@dataclass
class ModelPlatform:
    """Platform and store in one; every call may fail, before or after it had its effect.

    `faults` is the share of calls that fail. Violations of the protocol are collected in `violations`.
    """

    rng: random.Random
    faults: float
    quota: int
    items_per_file: bool = True
    poison: frozenset[str] = frozenset()
    uploads: dict[str, Upload] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def reserved(self) -> int:
        """Bytes of open sessions."""
        return sum(u.reserved for u in self.uploads.values() if u.state == "open")

    def _strike(self, *, after: bool) -> None:
        """Fail now by the draw: nothing was sent, or no answer came, or the platform is busy."""
        if self.rng.random() >= self.faults / 2:
            return
        if after:
            raise self.rng.choice([err.NoAnswer("lost"), err.NoAnswer("HTML")])
        raise self.rng.choice(
            [err.Unreachable("down"), err.NoAnswer("cut"), refusal(429, after=2.0), refusal(503)]
        )

    def _open(self, upload_id: str, call: str) -> Upload:
        upload = self.uploads.get(upload_id)
        if upload is None:
            raise refusal(404)
        if upload.state == "open" and self.rng.random() < self.faults / 10:
            del self.uploads[upload_id]  # the platform has forgotten it
            raise refusal(404)
        if upload.state != "open":
            self.violations.append(f"{call} on a {upload.state} session")
            raise refusal(409)
        return upload

    async def initiate(self, body: Mapping[str, Any], key: str) -> str:
        """Reserve quota."""
        self.log.append("initiate")
        self._strike(after=False)
        size = body["total_bytes"]
        if self.reserved + size > self.quota:
            raise refusal(402)
        self.count += 1
        upload = Upload(f"u{self.count}", body["project_id"], body["file_count"], size)
        self.uploads[upload.id] = upload
        self._strike(after=True)
        return upload.id

    async def signed_url(self, upload_id: str, name: str, content_type: str) -> Url:
        """Mint a URL."""
        self.log.append("sign")
        self._strike(after=False)
        upload = self._open(upload_id, "signed_url")
        if name not in upload.objects and len(upload.objects) >= upload.file_count:
            self.violations.append("more names than files")
        self._strike(after=True)
        return Url(upload_id, name)

    async def progress(self, upload_id: str, sent: int) -> None:
        """Progress is never in the way."""
        self._strike(after=False)

    async def complete(self, upload_id: str) -> tuple[str, ...]:
        """Make the items, once; repeated on a completed session it answers nothing new."""
        self.log.append("complete")
        self._strike(after=False)
        upload = self.uploads.get(upload_id)
        if upload is not None and upload.state == "completed":
            self._strike(after=True)
            return ()
        upload = self._open(upload_id, "complete")
        if len(upload.objects) < upload.file_count:
            raise refusal(422, "objects are missing")
        if self.poison & set(upload.objects.values()):
            raise refusal(422, "an object is not acceptable")
        upload.state = "completed"
        groups = [[n] for n in upload.objects] if self.items_per_file else [list(upload.objects)]
        for names in groups:
            item_id = f"i{len(self.items)}"
            assets = {n: {"href": n, "content": upload.objects[n]} for n in names}
            self.items[item_id] = {"id": item_id, "upload_id": upload_id, "assets": assets}
            upload.items.append(item_id)
        self._strike(after=True)
        return tuple(upload.items)

    async def fail(self, upload_id: str, message: str, step: str) -> None:
        """Give the reservation back."""
        self.log.append("fail")
        self._strike(after=False)
        upload = self.uploads.get(upload_id)
        if upload is None:
            raise refusal(404)
        if upload.state == "completed":
            self.violations.append("fail on a completed session")
        if upload.state != "open":
            raise refusal(409)
        upload.state = "failed"
        self._strike(after=True)

    async def list_items(
        self, project_id: str, *, collection_id: str = "", limit: int = 100, offset: int = 0
    ) -> list[Any]:
        """Newest first."""
        self._strike(after=False)
        return list(reversed(list(self.items.values())))[offset : offset + limit]

    async def get_item(self, item_id: str) -> dict[str, Any]:
        """One item."""
        self._strike(after=False)
        if item_id not in self.items:
            raise refusal(404)
        return self.items[item_id]

    async def list_assets(self, item_id: str) -> list[Any]:
        """No target items in these histories."""
        return []

    async def put(self, url: Url, content: str) -> None:
        """Store an object."""
        self.log.append("put")
        if self.rng.random() < self.faults / 4:
            raise self.rng.choice(
                [err.StoreRefused("expired", 403), err.StoreMismatch("hash"), err.StoreRefused("busy", 503)]
            )
        self._strike(after=False)
        upload = self.uploads.get(url.upload_id)
        if upload is not None and upload.state == "open":
            upload.objects[url.name] = content
        self._strike(after=True)


def refusal(status: int, detail: str = "no", after: float | None = None) -> err.Refused:
    """A clear answer of the platform."""
    return err.Refused(f"HTTP {status}", err.Problem(status, "No", detail), retry_after=after)
