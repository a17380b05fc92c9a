"""Planted secrets must not come out anywhere: no text of an exception, no repr, no log record at DEBUG."""

from __future__ import annotations

import io
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.door import door, put, signed
from tests.support.rawserver import RawServer, Reply, http, ok, problem
from uploader.core.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

KEY, ACCESS, REFRESH, SIGNATURE = "gpra_CANARYKEY", "CANARYACCESS", "CANARYREFRESH", "CANARYSIGNATURE"
TOKEN = ok({"access_token": ACCESS, "expires_in": 300, "refresh_token": REFRESH})
ECHO = f"you sent Bearer {ACCESS}x and {KEY} to https://s/o?X-Goog-Signature={SIGNATURE}"
"""What a careless server tells back."""

XML = f"<Error><Code>SignatureDoesNotMatch</Code><StringToSign>{SIGNATURE}</StringToSign></Error>".encode()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any library logs, from DEBUG on."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


def tell(error: BaseException) -> str:
    """All that a person may come to see of an exception and what is behind it."""
    texts = traceback.format_exception(error)
    seen: BaseException | None = error
    while seen is not None:
        texts += [repr(seen), str(seen), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)


OPERATION = [
    ok({"id": "u_1"}),
    problem(401, ECHO),
    problem(403, ECHO),
    problem(422, ECHO),
    problem(500, ECHO),
    Reply(http(422, json.dumps({"detail": [{"loc": ["body", ECHO], "msg": ECHO, "type": "t"}]}).encode())),
    Reply(http(200, ECHO.encode())),
    Reply(http(302, b"", headers={"Location": f"https://s/o?X-Goog-Signature={SIGNATURE}"})),
    Reply(end="close"),
    Reply(end="stall"),
]


@pytest.mark.parametrize("reply", OPERATION)
async def test_no_call_gives_a_secret_away(reply: Reply, log: io.StringIO) -> None:
    """Whatever the platform answers, neither key nor tokens are seen."""
    told = ""
    async with (
        RawServer(TOKEN, reply, TOKEN, reply) as server,
        door(server.url, auth="client_credentials", read_key=lambda: KEY) as (platform, store),
    ):
        told += repr(vars(platform)) + repr(vars(platform._credentials)) + repr(vars(store))
        try:
            await platform.initiate({}, "k")
        except RemoteError as error:
            told += tell(error)
        told += repr(vars(platform._credentials))
    assert server.requests[1].headers["authorization"] == f"Bearer {ACCESS}"
    assert "CANARY" not in told + log.getvalue()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(http(401, json.dumps({"error": "invalid_client", "error_description": ECHO}).encode())),
        problem(401, ECHO),
        problem(429, ECHO),
        Reply(http(200, json.dumps({"access_token": f"{ACCESS} {ACCESS}"}).encode())),
        Reply(http(200, ECHO.encode(), "text/html")),
        Reply(end="reset"),
    ],
)
async def test_no_exchange_gives_a_secret_away(reply: Reply, log: io.StringIO) -> None:
    """Whatever the token endpoint answers, neither key nor tokens are seen."""
    async with (
        RawServer(reply) as server,
        door(server.url, auth="client_credentials", read_key=lambda: KEY) as (platform, _),
    ):
        with pytest.raises(RemoteError) as caught:
            await platform.initiate({}, "k")
    assert KEY.encode() in server.requests[0].body
    assert "CANARY" not in tell(caught.value) + log.getvalue()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(http(200, b"", "")),
        Reply(http(403, XML, "application/xml")),
        Reply(http(403, XML, "application/xml"), after=0, end="reset"),
        Reply(http(502, XML, "text/html")),
        Reply(http(307, XML, headers={"Location": f"/o?X-Goog-Signature={SIGNATURE}"})),
        Reply(http(200, b"", "", {"x-goog-hash": "crc32c=AAAAAQ=="})),
        Reply(end="close"),
        Reply(end="stall"),
    ],
)
async def test_no_put_gives_a_signature_away(reply: Reply, log: io.StringIO, tmp_path: Path) -> None:
    """Whatever the store answers, the signed URL is not seen."""
    told = ""
    (tmp_path / "o.tif").write_bytes(b"raster" * 100)
    async with RawServer(reply) as server, door(server.url) as (_, store):
        url: Any = signed(server.url)
        try:
            await put(store, url, tmp_path / "o.tif")
        except RemoteError as error:
            told = tell(error)
        told += f"{url!r} {url}"
    assert SIGNATURE in server.requests[0].target
    assert "CANARY" not in told + log.getvalue()
