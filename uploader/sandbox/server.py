"""The sandbox as a running server: two sockets, one event loop; blocking (`serve`) or in a thread (`Sandbox`)."""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from uploader.sandbox import api, oauth, page, test_control
from uploader.sandbox.assembly import open_world
from uploader.sandbox.banner import banner
from uploader.sandbox.database import Database
from uploader.sandbox.errors import Refusal
from uploader.sandbox.openapi import document
from uploader.sandbox.root import DATABASE, Lock, folder
from uploader.sandbox.sockets import listen
from uploader.sandbox.store import StoreApp

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from uploader.sandbox.faults import Faults
    from uploader.sandbox.options import Options
    from uploader.sandbox.world import World

_PATIENCE = 20.0
"""Seconds that a start may take before it counts as failed."""
_SHORT_WAIT = 0.005
_TICK = 0.1
_GRACE = 1.0
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Sandbox:
    """The sandbox in a thread of this process, on real sockets; a context manager, once per object.

    Attributes:
        base_url: origin of the API.
        store_url: origin of the object store.
        api_key: the main key.
        project_id: the first project.
        options: as given, with the ports that were taken.
        told: what is different from the last start, in words.

    """

    def __init__(self, options: Options) -> None:
        self._stack = ExitStack()
        self._running = _Running(options, self._stack)
        self._thread = threading.Thread(target=self._running.run, name="sandbox", daemon=True)
        self.world = self._running.world
        self.options = self.world.options
        self.told = tuple(self._running.told)
        self.base_url = self.world.api_url
        self.store_url = self.world.store_url
        self.api_key = self.options.api_key
        self.project_id = self.options.projects[0]

    @property
    def faults(self) -> Faults:
        """The rules of misbehaviour, the same that `/sandbox/faults` changes."""
        return self.world.faults

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._running.server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.close()
                raise RuntimeError("the sandbox did not start")
            time.sleep(_SHORT_WAIT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def state(self) -> dict[str, object]:
        """What `/sandbox/state` answers."""
        return test_control.state(self.world)

    def close(self) -> None:
        """Stop; running calls get a second to end. May be called twice."""
        self._running.server.stop()
        if self._thread.is_alive():
            self._thread.join()
        self._stack.close()


def serve(options: Options) -> None:
    """Serve the local platform until interrupted; state is kept in the root folder.

    Prints its addresses, key and projects, and what to type next. To be called in the main thread.

    Raises:
        StartRefused: a port is taken, the root cannot be used, or another sandbox uses it.

    """
    with ExitStack() as stack:
        running = _Running(options, stack)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            print(banner(running.world, running.told), flush=True)  # noqa: T201  a command's own output
            running.run()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)  # noqa: T201  as above


class _Running:
    """Everything that is open while the server runs; the stack closes it."""

    def __init__(self, options: Options, stack: ExitStack) -> None:
        stack.enter_context(Lock(folder(options.root)))
        database = Database(options.root / DATABASE)
        stack.callback(database.close)
        self._sockets, self.told = listen(options, database, stack)
        self.world = open_world(options, database, self._sockets, stack)
        self.server = _Server(
            uvicorn.Config(
                _Front(self.world, self._sockets[1].getsockname()[1]),
                http=_Protocol,
                loop="asyncio",  # whatever else is installed
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=75,
            )
        )

    def run(self) -> None:
        """Serve until told to stop."""
        self.server.run(sockets=self._sockets)


class _Front:
    """Sends each request to the application of the socket that it came in by."""

    def __init__(self, world: World, store_port: int) -> None:
        self._store_port = store_port
        self._store = StoreApp(world)
        self._api = Starlette(
            routes=[
                Route(oauth.REALM + "token", oauth.token, methods=["POST"]),
                Route(oauth.REALM + "userinfo", oauth.userinfo, methods=["GET"]),
                Route("/v1/{path:path}", api.operation, methods=["GET", "POST"]),
                Route("/openapi.json", _described, methods=["GET"]),
                *page.ROUTES,
                Route("/sandbox/{what}", test_control.control, methods=_METHODS),
            ],
            exception_handlers={404: _no_route, 405: _no_route},
        )
        self._api.state.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._store if scope["server"][1] == self._store_port else self._api
        await app(scope, receive, send)


async def _described(request: Request) -> Response:
    """The sandbox's OpenAPI document, for anybody."""
    world: World = request.app.state.world
    return JSONResponse(document(world.api_url), media_type="application/json")


async def _no_route(_: Request, error: Exception) -> Response:
    """What is no path of ours is refused in the platform's format too."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    body = Refusal(status, "there is nothing here").body()
    return JSONResponse(body, status, media_type="application/problem+json")


class _Server(uvicorn.Server):
    """Stops at once when told to, not at its next tick: tests start and stop hundreds."""

    _bell: asyncio.Event | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Begin to end; may be called in any thread, at any time."""
        self.should_exit = True
        if self._loop and self._bell and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._bell.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, give running calls a second, leave the rest to the end of the event loop."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_GRACE)

    async def main_loop(self) -> None:
        """Tick as the parent does (it keeps the Date header), but listen for the bell between the ticks."""
        self._bell, self._loop = asyncio.Event(), asyncio.get_running_loop()
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), _TICK)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether uvicorn's message tells anything: a call that ended with the server does not."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


logging.getLogger("uvicorn.error").addFilter(_is_news)


class _Protocol(H11Protocol):
    """Hands the connection to the application, which is told at times to cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection for every request that comes over it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
