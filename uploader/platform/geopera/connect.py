"""Opens the door: makes the connections to the platform and the object store from plain settings."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from uploader.core.address_policy import is_proxy, judge_base_url
from uploader.core.errors import ConfigurationError
from uploader.net.http_client import HttpClient, Timeouts, hush
from uploader.net.put_connection import PutConnection
from uploader.net.rate_limit import RateLimit
from uploader.net.tls import trust
from uploader.platform.geopera.calls import GeoperaPlatform
from uploader.platform.geopera.credentials import Credentials
from uploader.platform.geopera.object_store import HttpObjectStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from uploader.platform.api import ObjectStore, Platform


@asynccontextmanager
async def open_platform(
    *,
    base_url: str,
    auth: str,
    client_id: str,
    read_key: Callable[[], str],
    requests_per_minute: int,
    proxy: str = "",
    ca_file: str = "",
    throttle: Callable[[int], Awaitable[None]] | None = None,
    timeouts: Timeouts | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> AsyncIterator[tuple[Platform, ObjectStore]]:
    """The platform and the object store, until the context ends. Nothing is sent before the first call.

    `throttle` is awaited with the size of each chunk before it is sent (`Bandwidth` is one). Raises
    ConfigurationError for a base_url that would send the key in clear text, and an unusable proxy or ca_file.
    """
    timeouts = timeouts or Timeouts()
    local = check_base_url(base_url)
    check_proxy(proxy)
    context = trust(ca_file)
    hush()
    wire = HttpClient(base_url, context=context, proxy=proxy, connect=timeouts.connect, wall=wall)
    credentials = Credentials(
        wire, auth=auth, client_id=client_id, read_key=read_key, timeout=timeouts.token, clock=clock
    )
    rate_limit = RateLimit(requests_per_minute, clock=clock)
    platform = GeoperaPlatform(
        wire, credentials, rate_limit, timeouts=timeouts, allow_http=local, clock=clock
    )
    store = HttpObjectStore(
        lambda: PutConnection(context, proxy=proxy, timeouts=timeouts, wall=wall),
        throttle=throttle,
        clock=clock,
    )
    try:
        yield platform, store
    finally:
        await store.aclose()
        await wire.aclose()


def check_base_url(base_url: str) -> bool:
    """Whether the platform is a plain http one on this machine (a sandbox); anything else must be https."""
    verdict = judge_base_url(base_url)
    if verdict == "none":
        raise ConfigurationError(
            "[platform] base_url is not a URL of a host.", 'Write "https://api.geopera.com".'
        )
    if verdict == "clear":
        raise ConfigurationError(
            "[platform] base_url would send the API key unencrypted.", "Write it with https://."
        )
    return verdict == "local"


def check_proxy(proxy: str) -> None:
    """Raise ConfigurationError unless `proxy` is empty or an http or https URL."""
    if proxy and not is_proxy(proxy):
        raise ConfigurationError("[platform] proxy cannot be used.", 'Write it as "http://host:port".')
