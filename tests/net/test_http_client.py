"""Requests that end in the middle: what they held is free for the next ones."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from tests.support.rawserver import RawServer, Reply, http
from uploader.core.errors import NoAnswer, RemoteError, Unreachable
from uploader.net.http_client import MOST_CONNECTIONS, HttpClient

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def _served(stream: SocketStream) -> None:
    """Answer each request after a moment."""
    async with stream:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while await stream.receive():
                await anyio.sleep(0.01)
                await stream.send(ANSWER)


async def test_requests_that_end_while_they_wait_for_a_connection_keep_none() -> None:
    """Four times as many as there are connections, at all moments around those at which one comes free."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    wire = HttpClient(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}", connect=0.5)
    async with anyio.create_task_group() as server:
        server.start_soon(listener.serve, _served)
        for _ in range(20):
            async with anyio.create_task_group() as requests:
                for number in range(4 * MOST_CONNECTIONS):
                    requests.start_soon(_asked, wire, "/", 0.005 + number / 2000)

        assert (await wire.get("/", what="The next one", deadline=5.0)).ok
        await wire.aclose()
        server.cancel_scope.cancel()


async def test_one_too_many_was_surely_not_sent() -> None:
    """It waits as long as for a connection to come about, and is as harmless."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    wire = HttpClient(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}", connect=0.5)
    taken = anyio.Semaphore(0)

    async def silent(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            taken.release()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as server:
        server.start_soon(listener.serve, silent)
        for _ in range(MOST_CONNECTIONS):
            server.start_soon(_asked, wire, "/", 600.0)
        for _ in range(MOST_CONNECTIONS):
            await taken.acquire()

        with pytest.raises(Unreachable, match="no free connection in time"):
            await wire.get("/", what="One too many", deadline=5.0)
        server.cancel_scope.cancel()
    await wire.aclose()


async def _asked(wire: HttpClient, path: str, deadline: float) -> None:
    with suppress(RemoteError):
        await wire.get(path, what="A request", deadline=deadline)


async def test_requests_in_a_row_share_a_connection() -> None:
    """Requests at once have one each, and those after them make no other."""
    connections = 0

    async def served(stream: SocketStream) -> None:
        nonlocal connections
        connections += 1
        await _served(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    wire = HttpClient(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}")
    async with anyio.create_task_group() as server:
        server.start_soon(listener.serve, served)
        for _ in range(3):
            await wire.get("/", what="One after the other", deadline=5.0)
        alone = connections
        for _ in range(2):
            async with anyio.create_task_group() as requests:
                for _ in range(3):
                    requests.start_soon(_asked, wire, "/", 5.0)

        assert (alone, connections) == (1, 3)
        await wire.aclose()
        server.cancel_scope.cancel()


async def test_an_answer_that_was_there_before_its_request_is_none() -> None:
    """Whoever sent two at once meant neither for what is asked next, and another connection is opened after that."""
    right, stale = http(200, b"1"), http(200, b"stale")
    async with RawServer(Reply(right + stale), Reply(right), Reply(right)) as server:
        client = HttpClient(server.url)
        assert (await client.get("/x", what="it", deadline=5.0)).body == b"1"
        with pytest.raises(NoAnswer):
            await client.get("/x", what="it", deadline=5.0)
        assert (await client.get("/x", what="it", deadline=5.0)).body == b"1"
        assert server.connections == 2
        await client.aclose()
