"""One connection of httpcore that is kept from one request to the next, direct or through a proxy.

A pool of httpcore looks at the sockets of all its connections before and after each request. To look after a single
connection it is too much, so here it only makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import httpcore

from uploader.net.network_stream import NetworkBackend

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

_KEEP_ALIVE = 4.0
"""Seconds; below the 5 after which common servers close an idle connection. A request that meets the closing is
doubtful, and a doubtful `initiate` is dear."""


class KeptConnection:
    """Serves one request at a time. Where the last connection is closed, or leads elsewhere, it makes a new one."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        proxy: str = "",
        backend: httpcore.AsyncNetworkBackend | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> None:
        self._pool = _pool(
            proxy,
            context,
            ssl_context=context,
            keepalive_expiry=_KEEP_ALIVE,
            network_backend=backend or NetworkBackend(),
            socket_options=socket_options,
        )
        self._last: httpcore.AsyncConnectionInterface | None = None

    async def ready(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        """The connection for the next request: that of the last one, where it still is one, and to this origin."""
        last = self._last
        if last and last.is_idle() and last.can_handle_request(origin) and not last.has_expired():
            return last
        await self.aclose()
        self._last = self._pool.create_connection(origin)
        return self._last

    async def aclose(self) -> None:
        """Close the connection."""
        last, self._last = self._last, None
        if last is not None:
            await last.aclose()


def _pool(proxy: str, context: ssl.SSLContext, **options: Any) -> httpcore.AsyncConnectionPool:
    """What makes the connections."""
    if not proxy:
        return httpcore.AsyncConnectionPool(**options)
    parts = urlsplit(proxy)
    name, word = unquote(parts.username or ""), unquote(parts.password or "")
    return httpcore.AsyncHTTPProxy(
        proxy_url=httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target="/"),
        proxy_auth=(name.encode(), word.encode()) if name or word else None,
        proxy_ssl_context=context if parts.scheme == "https" else None,
        **options,
    )
