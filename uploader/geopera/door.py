"""Opens the door: makes the connections to the platform and the object store from plain settings."""

from __future__ import annotations

import logging
import ssl
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from uploader.core.addresses import is_proxy, judge_base_url
from uploader.core.errors import ConfigurationError
from uploader.geopera.credentials import Credentials
from uploader.geopera.lane import Lane
from uploader.geopera.pacer import Pacer
from uploader.geopera.platform import Platform
from uploader.geopera.store import Store
from uploader.geopera.wire import Timeouts, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


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
) -> AsyncIterator[tuple[Platform, Store]]:
    """The platform and the object store, until the context ends. Nothing is sent before the first call.

    `throttle` is awaited with the size of each chunk before it is sent (`Bandwidth` is one). Raises
    ConfigurationError for a base_url that would send the key in clear text, and an unusable proxy or ca_file.
    """
    timeouts = timeouts or Timeouts()
    local = check_base_url(base_url)
    check_proxy(proxy)
    context = trust(ca_file)
    _hush()
    wire = Wire(base_url, context=context, proxy=proxy, connect=timeouts.connect, wall=wall)
    credentials = Credentials(
        wire, auth=auth, client_id=client_id, read_key=read_key, timeout=timeouts.token, clock=clock
    )
    pacer = Pacer(requests_per_minute, clock=clock)
    platform = Platform(wire, credentials, pacer, timeouts=timeouts, allow_http=local, clock=clock)
    store = Store(
        lambda: Lane(context, proxy=proxy, timeouts=timeouts, wall=wall), throttle=throttle, clock=clock
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


def trust(ca_file: str) -> ssl.SSLContext:
    """Whom to trust: the system's certificates (a bundled list where it has none), and those in `ca_file`."""
    paths = ssl.get_default_verify_paths()
    system = any(path and Path(path).exists() for path in (paths.cafile, paths.capath))
    context = ssl.create_default_context() if system else httpx.create_ssl_context(trust_env=False)
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"[platform] ca_file {ca_file} cannot be used: {error.strerror or 'not a certificate'}.",
                "Name a file of certificates in PEM form that the daemon can read.",
            ) from error
    return context


def _hush() -> None:
    """Keep the libraries from logging whole URLs and headers, at whatever level the program logs."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
