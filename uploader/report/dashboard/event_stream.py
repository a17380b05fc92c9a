"""Server-sent events: the lines of the event log with their ids, and a bare word that something has changed.

A client that was cut off says where it was (`Last-Event-ID`), and goes on there.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from uploader.journal import listings
from uploader.journal.opening import newest_event
from uploader.report.dashboard.guard import int_or
from uploader.report.dashboard.sources import Sources

MAX_STREAMS = 24
"""Open at once, so that clients that only ask are still answered."""

PACE = 1.0
"""Seconds between two looks at what has changed."""

ALIVE = 15.0
"""Seconds after which something is sent although nothing happened: a proxy sees that the connection lives."""

LINES = 500
"""Lines of the event log that are sent at once."""

RETRY_MS = 2000
"""After which a browser that was cut off connects again."""


class Streams:
    """The streams of one daemon, which are bounded in number."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._open = 0

    async def events(self, request: Request) -> Response:
        """The event log from where the client was, or from now on."""
        given = request.headers.get("last-event-id") or request.query_params.get("after")
        if given is not None and int_or(given, -1) < 0:
            return JSONResponse({"error": "`after` is the id of an event."}, 400)
        after = int_or(given, -1)
        if after < 0:
            after = await self._sources.read(newest_event)
        return self._stream(self._lines(after))

    async def changes(self, _: Request) -> Response:
        """A word whenever something has changed, or moves, at most once in a second."""
        return self._stream(self._changes())

    def _stream(self, messages: AsyncIterator[str]) -> Response:
        if self._open >= MAX_STREAMS:
            return JSONResponse({"error": "Too many streams are open."}, 503, {"Retry-After": "10"})
        return StreamingResponse(self._counted(messages), media_type="text/event-stream")

    async def _counted(self, messages: AsyncIterator[str]) -> AsyncIterator[str]:
        self._open += 1
        try:
            yield f"retry: {RETRY_MS}\n\n"
            async for message in messages:
                yield message
        finally:
            self._open -= 1

    async def _lines(self, after: int) -> AsyncIterator[str]:
        seen, told = -1, time.monotonic()
        while True:
            commits = self._sources.commits()
            if commits != seen:
                found = await self._sources.read(partial(listings.events_after, event=after, most=LINES))
                for line in found:
                    yield _message(line, "log", line["id"])
                after = found[-1]["id"] if found else after
                seen, told = (seen if len(found) == LINES else commits), time.monotonic()
            elif time.monotonic() - told > ALIVE:
                told = time.monotonic()
                yield ": alive\n\n"
            await anyio.sleep(PACE)

    async def _changes(self) -> AsyncIterator[str]:
        seen, told = -1, 0.0
        while True:
            commits, moving = self._sources.commits(), self._sources.running()
            if commits != seen or moving or time.monotonic() - told > ALIVE:
                seen, told = commits, time.monotonic()
                yield _message({"commits": commits}, "changed")
            await anyio.sleep(PACE)


def _message(data: dict[str, Any], event: str, number: int | None = None) -> str:
    told = "" if number is None else f"id: {number}\n"
    return f"{told}event: {event}\ndata: {json.dumps(data)}\n\n"
