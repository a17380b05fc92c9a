"""All routes, with what stands before them: the guard, and for changes the cookie."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from uploader.core.errors import UploaderError
from uploader.core.tile_template import origin
from uploader.report.dashboard.api import Api
from uploader.report.dashboard.cookies import cookie_of
from uploader.report.dashboard.guard import Guard, own_names
from uploader.report.dashboard.openapi import document
from uploader.report.dashboard.operations import BASE, Operation
from uploader.report.dashboard.pages import Pages
from uploader.report.dashboard.sources import Sources
from uploader.report.health import health
from uploader.report.metrics import exposition

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
"""Content types of the files that belong to the page."""

Handler = Callable[[Request], Awaitable[Response]]


def application(listen_host: str, sources: Sources) -> ASGIApp:
    """The web application that tells of these sources."""
    api = Api(sources)
    pages = Pages(api, sources)
    operations = api.operations()
    routes = [
        *(_route(operation, sources) for operation in operations),
        Route(f"{BASE}/openapi.json", partial(_described, document(operations))),
        Route("/status.json", partial(_status_json, api)),
        Route("/metrics", partial(_metrics, api)),
        Route("/healthz", partial(_health, api)),
        Route("/static/{name}", _static),
        *pages.routes(),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _refused, UploaderError: _misunderstood, Exception: _failed},
    )
    app.router.redirect_slashes = False
    streams = (f"{BASE}/events", f"{BASE}/changes")
    pictures = origin(sources.basemap.template) if sources.basemap is not None else ""
    return Guard(app, own_names(listen_host, sources.hosts), streams, pictures)


def _route(operation: Operation, sources: Sources) -> Route:
    handler = operation.handler if operation.body is None else partial(_allowed, operation.handler, sources)
    return Route(f"{BASE}{operation.path}", handler, methods=[operation.method])


async def _allowed(handler: Handler, sources: Sources, request: Request) -> Response:
    """Answer who may change something."""
    if sources.access.session(cookie_of(request)) is None:
        raise HTTPException(403, "Changes need the cookie that `uploader dashboard` gives.")
    return await handler(request)


async def _described(described: dict[str, Any], _: Request) -> Response:
    return JSONResponse(described)


async def _status_json(api: Api, _: Request) -> Response:
    """What `uploader status --json` prints, whole."""
    return Response(json.dumps(await api.status(), indent=2), media_type="application/json")


async def _metrics(api: Api, request: Request) -> Response:
    kind, body = exposition(await api.status(), time.time(), ",".join(request.headers.getlist("accept")))
    return Response(body, headers={"Content-Type": kind})


async def _health(api: Api, _: Request) -> Response:
    line, body = health(await api.status(), time.time())
    return PlainTextResponse(body, int(line.split()[0]))


async def _static(request: Request) -> Response:
    """A file of the page. Its address has the version of its content, so that browsers may keep it."""
    name = str(request.path_params["name"])
    kind = next((kind for end, kind in KINDS.items() if name.endswith(end)), None)
    found = files(__package__) / "static" / name
    if kind is None or "/" in name or not found.is_file():
        raise HTTPException(404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"} if request.query_params.get("v") else {}
    return Response(found.read_bytes(), headers={"Content-Type": kind, **kept})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    texts = {404: "not here", 405: "read only"}
    text = texts.get(error.status_code, error.detail) if error.detail in _DEFAULTS else error.detail
    return _worded(request, error.status_code, text, error.headers)


_DEFAULTS = frozenset({"Not Found", "Method Not Allowed"})


async def _misunderstood(request: Request, error: Exception) -> Response:
    return _worded(request, 400, str(error))


async def _failed(request: Request, _: Exception) -> Response:
    """Whatever goes wrong in an answer is in the log, and no page tells of it."""
    return _worded(request, 500, "The daemon failed on this. Its log says why.")


def _worded(request: Request, status: int, text: str, headers: Any = None) -> Response:
    if request.url.path.startswith(f"{BASE}/"):
        return JSONResponse({"error": text}, status, headers)
    return PlainTextResponse(f"{text}\n", status, headers)
