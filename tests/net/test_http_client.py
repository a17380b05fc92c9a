"""What goes out on the wire, to the byte where it matters."""

from __future__ import annotations

import pytest

from tests.support.rawserver import RawServer, Reply, http, ok
from uploader.core.errors import ConfigurationError
from uploader.net.http_client import HttpClient

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("", "/v1/op/items.list", "/v1/op/items.list"),
        ("/", "/v1/op/items.list", "/v1/op/items.list"),
        ("/api/", "/v1", "/api/v1"),
        ("", "", "/"),
        ("", "/hook?token=a%20b&to=c", "/hook?token=a%20b&to=c"),
        ("", "/höök path?q=<ü>#part", "/h%C3%B6%C3%B6k%20path?q=%3C%C3%BC%3E"),
    ],
)
async def test_a_target_is_sent_as_it_is_but_for_what_no_url_may_hold(
    base: str, path: str, target: str
) -> None:
    """What is quoted already stays so, and what is behind a `#` is nobody's but ours."""
    async with RawServer(ok({})) as server:
        client = HttpClient(server.url + base)
        answer = await client.get(path, what="it", deadline=5)
        await client.aclose()
    assert answer.ok
    assert [request.target for request in server.requests] == [target]


async def test_the_headers_are_ours_and_the_callers() -> None:
    """The host with its port, the length of the body, and nothing that a client library would add."""
    async with RawServer(ok({})) as server:
        client = HttpClient(server.url)
        await client.post("/p", b"{}", {"Authorization": "Bearer t"}, what="it", deadline=5)
        await client.aclose()
    (sent,) = server.requests
    assert {name.lower() for name in sent.headers} == {
        *("host", "user-agent", "accept", "accept-encoding", "authorization", "content-length")
    }
    assert sent.body == b"{}"
    assert "http://" + next(v for k, v in sent.headers.items() if k.lower() == "host") == server.url


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://api.example:443", "api.example"),
        ("https://api.example:8443/v", "api.example:8443"),
        ("http://[::1]:80", "[::1]"),
    ],
)
async def test_a_host_is_named_as_the_name_service_knows_it(base: str, host: str) -> None:
    """Without the port that its scheme implies, and with brackets where it is a number with colons."""
    assert HttpClient(base)._headers["Host"] == host


@pytest.mark.parametrize("base", ["https://ü" + "a" * 64, "https://a.example:port", "https://[::1"])
async def test_a_host_that_cannot_be_one_is_the_configurations_fault(base: str) -> None:
    """It is said when the client is made, before anything is sent."""
    with pytest.raises(ConfigurationError, match="names a host that cannot be one"):
        HttpClient(base)


async def test_the_body_of_a_refusal_for_its_number_is_not_waited_for() -> None:
    """The status says it all, and the answer may be slow on purpose."""
    slow = Reply(http(429, b"", length=99), end="stall")
    async with RawServer(slow) as server:
        client = HttpClient(server.url)
        answer = await client.post("/p", b"", {}, what="it", deadline=5)
        await client.aclose()
    assert (answer.status, answer.body) == (429, b"")
