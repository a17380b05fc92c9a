"""Opens the platform's door on a test server, with short patience."""

# ruff: noqa: ASYNC240 - looking at small local files holds nobody up here

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import google_crc32c

from uploader.platform.geopera import SignedUrl, Timeouts, open_platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from uploader.platform.api import ObjectStore, Platform

SHORT = Timeouts(connect=3.0, token=3.0, call=3.0, complete=3.0, write=3.0, stored=3.0)
"""Long enough for a server that works on a busy machine, short enough for tests of one that is silent."""


@asynccontextmanager
async def door(base_url: str, **settings: Any) -> AsyncIterator[tuple[Platform, ObjectStore]]:
    """The door, by default with the key itself as bearer."""
    defaults: dict[str, Any] = {
        "base_url": base_url,
        "auth": "api_key",
        "client_id": "geopera",
        "read_key": lambda: "gpra_CANARYKEY",
        "requests_per_minute": 0,
        "timeouts": SHORT,
    }
    async with open_platform(**{**defaults, **settings}) as opened:
        yield opened


def signed(base_url: str, path: str = "/bucket/o?X-Goog-Signature=CANARYSIGNATURE") -> SignedUrl:
    """A signed URL on a loopback server."""
    return SignedUrl.parse(base_url + path, allow_http=True)


async def put(store: ObjectStore, url: SignedUrl, path: Path, **changes: Any) -> bytes | None:
    """Send a file whose store tells no hashes."""
    facts: dict[str, Any] = {
        "size": changes["size"] if "size" in changes else path.stat().st_size,
        "content_type": "image/tiff",
        "crc32c": google_crc32c.value(path.read_bytes()),
        "on_bytes": lambda _: None,
        "stop": lambda: False,
    }
    with path.open("rb") as file:
        return await store.put(url, file.fileno(), **{**facts, **changes})
