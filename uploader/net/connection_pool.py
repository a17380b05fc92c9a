"""Connections to one far side, direct or through a proxy: the one place that opens httpcore's pools."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

KEEP_ALIVE = 4.0
"""Seconds for which an idle connection is kept. Below the 5 after which common servers close it: a request that meets
the closing is doubtful, and a doubtful `initiate` is dear."""


def open_pool(
    context: ssl.SSLContext | None,
    proxy: str,
    *,
    most: int,
    idle: int | None = None,
    backend: httpcore.AsyncNetworkBackend | None = None,
    socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
) -> httpcore.AsyncConnectionPool:
    """A pool of at most `most` connections, of which `idle` are kept (None: all). It opens none before a request.

    `proxy` is an http or https URL, which may name user and password; empty: none.
    """
    if not proxy:
        return httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=most,
            max_keepalive_connections=idle,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=backend,
            socket_options=socket_options,
        )
    parts = urlsplit(proxy)
    name, word = unquote(parts.username or ""), unquote(parts.password or "")
    return httpcore.AsyncHTTPProxy(
        proxy_url=httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target="/"),
        proxy_auth=(name.encode(), word.encode()) if name or word else None,
        ssl_context=context,
        proxy_ssl_context=context if parts.scheme == "https" else None,
        max_connections=most,
        max_keepalive_connections=idle,
        keepalive_expiry=KEEP_ALIVE,
        network_backend=backend,
        socket_options=socket_options,
    )
