"""The web server in the daemon: one task of its event loop, without signal handlers, bounded in clients and time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from uploader.report.dashboard.application import application
from uploader.report.dashboard.sources import Sources
from uploader.system import files as fs

log = logging.getLogger(__name__)

MAX_HEAD = 16 << 10
"""Bytes of a request's line and headers together."""
SILENCE = 10.0
"""Seconds that a client may take for the head of a request."""
MAX_CLIENTS = 64
"""Connections at once; the next one is told to come back later."""
BIND_AGAIN = 60.0
"""Seconds until a taken port is tried again."""


def _is_news(record: logging.LogRecord) -> bool:
    """Whether uvicorn's message tells anything: an answer that ended with the daemon does not."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what clients send is no news either
logging.getLogger("uvicorn.error").addFilter(_is_news)


async def serve(listen: str, sources: Sources) -> None:
    """Serve on `listen` ("HOST:PORT") until cancelled.

    A port that is taken is no reason to stop uploading: it is said in the log and tried again every minute.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    while True:
        try:
            sockets = await _listening(host, int(port))
        except OSError as error:
            log.warning("dashboard listen=%s cannot be opened: %s. Trying again every minute.", listen, error)
            sources.access.closed = f"{listen} cannot be listened on ({fs.words(error)})"
            await asyncio.sleep(BIND_AGAIN)
            continue
        sources.access.closed = ""
        server = _Server(_config(host, sources))
        try:
            await server.serve(sockets)
        finally:
            server.cut_off(sockets)


def _config(host: str, sources: Sources) -> uvicorn.Config:
    return uvicorn.Config(
        application(host, sources),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=MAX_CLIENTS,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=5,
    )


async def _listening(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address of a host. Raises OSError where one cannot be had."""
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sockets.append(
                socket.create_server(
                    (address[0], port), family=socket.AddressFamily(family), backlog=MAX_CLIENTS
                )
            )
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


class _Server(uvicorn.Server):
    """Ends when its task is cancelled, and leaves signals to the daemon."""

    async def main_loop(self) -> None:
        """Wait for the end: connections are served by tasks of their own."""
        await asyncio.get_running_loop().create_future()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers of the process as they are."""
        yield

    def cut_off(self, sockets: list[socket.socket]) -> None:
        """Accept no more and end what is open: whoever shows the page asks again, and finds the next daemon."""
        loop = asyncio.get_running_loop()
        for one in sockets:
            loop.remove_reader(one)  # also where the start was cut off half way
            one.close()
        for task in self.server_state.tasks:
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.close()


class _Protocol(H11Protocol):
    """Gives a client only so long for the head of each request."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take in what came; a request that is complete is waited for no longer."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        if self.cycle is None or self.cycle.response_complete:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(SILENCE, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
