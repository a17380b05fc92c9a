"""The pages for people: what they show is asked of the same functions as the API, and drawn by the templates."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from uploader.core.errors import UploaderError
from uploader.journal import listings
from uploader.journal.sqlite_library import Database
from uploader.report.dashboard import queries, views
from uploader.report.dashboard.api import Api, number_of
from uploader.report.dashboard.cookies import cookie_of, give_cookie, take_cookie
from uploader.report.dashboard.footprint_map import drawn
from uploader.report.dashboard.plot import plotted
from uploader.report.dashboard.queries import Wanted
from uploader.report.dashboard.sources import Sources
from uploader.report.dashboard.templating import rendered
from uploader.report.dashboard.wishes import WISHES, words
from uploader.report.receipts.stac_items import item_address

RECENT = 12
"""Items on the first page."""
REASONS = 20
"""Reasons of rejected files on it, and how many files of each."""
FILES_OF_REASON = 5
NEWEST_REJECTED = 300
"""Rejected files among which those are."""
ROUNDS = 5
"""Pages of a search that are asked for until one has something."""
FRESH = 0.5
"""Seconds for which what was found is shown to others, too."""
SHARE = 20.0
"""What took a second to be found is shown for so many, however many look and however much there is to be told."""
STALE = 3.0
"""Seconds for which it is shown at most."""
MAX_FIELDS = 2000

_TEXTS = ("reason", "folder", "scope", "subject")
"""Fields of a form that are text."""

_BACK = re.compile(r"/(?:[\w./?=&%+-]*)?")


class Pages:
    """The pages of one daemon."""

    def __init__(self, api: Api, sources: Sources) -> None:
        self._api = api
        self._sources = sources
        self._found: tuple[float, int, dict[str, Any]] = (0.0, -1, {})
        """Until when it is shown (monotonic seconds), as of which commit, and what was found."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/", self._overview),
            Route("/files", self._files),
            Route("/files/{id:int}", self._file),
            Route("/sessions/{id:int}", self._session),
            Route("/enter", self._entrance),
            Route("/enter", self._enter, methods=["POST"]),
            Route("/leave", self._leave, methods=["POST"]),
            Route("/act/{name}", self._act, methods=["POST"]),
        ]

    async def _overview(self, request: Request) -> Response:
        until, commits, found = self._found
        if (began := time.monotonic()) >= until:
            commits = self._sources.commits()
            found = await self._look()
            took = time.monotonic() - began
            self._found = began + took + min(STALE, max(FRESH, SHARE * took)), commits, found
        behind = commits != self._sources.commits()
        return self._page(request, "overview.html", behind=behind, **found)

    async def _look(self) -> dict[str, Any]:
        """Everything that the first page tells."""
        now, status = time.time(), await self._api.status()
        throughput = await self._api.throughput()
        reasons = views.reasons(status["failed"])
        found = await self._api.ask(partial(self._lists, reasons=reasons))
        sentence, mood = views.sentence(status, now)
        plot = plotted(throughput)
        return {
            "status": status,
            "now": now,
            "sentence": sentence,
            "mood": mood,
            "left": views.time_left(status, now),
            "holds": views.holds(status, now),
            "stages": views.stages(status, now),
            "others": views.others_running(status, now),
            "folders": views.folders(status),
            "plot": plot,
            "day": plot.curves[-1],
            **found,
        }

    def _lists(self, db: Database, reasons: Sequence[tuple[str, int]]) -> dict[str, Any]:
        newest = listings.rejected(db, None, NEWEST_REJECTED) if reasons else []
        items = queries.items(db, Wanted(most=RECENT))["items"]
        previews = self._sources.previews.of(db, [item["id"] for item in items])
        return {
            "rejected": views.grouped(reasons[:REASONS], newest, FILES_OF_REASON),
            "more_reasons": max(0, len(reasons) - REASONS),
            "items": items,
            "previews": previews,
            "map": drawn(previews, self._sources.basemap),
        }

    async def _files(self, request: Request) -> Response:
        try:
            wanted = Wanted.of(request.query_params)
            found = await self._searched(wanted)
        except UploaderError as error:
            raise HTTPException(400, str(error)) from error
        kept = {"state": wanted.state, "folder": wanted.folder, "search": wanted.search}
        further = urlencode(
            {name: text for name, text in kept.items() if text} | {"cursor": found["next"] or ""}
        )
        folders = [folder["path"] for folder in (await self._api.status())["folders"]]
        return self._page(request, "files.html", wanted=wanted, further=further, folders=folders, **found)

    async def _searched(self, wanted: Wanted) -> dict[str, Any]:
        """A page that has something, or all that a number of pages have."""
        found: dict[str, Any] = {"files": [], "next": wanted.cursor}
        for _ in range(ROUNDS):
            asked = Wanted(
                wanted.state, wanted.folder, wanted.project, wanted.search, found["next"] or "", wanted.most
            )
            found = await self._api.ask(partial(queries.files, wanted=asked))
            if found["files"] or found["next"] is None:
                break
        return found

    async def _file(self, request: Request) -> Response:
        number = number_of(request)
        found, previews = await self._api.ask(
            lambda db: (queries.file(db, number), self._sources.previews.of(db, [number]))
        )
        if found is None:
            raise HTTPException(404, "The journal knows no file of this number.")
        shown = {"preview": previews.get(number), "map": drawn(previews, self._sources.basemap)}
        return self._page(request, "file.html", number=number, **shown, **found)

    async def _session(self, request: Request) -> Response:
        number = number_of(request)
        found = await self._api.ask(lambda db: (queries.session(db, number),))
        if found[0] is None:
            raise HTTPException(404, "The journal knows no session of this number.")
        return self._page(request, "session.html", **found[0])

    async def _entrance(self, request: Request) -> Response:
        """Where the address of `uploader dashboard` leads: its token stands behind the #, which no log sees."""
        return self._page(request, "enter.html", wrong=False)

    async def _enter(self, request: Request) -> Response:
        fields = await _fields(request)
        cookie = self._sources.access.enter(dict(fields).get("token", "").strip())
        if cookie is None:
            return self._page(request, "enter.html", 403, wrong=True)
        response = RedirectResponse("/", 303)
        give_cookie(request, response, cookie)
        return response

    async def _leave(self, request: Request) -> Response:
        self._sources.access.leave(cookie_of(request))
        response = RedirectResponse("/", 303)
        take_cookie(request, response)
        return response

    async def _act(self, request: Request) -> Response:
        """A wish from a form; what came of it is told on the page that the form was on."""
        session = self._sources.access.session(cookie_of(request))
        if session is None:
            raise HTTPException(403, "Changes need the address that `uploader dashboard` prints.")
        name = str(request.path_params["name"])
        if name not in WISHES:
            raise HTTPException(404)
        fields = await _fields(request)
        try:
            session.said = words(name, await self._api.wish(name, _wish(fields)))
        except UploaderError as error:
            session.said = str(error)
        self._found = (0.0, -1, {})
        back = dict(fields).get("back", "/")
        return RedirectResponse(back if _BACK.fullmatch(back) and not back.startswith("//") else "/", 303)

    def _page(self, request: Request, template: str, status_code: int = 200, **told: Any) -> Response:
        session = self._sources.access.session(cookie_of(request))
        said = ""
        if session is not None:
            said, session.said = session.said, ""
        query = f"?{request.url.query}" if request.url.query else ""
        here = f"{request.url.path}{query}"
        body = rendered(
            template,
            {
                **told,
                "may_change": session is not None,
                "said": said,
                "here": here if _BACK.fullmatch(here) else "/",
                "item_address": lambda item: item_address(self._sources.base_url.rstrip("/"), item),
            },
        )
        return Response(body, status_code, media_type="text/html; charset=utf-8")


async def _fields(request: Request) -> list[tuple[str, str]]:
    """What a form sends. Raises HTTPException 400 where it is none."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(400, "This address takes forms.")
    try:
        text = (await request.body()).decode("ascii")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HTTPException(400, "This is no form.") from None


def _wish(fields: list[tuple[str, str]]) -> Mapping[str, Any]:
    """A form as the wish that JSON would tell."""
    given = dict(fields)
    wish: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
    if given.get("all"):
        wish["all"] = True
    numbers = [int(text) for name, text in fields if name == "file" and text.isascii() and text.isdecimal()]
    if numbers:
        wish["files"] = numbers
    if given.get("seconds", "").isdecimal():
        wish["seconds"] = int(given["seconds"])
    return wish
