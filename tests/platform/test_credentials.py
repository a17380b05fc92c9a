"""Tokens: exchanged, refreshed early, rotated, one flight at a time."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import anyio
import pytest

from tests.support.rawserver import RawServer, Reply, http, ok, problem
from uploader.core.errors import CredentialRefused, NoAnswer, Refused, RemoteError, Unreachable
from uploader.core.secrets import Secret
from uploader.net.http_client import HttpClient
from uploader.platform.geopera.credentials import Credentials

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def tokens(number: int, **changes: Any) -> Reply:
    """A good answer of the token endpoint."""
    document = {"access_token": f"access{number}", "token_type": "Bearer", "expires_in": 300}
    document |= {"refresh_token": f"refresh{number}", "refresh_expires_in": 1800}
    return ok({k: v for k, v in {**document, **changes}.items() if v is not None})


def oauth(status: int, code: str) -> Reply:
    """A refusal in OAuth's format."""
    return Reply(http(status, json.dumps({"error": code, "error_description": "bad"}).encode()))


class Box:
    """Credentials on a server, with a clock that is set by hand and a key that can change."""

    def __init__(self, server: RawServer, auth: str = "client_credentials", timeout: float = 2.0) -> None:
        self.server, self.now, self.key = server, 1000.0, "key1"
        self.wire = HttpClient(server.url)
        self.credentials = Credentials(
            self.wire,
            auth=auth,
            client_id="geopera",
            read_key=lambda: self.key,
            timeout=timeout,
            clock=lambda: self.now,
        )

    async def token(self) -> str:
        return (await self.credentials.token()).reveal()

    @property
    def grants(self) -> list[str]:
        """What was sent for each token: the grant and its secret."""
        forms = [dict(parse_qsl(request.body.decode())) for request in self.server.requests]
        return [form.get("client_secret") or form["refresh_token"] for form in forms]


async def test_the_exchange_is_the_one_of_the_quickstart() -> None:
    """Path, form and content type are as documented."""
    async with RawServer(tokens(1)) as server:
        assert await Box(server).token() == "access1"

    request = server.requests[0]
    assert request.target == "/realms/public/protocol/openid-connect/token"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "geopera",
        "client_secret": "key1",
    }


@pytest.mark.parametrize(("life", "early"), [(300, 30.0), (60, 12.0), (5, 1.0), (None, 30.0), ("x", 30.0)])
async def test_a_token_is_refreshed_before_its_end(life: object, early: float) -> None:
    """30 s before the end, or a fifth of the life where that is less; 300 s where no life is told."""
    async with RawServer(tokens(1, expires_in=life), tokens(2)) as server:
        box = Box(server)
        await box.token()
        box.now += (life if isinstance(life, int) else 300) - early - 0.01
        assert await box.token() == "access1"
        box.now += 0.02
        assert await box.token() == "access2"

    assert box.grants == ["key1", "refresh1"]


@pytest.mark.parametrize("life", [10**400, 1e300, True, -1, 0, [], {}, "1" * 400, None])
async def test_no_life_of_a_token_is_too_odd(life: object) -> None:
    """It is used for as long as it may be at most, or as the quickstart says."""
    async with RawServer(tokens(1, expires_in=life, refresh_expires_in=life)) as server:
        box = Box(server)
        assert await box.token() == "access1"
        box.now += 200
        assert await box.token() == "access1"


async def test_refresh_tokens_rotate() -> None:
    """Each refresh uses the newest refresh token; without a new one, or after its end, the key is exchanged."""
    script = tokens(1), tokens(2), tokens(3, refresh_token=None), tokens(4, refresh_expires_in=100), tokens(5)
    async with RawServer(*script) as server:
        box = Box(server)
        for _ in range(5):
            await box.token()
            box.now += 280

    assert box.grants == ["key1", "refresh1", "refresh2", "key1", "key1"]


async def test_a_refused_refresh_falls_back_to_the_key_once() -> None:
    """A dead refresh token costs one exchange within the same flight; a changed key is picked up."""
    async with RawServer(tokens(1), oauth(400, "invalid_grant"), tokens(2)) as server:
        box = Box(server)
        await box.token()
        box.now, box.key = box.now + 280, "key2"
        assert await box.token() == "access2"

    assert box.grants == ["key1", "refresh1", "key2"]


async def test_a_doubtful_refresh_is_not_repeated() -> None:
    """A refresh token that may be used up is dropped; one that surely was not sent is kept."""
    async with RawServer(tokens(1), Reply(end="close"), tokens(2)) as server:
        box = Box(server)
        await box.token()
        box.now += 280
        with pytest.raises(NoAnswer):
            await box.token()
        assert await box.token() == "access2"

    assert box.grants == ["key1", "refresh1", "key1"]


async def test_a_refresh_that_was_not_sent_is_kept() -> None:
    """While the platform cannot be reached, the refresh token stays good."""
    async with RawServer(tokens(1), tokens(2)) as server:
        box = Box(server)
        await box.token()
        box.now += 280
        good, box.credentials._wire = box.credentials._wire, HttpClient("http://127.0.0.1:9")
        with pytest.raises(Unreachable):
            await box.token()
        box.credentials._wire = good
        assert await box.token() == "access2"

    assert box.grants == ["key1", "refresh1"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (oauth(401, "invalid_client"), CredentialRefused),
        (oauth(400, "invalid_client"), CredentialRefused),
        (oauth(403, "unauthorized_client"), CredentialRefused),
        (problem(401), CredentialRefused),
        (problem(404), CredentialRefused),
        (problem(429, Retry_After="7"), Refused),
        (problem(421), Refused),
        (problem(503, Retry_After="7"), Refused),
        (problem(500), NoAnswer),
        (oauth(500, "server_error"), NoAnswer),
        (Reply(http(401, b"<html>", "text/html")), NoAnswer),
        (Reply(http(200, b"<html>", "text/html")), NoAnswer),
        (Reply(http(302, b"", headers={"Location": "/"})), NoAnswer),
        (Reply(end="stall"), NoAnswer),
        (tokens(1, access_token=None), NoAnswer),
        (tokens(1, access_token=7), NoAnswer),
        (tokens(1, access_token="a b"), NoAnswer),
        (tokens(1, access_token="a\r\nX-Evil: 1"), NoAnswer),
        (tokens(1, access_token="a" * 20_000), NoAnswer),
    ],
)
async def test_what_the_token_endpoint_says(reply: Reply, expected: type[RemoteError]) -> None:
    """Its clear refusal is about the key; waiting is about us; anything else is no answer."""
    async with RawServer(reply) as server:
        with pytest.raises(RemoteError) as caught:
            await Box(server, timeout=0.3 if reply.end == "stall" else 5.0).token()

    assert type(caught.value) is expected
    assert "key1" not in f"{caught.value!r} {caught.value}"


async def test_a_refused_key_tells_the_way_out() -> None:
    """The message says what to do, in words."""
    async with RawServer(oauth(401, "invalid_client")) as server:
        with pytest.raises(CredentialRefused, match=r"invalid_client.*api_keys\.create.*uploads:write"):
            await Box(server).token()


async def test_many_callers_are_one_flight() -> None:
    """Fifty callers cause one exchange."""
    async with RawServer(Reply(tokens(1).raw, wait=0.05)) as server:
        box, found = Box(server), list[str]()

        async def ask() -> None:
            found.append(await box.token())

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)

    assert found == ["access1"] * 50
    assert len(server.requests) == 1


async def test_many_callers_share_one_failure() -> None:
    """Fifty callers on a refused key cause one exchange; who comes later tries again."""
    async with RawServer(Reply(oauth(401, "invalid_client").raw, wait=0.05), tokens(1)) as server:
        box, failures = Box(server), list[RemoteError]()

        async def ask() -> None:
            try:
                await box.token()
            except CredentialRefused as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
        assert (len(failures), len(server.requests)) == (50, 1)
        assert await box.token() == "access1"


async def test_a_cancelled_caller_kills_no_flight_and_loses_no_token() -> None:
    """Who flies is cancelled: the others get that flight's token, and its refresh token is used next."""
    async with RawServer(tokens(1), Reply(tokens(2).raw, wait=0.1), tokens(3)) as server:
        box, found = Box(server), list[str]()
        await box.token()
        box.now += 280

        async def wait(scope: anyio.CancelScope) -> None:
            with scope:
                found.append(await box.token())

        first, second = anyio.CancelScope(), anyio.CancelScope()
        async with anyio.create_task_group() as group:
            group.start_soon(wait, first)
            group.start_soon(wait, second)
            await anyio.sleep(0.02)
            first.cancel()
        assert found[-1] == "access2"
        box.now += 280
        assert await box.token() == "access3"

    assert box.grants == ["key1", "refresh1", "refresh2"]


async def test_a_401_makes_one_refresh_for_all() -> None:
    """Two calls refused with the same token lead to one refresh; a late report of an old token to none."""
    async with RawServer(tokens(1), tokens(2)) as server:
        box = Box(server)
        old = await box.credentials.token()
        await box.credentials.refused(old)
        await box.credentials.refused(Secret("access1"))
        assert await box.token() == "access2"
        await box.credentials.refused(old)
        assert await box.token() == "access2"

    assert box.grants == ["key1", "refresh1"]


async def test_a_fresh_token_refused_goes_back_to_the_key() -> None:
    """When even a fresh token is refused, the refresh token is not trusted either."""
    async with RawServer(tokens(1), tokens(2)) as server:
        box = Box(server)
        await box.credentials.refused(await box.credentials.token(), fresh=True)
        await box.token()

    assert box.grants == ["key1", "key1"]


async def test_the_key_itself_as_bearer() -> None:
    """In mode `api_key` nothing is exchanged, and after a refusal the key is read anew."""
    async with RawServer(tokens(1)) as server:
        box = Box(server, auth="api_key")
        first = await box.credentials.token()
        box.key = "key2"
        assert await box.token() == first.reveal() == "key1"
        await box.credentials.refused(first)
        assert await box.token() == "key2"

    assert server.requests == []


@pytest.mark.parametrize("auth", ["api_key", "client_credentials"])
async def test_an_unusable_key_is_not_sent(auth: str) -> None:
    """A key with a line break inside is refused here, and nothing goes out."""
    async with RawServer(tokens(1)) as server:
        box = Box(server, auth=auth)
        box.key = "CANARY\nCANARY"
        with pytest.raises(CredentialRefused, match="line break") as caught:
            await box.token()

    assert "CANARY" not in str(caught.value)
    assert server.requests == []
