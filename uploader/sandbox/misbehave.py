"""Carries a fault out on one call: waits, cuts, and answers that the operation did not give."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from uploader.sandbox.errors import Refusal, StoreRefusal
from uploader.sandbox.limits import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import World

_GIANT = 32 << 20
_HTML = b"<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please log in</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One call's fault and delay. `before` comes before the effect, `after` between the effect and the answer."""

    fault: Fault | None
    delay: float
    native: Callable[[int], tuple[str, bytes]]

    @property
    def answered(self) -> bool:
        """Whether the client will get the operation's own answer."""
        return self.fault is None or self.fault.answered

    @property
    def label(self) -> str:
        """What the history notes of the fault."""
        return f"fault:{self.fault.kind}" if self.fault else ""

    async def before(self, world: World) -> Response | None:
        """Wait, cut or answer as ordered; None lets the operation have its effect."""
        await asyncio.sleep(self.delay / 2)
        fault = self.fault
        if fault is None or fault.later:
            return None
        if fault.kind in ("delay_before", "stall"):
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("cut_before", "stall"):
            return Cut()
        return self._faked(fault, world) if fault.kind == "status" else None

    async def after(self, world: World, response: Response) -> Response:
        """The answer that leaves: the operation's own, a faked one, or none."""
        await asyncio.sleep(self.delay / 2)
        fault = self.fault
        if fault is None:
            return response
        if fault.kind in ("delay_after", "stall"):
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("cut_after", "stall"):
            return Cut()
        return self._faked(fault, world) if fault.kind == "status" else response

    def _faked(self, fault: Fault, world: World) -> Response:
        media_type, body = _body(fault, self.native)
        headers = {"content-type": media_type}
        if fault.retry_after is not None:
            headers["retry-after"] = retry_after(fault.retry_after, fault.retry_after_form, world.now())
        if fault.body == "truncated":
            return Truncated(body, fault.status, headers)
        return Response(body, fault.status, headers)


class Cut(Response):
    """No answer: the connection is reset under the client."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's shape
        """Abort, and let the event loop tell the server before it misses the answer."""
        scope["state"]["transport"].abort()
        for _ in range(3):
            await asyncio.sleep(0)


class Truncated(Response):
    """Half of the announced bytes, then the end of the connection."""

    def __init__(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        super().__init__(body, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's shape
        """Send the full length and half of the body; close after that has left."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send(
            {"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True}
        )
        scope["state"]["transport"].close()
        for _ in range(3):
            await asyncio.sleep(0)


def turn(world: World, operation: str, native: Callable[[int], tuple[str, bytes]]) -> Misbehaviour:
    """What happens to this call, by the rules in force and the drawn delay."""
    return Misbehaviour(world.faults.draw(operation), world.latency.draw(), native)


def status_of(response: Response) -> int | None:
    """The status for the history; None for a connection that was cut."""
    return None if isinstance(response, Cut) else response.status_code


def problem(status: int) -> tuple[str, bytes]:
    """The native answer of the API."""
    return "application/problem+json", json.dumps(
        Refusal(status, "the sandbox was told to say this").body()
    ).encode()


def oauth(status: int) -> tuple[str, bytes]:
    """The native answer of the token endpoint."""
    error = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
    return "application/json", json.dumps({"error": error, "error_description": "told to say this"}).encode()


def xml(status: int) -> tuple[str, bytes]:
    """The native answer of the store."""
    code = HTTPStatus(status).phrase.title().replace(" ", "")
    return "application/xml; charset=UTF-8", StoreRefusal(
        status, code, "The sandbox was told to say this."
    ).xml()


def _body(fault: Fault, native: Callable[[int], tuple[str, bytes]]) -> tuple[str, bytes]:
    if fault.text is not None:
        return "application/json", fault.text.encode()
    media_type, body = problem(fault.status) if fault.body == "problem" else native(fault.status)
    faked: dict[str, Any] = {
        "html": ("text/html; charset=utf-8", _HTML),
        "empty": ("application/json", b""),
        "broken": (media_type, body[: len(body) // 2]),
        "giant": (media_type, b'{"padding": "' + b"x" * _GIANT + b'"}') if fault.body == "giant" else None,
    }
    return faked.get(fault.body) or (media_type, body)
