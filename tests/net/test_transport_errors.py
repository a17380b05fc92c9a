"""A table of everything that a network does to a call, and the error it becomes."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from typing import TYPE_CHECKING

import httpcore
import pytest

from tests.support.certificates import self_signed, serving
from tests.support.door import SHORT, door, put
from tests.support.rawserver import RawServer, Reply, http, ok, problem
from uploader.core.errors import NoAnswer, RemoteError, Unreachable
from uploader.net.transport_errors import BROKEN, RequestTrace, broken
from uploader.platform.geopera import SignedUrl

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

GOOD = json.dumps({"id": "u_1"}).encode()
HTML = http(200, b"<html>log in first</html>", "text/html")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(end="close"),
        Reply(end="reset"),
        Reply(end="stall"),
        Reply(end="reset", after=0),
        Reply(http(200, GOOD), cut=1, end="close"),
        Reply(http(200, GOOD), cut=30, end="reset"),
        Reply(http(200, GOOD), cut=len(http(200, GOOD)) - 1, end="close"),
        Reply(http(200, GOOD), cut=len(http(200, GOOD)) - 1, end="stall"),
        Reply(http(200, GOOD, length=99), end="close"),
        Reply(http(200, GOOD, length=5)),
        Reply(http(200, GOOD), drip=SHORT.call / 10),
        Reply(http(200, GOOD), wait=SHORT.call * 1.5),
        Reply(b"SSH-2.0-OpenSSH_9\r\n", end="close"),
        Reply(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000, end="close"),
        Reply(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            forever=b"10000\r\n" + b" " * 65536 + b"\r\n",
        ),
        Reply(http(200, b" " * (1 << 20) + GOOD)),
        Reply(http(200, GOOD, headers={"Content-Encoding": "gzip"})),
        Reply(HTML),
        Reply(http(200, b"", "")),
        Reply(http(204, b"", "")),
        Reply(http(200, b"[]")),
        Reply(http(200, b"null")),
        Reply(http(200, b"{}")),
        Reply(http(200, GOOD[:-2])),
        Reply(http(200, b'{"id": 7}')),
        Reply(http(200, b'{"id": ""}')),
        Reply(http(200, b'{"id": "a\\nb"}')),
        Reply(http(200, b'{"id": "\\ud800"}')),
        Reply(http(200, json.dumps({"id": "u" * 300}).encode())),
        Reply(http(302, b"", headers={"Location": "https://login.example/"})),
        Reply(http(302, b"", headers={"Location": "https://xn--a/"})),
        Reply(http(308, b"", headers={"Location": "https://xn--99999999999/"})),
        Reply(http(500, b"oops", "text/plain")),
        Reply(http(502, b"<html>", "text/html")),
        Reply(http(404, b"<html>", "text/html")),
        problem(500),
    ],
)
async def test_what_may_have_been_acted_upon_is_doubtful(reply: Reply) -> None:
    """Once the request is out, anything but the platform's own clear answer is NoAnswer; it is sent once."""
    async with RawServer(reply) as server, door(server.url) as (platform, _):
        with pytest.raises(RemoteError) as caught:
            await platform.initiate({"project_id": "p"}, "key-1")

    assert type(caught.value) is NoAnswer
    assert len(server.requests) == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_doubtful() -> None:
    """A server may close a kept connection as the next request comes: nobody knows whether it was read."""
    async with (
        RawServer(ok({"id": "u_1"}), Reply(end="close", after=0)) as server,
        door(server.url) as (platform, _),
    ):
        await platform.initiate({}, "k")
        with pytest.raises(NoAnswer):
            await platform.initiate({}, "k")


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        (lambda: f"http://127.0.0.1:{free_port()}", "it refuses connections"),
        (lambda: "https://nowhere.invalid", "its name is not known"),
    ],
)
async def test_without_a_connection_nothing_was_sent(base_url: object, words: str) -> None:
    """No name and no listener are Unreachable, and the cause is told."""
    assert callable(base_url)
    async with door(base_url()) as (platform, _):
        with pytest.raises(Unreachable, match=words):
            await platform.initiate({}, "k")


async def test_a_blackhole_is_unreachable_also_by_the_deadline() -> None:
    """A connection that never comes about is known as such, whichever clock runs out first."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # Fill the queue of a listener that never accepts: further connections hang.
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        async with door(f"http://127.0.0.1:{full.getsockname()[1]}") as (platform, _):
            with pytest.raises(Unreachable):
                await platform.initiate({}, "k")
        for other in others:
            other.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For localhost: a certificate and its key, in one file."""
    return self_signed(tmp_path_factory.mktemp("tls"))


async def test_an_untrusted_certificate_is_unreachable_and_says_so(certificate: Path) -> None:
    """Nothing is sent to a server with a foreign certificate; with `ca_file` it is trusted."""
    async with RawServer(ok({"id": "u_1"}), tls=serving(certificate)) as server:
        async with door(server.url) as (platform, _):
            with pytest.raises(Unreachable, match=r"certificate is not trusted.*ca_file"):
                await platform.initiate({}, "k")
        async with door(server.url, ca_file=str(certificate.parent / "cert.pem")) as (platform, _):
            assert await platform.initiate({}, "k") == "u_1"
    assert len(server.requests) == 1


async def test_a_certificate_of_another_host_is_no_matter_of_the_clock(certificate: Path) -> None:
    """What to do follows from what is wrong with it."""
    async with (
        RawServer(ok({"id": "u_1"}), tls=serving(certificate)) as server,
        door(f"https://127.0.0.1:{server.port}", ca_file=str(certificate.parent / "cert.pem")) as (
            platform,
            _,
        ),
    ):
        with pytest.raises(Unreachable, match="Check the host in base_url"):
            await platform.initiate({}, "k")


@pytest.mark.parametrize(("code", "words"), [(9, "clock"), (10, "clock"), (62, "host"), (20, "ca_file")])
async def test_what_to_do_about_a_certificate_follows_from_its_fault(code: int, words: str) -> None:
    """Not valid yet, expired, another host's, and by a signer that nobody knows."""
    cause = ssl.SSLCertVerificationError("x")
    cause.verify_code, cause.verify_message = code, "no good"
    error = httpcore.ConnectError("x")
    error.__cause__ = cause

    told = broken(error, RequestTrace(), "op", "host")

    assert "its certificate is not trusted: no good" in told.reason
    assert words in told.way_out


async def test_tls_where_none_is_spoken_is_unreachable() -> None:
    """Https to a plain port ends before anything is sent."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, door(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as (platform, _):
        with pytest.raises(Unreachable, match=r"no connection \(no encryption.*right port"):
            await platform.initiate({}, "k")


@pytest.mark.parametrize(
    "reply", [problem(407), Reply(end="close"), Reply(end="stall"), Reply(http(502, b"<html>", "text/html"))]
)
async def test_a_proxy_that_opens_no_tunnel_is_unreachable(reply: Reply) -> None:
    """What breaks between us and the proxy has not reached the platform."""
    async with RawServer(reply) as proxy, door("https://api.example", proxy=proxy.url) as (platform, _):
        with pytest.raises(Unreachable):
            await platform.initiate({}, "k")
    assert [request.method for request in proxy.requests] == ["CONNECT"]


async def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Not the platform, which nobody has asked; its user and password are not told."""
    address = f"http://user:word@localhost:{free_port()}"
    (tmp_path / "a.tif").write_bytes(b"x")
    async with door("https://api.example", proxy=address) as (platform, store):
        with pytest.raises(Unreachable) as call:
            await platform.initiate({}, "k")
        with pytest.raises(Unreachable) as transfer:
            await put(store, SignedUrl.parse("https://store.example/o"), tmp_path / "a.tif")

    for error in (call.value, transfer.value):
        assert "could not reach the proxy localhost" in error.reason
        assert "[platform] proxy" in error.way_out
        assert "word" not in str(error)


SURELY_UNSENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
}

KINDS = [kind for kind in vars(httpcore).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("error", [kind("x") for kind in KINDS], ids=lambda error: type(error).__name__)
async def test_every_exception_of_the_library_is_known(error: Exception) -> None:
    """Each class is caught, and only those that cannot come after sending prove that nothing was sent."""
    assert isinstance(error, BROKEN)
    expected = Unreachable if type(error).__name__ in SURELY_UNSENT else NoAnswer
    assert type(broken(error, RequestTrace(), "op", "host")) is expected


async def test_the_stage_decides_where_the_class_does_not() -> None:
    """A timeout while connecting is Unreachable, the same after sending NoAnswer; a tunnel is no sending."""
    stage = RequestTrace()
    await stage("connection.connect_tcp.started", {})
    await stage("http11.send_request_headers.started", {"request": httpcore.Request("CONNECT", "http://h/")})
    assert type(broken(TimeoutError(), stage, "op", "host")) is Unreachable

    await stage("http11.send_request_headers.started", {"request": httpcore.Request("POST", "http://h/")})
    assert type(broken(TimeoutError(), stage, "op", "host")) is NoAnswer
