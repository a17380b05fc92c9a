"""`/api/v1/`: the handlers, and the table of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from uploader.core.errors import UploaderError
from uploader.core.moments import iso
from uploader.journal.sqlite_library import Database
from uploader.journal.stage_history import SPAN, StageHistory, Throughput
from uploader.report.dashboard import queries
from uploader.report.dashboard.event_stream import Streams
from uploader.report.dashboard.operations import (
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    WHOLE,
    Operation,
    Parameter,
    listed,
    named,
    obj,
)
from uploader.report.dashboard.queries import Wanted
from uploader.report.dashboard.sources import Sources
from uploader.report.dashboard.wishes import WISHES

PATIENCE = 5.0
"""Seconds for the status, and for a query, to be answered."""

SILENT = "The daemon does not answer."

SHOWN = 100
"""Rejected files in a status of the API; their list has all of them, in pages."""

ID = Parameter("id", "The number of the file, or of the session.", WHOLE, "path")
PAGED = (
    Parameter("limit", "Rows of a page at most, 1 to 1000.", WHOLE),
    Parameter("cursor", "`next` of the page before."),
)
RECEIPTS = (Parameter("folder", "Of this drop folder only."), Parameter("project", "Of this project only."))


class Api:
    """Answers programs, and the page with the same functions."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._history = StageHistory()
        self.streams = Streams(sources)

    async def status(self) -> dict[str, Any]:
        """What `uploader status --json` prints. Raises HTTPException 503 where the daemon does not answer."""
        try:
            told: dict[str, Any] = await _in_time(self._sources.status())
        except UploaderError as error:
            raise HTTPException(503, str(error)) from error
        return told

    async def ask(self, query: Callable[[Database], Any]) -> Any:
        """What a query of the journal gives. Raises HTTPException 503 where it takes too long."""
        return await _in_time(self._sources.read(query))

    async def throughput(self) -> Throughput:
        """What went through each stage in the last 24 hours."""
        found: Throughput = await self.ask(self._history.look)
        return found

    async def wish(self, name: str, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Have the daemon do what a person wishes. Raises UploaderError where it does not."""
        return await WISHES[name](self._sources, wish)

    def operations(self) -> tuple[Operation, ...]:
        """The table."""
        return (
            Operation(
                "/status", "The status, with at most 100 rejected files.", named("Status"), self._status
            ),
            Operation(
                "/holds",
                "What keeps work back, and how often the list has changed.",
                obj(revision=WHOLE, holds=listed(named("Hold"))),
                self._holds,
            ),
            Operation(
                "/files",
                "Files, the newest first; or those whose path, item, session or object has a text.",
                obj(files=listed(named("File")), next=MAYBE_TEXT),
                partial(self._listed, queries.files),
                (
                    Parameter("state", "Of this state only."),
                    Parameter("folder", "Of this drop folder only."),
                    Parameter("search", "A piece of the path, or the id of an item or a session."),
                    *PAGED,
                ),
            ),
            Operation("/files/{id:int}", "One file's whole story.", named("Story"), self._file, (ID,)),
            Operation(
                "/files/{id:int}/footprint",
                "Where a file lies, as a GeoJSON geometry in WGS 84.",
                obj(type=TEXT, coordinates={"type": "array"}),
                self._footprint,
                (ID,),
                kind="application/geo+json",
            ),
            Operation(
                "/files/{id:int}/thumbnail",
                "A picture of a file.",
                TEXT,
                self._thumbnail,
                (ID,),
                kind="image/png",
            ),
            Operation(
                "/rejected",
                "The reasons for which files are rejected.",
                obj(reasons=listed(obj(reason=TEXT, files=WHOLE))),
                self._rejected,
            ),
            Operation(
                "/sessions",
                "Upload sessions, the newest first.",
                obj(sessions=listed(named("Session")), next=MAYBE_TEXT),
                partial(self._listed, queries.sessions),
                (Parameter("state", "Of this state only."), *PAGED),
            ),
            Operation(
                "/sessions/{id:int}",
                "One session with its files.",
                obj(session=named("Session"), files=listed(named("File")), events=listed(named("Event"))),
                self._session,
                (ID,),
            ),
            Operation(
                "/items",
                "Receipts of files that became items, the latest first.",
                obj(items=listed(named("Receipt")), next=MAYBE_TEXT),
                partial(self._listed, queries.items),
                (*RECEIPTS, *PAGED),
            ),
            Operation(
                "/throughput",
                "What went through each stage in the last 24 hours, by the event that ends it.",
                obj(since=MOMENT, seconds=WHOLE, whole={"type": "boolean"}, stages=named("Stages")),
                self._throughput,
            ),
            Operation(
                "/events",
                "The event log as server-sent events `log`, with ids; Last-Event-ID goes on where it was.",
                TEXT,
                self.streams.events,
                (
                    Parameter(
                        "after", "The id of the last event that is known; else only what is new.", WHOLE
                    ),
                ),
                kind="text/event-stream",
            ),
            Operation(
                "/changes",
                "A server-sent event `changed` whenever something is new or moves, at most one a second.",
                TEXT,
                self.streams.changes,
                kind="text/event-stream",
            ),
            *(self._wishing(name) for name in WISHES),
        )

    def _wishing(self, name: str) -> Operation:
        summary, body, answer = _BODIES[name]
        return Operation(f"/{name}", summary, answer, partial(self._wished, name), body=body)

    async def _status(self, _: Request) -> Response:
        told = await self.status()
        return _json({**told, "failed": told["failed"][-SHOWN:]})

    async def _holds(self, _: Request) -> Response:
        told = await self.status()
        return _json({"revision": told["revision"], "holds": told["holds"]})

    async def _listed(
        self, query: Callable[[Database, Wanted], dict[str, Any]], request: Request
    ) -> Response:
        wanted = Wanted.of(request.query_params)
        return _json(await self.ask(lambda db: query(db, wanted)))

    async def _file(self, request: Request) -> Response:
        return await self._one(queries.file, request)

    async def _session(self, request: Request) -> Response:
        return await self._one(queries.session, request)

    async def _one(
        self, query: Callable[[Database, int], dict[str, Any] | None], request: Request
    ) -> Response:
        number = number_of(request)
        found = await self.ask(lambda db: (query(db, number),))
        if found[0] is None:
            raise HTTPException(404, "The journal knows none of this number.")
        return _json(found[0])

    async def _footprint(self, request: Request) -> Response:
        number = number_of(request)
        found = await self.ask(lambda db: self._sources.previews.of(db, [number]))
        if number not in found or not found[number].rings:
            raise HTTPException(404, "Nobody knows where this file lies.")
        rings = found[number].rings
        geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
        return JSONResponse(geometry, media_type="application/geo+json")

    async def _thumbnail(self, request: Request) -> Response:
        number = number_of(request)
        found = await self.ask(lambda db: (self._sources.previews.picture(db, number),))
        if found[0] is None:
            raise HTTPException(404, "There is no picture of this file.")
        return Response(found[0], media_type="image/png", headers={"Cache-Control": "private, max-age=86400"})

    async def _rejected(self, _: Request) -> Response:
        return _json(await self.ask(queries.rejected))

    async def _throughput(self, _: Request) -> Response:
        found = await self.throughput()
        stages = {
            event: [{"files": files, "bytes": size} for files, size in sums]
            for event, sums in found.stages.items()
        }
        return _json({"since": iso(found.since), "seconds": SPAN, "whole": found.whole, "stages": stages})

    async def _wished(self, name: str, request: Request) -> Response:
        try:
            wish = json.loads(await request.body() or b"{}")
        except (ValueError, RecursionError):
            wish = None
        if request.headers.get("content-type", "").partition(";")[0] != "application/json" or not isinstance(
            wish, dict
        ):
            raise HTTPException(400, "The body is an object of JSON, with Content-Type: application/json.")
        return _json(await self.wish(name, wish))


_CHOSEN = {
    "type": "object",
    "properties": {"files": listed(WHOLE), "reason": TEXT, "all": {"type": "boolean"}},
    "description": "Which rejected files: by their numbers, of one reason, or all.",
}
_FOLDER = {"type": ["string", "null"], "description": "The path of a drop folder; empty: everything."}
_BODIES: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any]]] = {
    "retry": ("Try rejected files once more.", _CHOSEN, obj(retried=WHOLE)),
    "forget": (
        "Give up rejected files that will not come back.",
        _CHOSEN,
        obj(forgotten=WHOLE, refused=listed({"type": "array"})),
    ),
    "held": (
        "Try now whatever is held, or what one hold keeps waiting.",
        {"type": "object", "properties": {"scope": TEXT, "subject": TEXT}},
        obj(tried=WHOLE),
    ),
    "pause": (
        "Begin nothing new.",
        {"type": "object", "properties": {"folder": _FOLDER, "seconds": {"type": ["number", "null"]}}},
        obj(until={"type": ["string", "null"]}),
    ),
    "resume": (
        "End a pause.",
        {"type": "object", "properties": {"folder": _FOLDER}},
        obj(resumed=listed(MAYBE_TEXT)),
    ),
}


def number_of(request: Request) -> int:
    """The number in the path. Raises HTTPException 404 where no row can have it."""
    number: int = request.path_params["id"]
    if number >= 1 << 63:
        raise HTTPException(404, "The journal knows none of this number.")
    return number


async def _in_time(asked: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asked
    except TimeoutError:
        raise HTTPException(503, SILENT) from None


def _json(value: object) -> Response:
    """In ASCII, so that broken names survive any reader."""
    return Response(json.dumps(value), media_type="application/json")
