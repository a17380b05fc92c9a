"""A model of the platform and its store: as strict as the sandbox, in memory, failing by a seeded draw."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from uploader.core import errors as err

REASK = 7.0
"""Seconds of Retry-After: longer than most back-offs, so that who forgets it is seen."""


@dataclass(slots=True)
class Upload:
    """One upload session; `objects` maps file names to the content that the store holds."""

    id: str
    project_id: str
    file_count: int
    reserved: int
    target: str = ""
    """The item that it adds to."""
    asset_key: str = ""
    state: str = "open"
    objects: dict[str, str] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    doubtful: bool = False
    """A `complete` went unanswered: whoever fails the session now may tear down what was made."""
    shown: bool = False
    """Its items were listed or read since it was completed."""


@dataclass(frozen=True, slots=True)
class Url:
    """A signed URL: where a PUT goes."""

    upload_id: str
    name: str
    life: int | None = field(default=None, repr=False)


@dataclass
class ModelPlatform:
    """Platform and store in one; every call may fail, before or after it had its effect.

    `faults` is the share of calls that fail. Violations of the protocol are collected in `violations`. `now` is
    virtual, set by whoever drives it. Objects whose content begins with `x` are never accepted.
    """

    rng: random.Random
    faults: float
    quota: int
    items_per_file: bool = True
    now: float = 0.0
    token_life: float | None = None
    down: bool = False
    revoked: bool = False
    """The key is not accepted."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    embargo: dict[tuple[str, str], float] = field(default_factory=dict)
    """Until when a call about a subject must not be repeated, by its Retry-After."""
    fresh: list[tuple[str, str]] = field(default_factory=list)
    """Embargoes that were told within the action that is running."""
    collections: list[str] = field(default_factory=list)
    deleted: dict[str, dict[str, Any]] = field(default_factory=dict)
    describes: bool = False
    """Items are read for two reasons, and whose question it is cannot be seen."""
    read_only: bool = False
    """The key may not describe items."""
    calls: Counter[str] = field(default_factory=Counter)
    """How often each was called."""
    reserved: int = 0
    """Bytes of open sessions."""
    made: int = 0
    items_made: int = 0

    def forget_fresh(self) -> None:
        """The process died before it could write down what it was just told."""
        for key in self.fresh:
            self.embargo.pop(key, None)
        self.fresh.clear()

    def _strike(self, call: str, subject: str) -> None:
        """Fail before anything is done: nothing was sent, no answer came, or the platform says no."""
        self.calls[call] += 1
        if self.embargo and self.embargo.pop((call, subject), 0.0) > self.now:
            self.violations.append(f"{call} {subject} was repeated before its Retry-After")
        if self.down:
            raise err.Unreachable("down") if self.rng.random() < 0.5 else err.NoAnswer("a proxy's page")
        if self.revoked:
            raise err.CredentialRefused("the key is refused", "Make a new key.")
        if self.faults and self.rng.random() < self.faults / 2:
            raise self._fault(call, subject)

    def _fault(self, call: str, subject: str) -> err.RemoteError:
        match self.rng.randrange(5):
            case 0:
                return err.Unreachable("down")
            case 1:
                return err.NoAnswer("cut")
            case 2:
                self.embargo[call, subject] = self.now + REASK
                self.fresh.append((call, subject))
                return refusal(429, after=REASK)
            case 3:
                return refusal(503)
            case _:
                return refusal(500)

    def _lose(self) -> None:
        """Lose the answer of what was done."""
        if self.faults and self.rng.random() < self.faults / 2:
            raise err.NoAnswer("lost") if self.rng.random() < 0.5 else refusal(500)

    def _open(self, upload_id: str, call: str) -> Upload:
        upload = self.uploads.get(upload_id)
        if upload is None:
            raise refusal(404)
        if upload.state == "open" and self.faults and self.rng.random() < self.faults / 10:
            self._end(upload, "forgotten")
            del self.uploads[upload_id]
            raise refusal(404)
        if upload.state != "open":
            self.violations.append(f"{call} on a {upload.state} session")
            raise refusal(409)
        return upload

    def _end(self, upload: Upload, state: str) -> None:
        upload.state = state
        self.reserved -= upload.reserved

    async def initiate(self, body: Mapping[str, Any], key: str) -> str:
        """Reserve quota."""
        self._strike("initiate", key)
        size, target = body["total_bytes"], body.get("target_item_id", "")
        if target and target not in self.items:
            raise refusal(404, f"item {target} not found")
        if self.reserved + size > self.quota:
            raise refusal(402)
        self.made += 1
        upload = Upload(
            f"u{self.made}", body["project_id"], body["file_count"], size, target, body.get("asset_key", "")
        )
        self.uploads[upload.id] = upload
        self.reserved += size
        self._lose()
        return upload.id

    async def signed_url(self, upload_id: str, name: str, content_type: str) -> Url:
        """Mint a URL."""
        self._strike("sign", upload_id + name)
        upload = self._open(upload_id, "signed_url")
        if name not in upload.objects and len(upload.objects) >= upload.file_count:
            self.violations.append("more names than files")
        self._lose()
        return Url(upload_id, name)

    async def progress(self, upload_id: str, sent: int) -> None:
        """Progress is never in the way."""
        if self.down or (self.faults and self.rng.random() < self.faults):
            raise err.NoAnswer("cut")

    async def complete(self, upload_id: str) -> tuple[str, ...]:
        """Make the items, once; repeated on a completed session it answers nothing new."""
        upload = self.uploads.get(upload_id)
        doubted = upload is not None and upload.doubtful
        if upload is not None:
            upload.doubtful = True
        try:
            return self._complete(upload_id)
        except (err.Unreachable, err.CredentialRefused):
            self._settle(upload, doubtful=doubted)
            raise
        except err.Refused as error:
            if error.status == 422:
                self._settle(upload, doubtful=False)
            elif error.status != 500:
                self._settle(upload, doubtful=doubted)
            raise

    def _settle(self, upload: Upload | None, *, doubtful: bool) -> None:
        if upload is not None:
            upload.doubtful = doubtful

    def _complete(self, upload_id: str) -> tuple[str, ...]:
        self._strike("complete", upload_id)
        upload = self.uploads.get(upload_id)
        if upload is not None and upload.state == "completed":
            self._lose()
            return ()
        upload = self._open(upload_id, "complete")
        if len(upload.objects) < upload.file_count:
            raise refusal(422, "objects are missing")
        if any(content.startswith("x") for content in upload.objects.values()):
            raise refusal(422, "an object is not acceptable")
        self._end(upload, "completed")
        if upload.target:
            self._add(upload)
            self._lose()
            return ()
        groups = [[n] for n in upload.objects] if self.items_per_file else [list(upload.objects)]
        for names in groups:
            self.items_made += 1
            item_id = f"i{self.items_made}"
            key = {"key": upload.asset_key} if upload.asset_key else {}
            assets = {n: {"href": n, "content": upload.objects[n], **key} for n in names}
            self.items[item_id] = {"id": item_id, "upload_id": upload_id, "assets": assets}
            upload.items.append(item_id)
        self._lose()
        return tuple(upload.items)

    def _add(self, upload: Upload) -> None:
        """One more asset of an item, which may have been deleted since."""
        item = self.items.get(upload.target) or self.deleted[upload.target]
        for name, content in upload.objects.items():
            about = {"href": name, "content": content, "key": upload.asset_key, "upload_id": upload.id}
            if name in item["assets"]:
                self.violations.append(f"{name} is there twice in {upload.target}")
            item["assets"][name] = about

    async def fail(self, upload_id: str, message: str, step: str) -> None:
        """Give the reservation back."""
        upload = self.uploads.get(upload_id)
        if upload is None:
            self.embargo.pop(("fail", upload_id), None)  # transfers that lose their session each say so once
        self._strike("fail", upload_id)
        if upload is None:
            raise refusal(404)
        if upload.state == "completed":
            self.violations.append("fail on a completed session")
        elif upload.doubtful:
            self.violations.append("fail after a `complete` that went unanswered")
        if upload.state != "open":
            raise refusal(409)
        self._end(upload, "failed")
        self._lose()

    def assured(self, upload_id: str) -> None:
        """A person has looked, and no item is there: `fail` is no guess any more."""
        if upload_id in self.uploads:
            self.uploads[upload_id].doubtful = False

    async def list_items(
        self, project_id: str, *, collection_id: str = "", limit: int = 100, offset: int = 0
    ) -> list[Any]:
        """Newest first."""
        self._strike("list", f"at {self.now}")  # whose question it is cannot be seen: nobody repeats it
        found = list(islice(reversed(self.items.values()), offset, offset + limit))
        for item in found:
            self.uploads[item["upload_id"]].shown = True
        return found

    async def get_item(self, item_id: str) -> dict[str, Any]:
        """One item."""
        self._strike("item", f"at {self.now}" if self.describes else item_id)
        if item_id not in self.items:
            raise refusal(404)
        self.uploads[self.items[item_id]["upload_id"]].shown = True
        return self.items[item_id]

    async def list_assets(self, item_id: str) -> list[Any]:
        """The files of an item."""
        self._strike("assets", f"at {self.now}")
        if item_id not in self.items:
            raise refusal(404)
        found = [
            {"id": f"{item_id}.{name}", **asset} for name, asset in self.items[item_id]["assets"].items()
        ]
        for asset in found:
            if "upload_id" in asset:
                self.uploads[asset["upload_id"]].shown = True
        return found

    async def update_item(self, item_id: str, changes: Mapping[str, Any]) -> None:
        """Time and properties of an item, in place of those that it had."""
        self._strike("update", item_id)
        if self.read_only:
            raise refusal(403, "missing scope 'items:write'")
        if item_id not in self.items:
            raise refusal(404, f"item {item_id} not found")
        self.items[item_id] |= dict(changes)
        self._lose()

    async def list_collections(self, project_id: str) -> list[dict[str, Any]]:
        """All collections."""
        self._strike("collections", f"at {self.now}")
        return [{"id": f"col-{number}", "name": name} for number, name in enumerate(self.collections)]

    async def create_collection(self, project_id: str, name: str) -> str:
        """A new one, also where one has this name."""
        self._strike("collection", f"at {self.now}")
        if name in self.collections:
            self.violations.append(f"the collection {name} is made twice")
        self.collections.append(name)
        self._lose()
        return f"col-{len(self.collections) - 1}"

    def delete(self, item_id: str) -> None:
        """A person deletes an item; `restore` brings it back."""
        self.deleted[item_id] = self.items.pop(item_id)

    def restore(self) -> None:
        """A person brings back all that was deleted."""
        self.items |= self.deleted
        self.deleted.clear()

    async def list_profiles(self, item_id: str) -> list[dict[str, Any]]:
        """One of its first asset."""
        self._strike("profiles", item_id)
        if item_id not in self.items:
            raise refusal(404)
        first = next(iter(self.items[item_id]["assets"].values()))
        return [{"is_default": True, "asset_key": first.get("key")}]

    async def delete_item(self, item_id: str) -> None:
        """An item that is there goes; the daemon never asks for it."""
        self._strike("delete", item_id)
        if self.items.pop(item_id, None) is None:
            raise refusal(404)

    async def put(self, url: Url, content: str) -> None:
        """Store an object; the store is up while the platform is down."""
        if self.faults and self.rng.random() < self.faults / 4:
            raise self.rng.choice(
                [err.StoreRefused("expired", 403), err.StoreMismatch("hash"), err.StoreRefused("busy", 503)]
            )
        if self.faults and self.rng.random() < self.faults / 2:
            raise err.NoAnswer("cut") if self.rng.random() < 0.5 else err.Unreachable("down")
        upload = self.uploads.get(url.upload_id)
        if upload is not None and upload.state == "open":
            upload.objects[url.name] = content
        self._lose()

    def forget(self, upload_id: str) -> None:
        """Drop a session that is over, and its items, to stay small over a long history."""
        upload = self.uploads.pop(upload_id, None)
        for item_id in upload.items if upload else ():
            del self.items[item_id]


def refusal(status: int, detail: str = "no", after: float | None = None) -> err.Refused:
    """A clear answer of the platform."""
    return err.Refused(f"HTTP {status}", err.Problem(status, "No", detail), retry_after=after)
