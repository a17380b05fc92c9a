"""What httpcore is told of connections that do not come about, break, end or fall silent: errors of its own."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpcore
import pytest

from uploader.net.network_stream import NetworkBackend

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[httpcore.AsyncNetworkStream, socket.socket]]:
    """A stream, and the socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = await NetworkBackend().connect_tcp("127.0.0.1", listener.getsockname()[1], timeout=5.0)
        far, _ = listener.accept()
        with far:
            yield stream, far
        await stream.aclose()


async def test_a_port_that_nobody_serves_is_no_connection() -> None:
    """Nothing can have been sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(httpcore.ConnectError) as raised:
        await NetworkBackend().connect_tcp("127.0.0.1", port, timeout=5.0)
    assert isinstance(raised.value.__cause__, OSError)


async def test_a_host_that_does_not_answer_is_no_connection_in_time() -> None:
    """Its queue is full, so that the kernel answers nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())

        with pytest.raises(httpcore.ConnectTimeout):
            await NetworkBackend().connect_tcp("127.0.0.1", listener.getsockname()[1], timeout=0.1)
        for one in waiting:
            one.close()


async def test_bytes_and_the_end_arrive_as_they_are_sent() -> None:
    """A part that is longer than what was asked for is kept for the next read."""
    async with pair() as (stream, far):
        await stream.write(b"question")
        assert far.recv(100) == b"question"
        far.sendall(b"answer")
        assert [await stream.read(2), await stream.read(100, timeout=5.0)] == [b"an", b"swer"]
        far.shutdown(socket.SHUT_WR)
        assert await stream.read(100) == b""


async def test_silence_is_a_read_in_vain() -> None:
    """It can be tried again."""
    async with pair() as (stream, far):
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(100, timeout=0.01)
        far.sendall(b"late")
        assert await stream.read(100, timeout=5.0) == b"late"


async def test_who_takes_nothing_is_written_to_in_vain() -> None:
    """What the kernel holds back is full sooner or later."""
    async with pair() as (stream, _):
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(64 << 20), timeout=0.05)


@pytest.mark.parametrize("closed", ["by the other side", "here"])
async def test_a_connection_that_broke_can_neither_be_read_nor_written(closed: str) -> None:
    """Both ways tell it, each by its own error."""
    async with pair() as (stream, far):
        if closed == "here":
            await stream.aclose()
        else:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            far.close()
        with pytest.raises(httpcore.ReadError):
            await stream.read(100, timeout=5.0)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"question")


async def test_an_idle_connection_tells_that_it_was_closed() -> None:
    """So no request is sent on it, which would be doubtful then."""
    async with pair() as (stream, far):
        assert not stream.get_extra_info("is_readable")
        far.close()
        with anyio.fail_after(5.0):
            while not stream.get_extra_info("is_readable"):  # noqa: ASYNC110 - as its user does, who only asks
                await anyio.sleep(0.001)
        await stream.aclose()
        assert stream.get_extra_info("is_readable")


async def test_options_reach_the_socket() -> None:
    """A PUT has the kernel end a connection that stalls."""
    stalled = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4321)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        stream = await NetworkBackend().connect_tcp(*address, timeout=5.0, socket_options=[stalled])
        assert stream.get_extra_info("socket").getsockopt(*stalled[:2]) == 4321
        assert stream.get_extra_info("server_addr") == address
        await stream.aclose()


async def test_who_speaks_no_tls_is_no_connection() -> None:
    """The stream is closed then."""
    async with pair() as (stream, far):
        far.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(httpcore.ConnectError) as raised:
            await stream.start_tls(ssl.create_default_context(), "localhost", timeout=5.0)
        assert isinstance(raised.value.__cause__, ssl.SSLError)
        assert stream.get_extra_info("is_readable")


async def test_a_handshake_that_is_not_answered_is_no_connection_in_time() -> None:
    """As if the port did not answer."""
    async with pair() as (stream, _):
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(ssl.create_default_context(), "localhost", timeout=0.05)
