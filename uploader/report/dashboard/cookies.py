"""The cookie of those who may change something.

Its name has the port: browsers hand cookies to all servers of a host, and another daemon has one of its own.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from uploader.report.dashboard.access import SESSION_SECONDS


def cookie_of(request: Request) -> str | None:
    """The cookie that a request brings, if any."""
    return request.cookies.get(_name(request))


def give_cookie(request: Request, response: Response, cookie: str) -> None:
    """Have the browser keep it: no script sees it, and no request that another site starts carries it."""
    response.set_cookie(
        _name(request),
        cookie,
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.headers.get("origin", "").startswith("https://"),
    )


def take_cookie(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(_name(request), httponly=True, samesite="strict")


def _name(request: Request) -> str:
    server = request.scope.get("server")
    return f"uploader_{server[1] if server else 0}"
