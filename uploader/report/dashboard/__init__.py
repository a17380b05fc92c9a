"""The only place that listens for browsers: a page for people, `/api/v1/` for programs, `/metrics` and `/healthz`.

Whoever reaches it may read. Changes need the token of `uploader dashboard`, and go through the same commands that the
control socket answers. docs/dashboard.md tells it for users.
"""

from __future__ import annotations

from uploader.report.dashboard.access import Access
from uploader.report.dashboard.basemap import Basemap
from uploader.report.dashboard.sources import Preview, Previews, Sources


async def serve(listen: str, sources: Sources) -> None:
    """Serve on `listen` ("HOST:PORT") until cancelled; an empty `listen` returns at once."""
    if listen:
        from uploader.report.dashboard import server  # noqa: PLC0415 - who has no page loads no server

        await server.serve(listen, sources)


__all__ = ["Access", "Basemap", "Preview", "Previews", "Sources", "serve"]
