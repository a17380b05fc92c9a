"""The calls: what is sent, what is read from the answers, and what a 401, 421 or 429 leads to."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.support.door import door
from tests.support.rawserver import RawServer, Reply, http, ok, problem
from uploader.core.errors import ConfigurationError, CredentialRefused, NoAnswer, Refused, Unreachable
from uploader.platform.geopera import Timeouts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from uploader.platform.api import Platform

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

URL = "http://127.0.0.1:1/o?X-Goog-Date=20240101T120000Z&X-Goog-Expires=900&X-Goog-Signature=ab"
TOKEN = ok({"access_token": "T1", "expires_in": 300, "refresh_token": "R1", "refresh_expires_in": 1800})

CALLS: list[tuple[str, Callable[[Platform], Awaitable[Any]], object, object, object]] = [
    (
        "uploads.initiate",
        lambda p: p.initiate({"b": 1, "a": 2}, "k"),
        {"a": 2, "b": 1},
        {"id": "u_1", "x": 1},
        "u_1",
    ),
    (
        "uploads.progress",
        lambda p: p.progress("u_1", 7),
        {"upload_id": "u_1", "status": "uploading", "bytes_uploaded": 7},
        {"id": "u_1"},
        None,
    ),
    (
        "uploads.complete",
        lambda p: p.complete("u_1"),
        {"upload_id": "u_1"},
        {"id": "u_1", "item_ids": ["it_1", "it_2"]},
        ("it_1", "it_2"),
    ),
    ("uploads.complete", lambda p: p.complete("u_1"), {"upload_id": "u_1"}, {"id": "u_1"}, ()),
    ("uploads.complete", lambda p: p.complete("u_1"), {"upload_id": "u_1"}, {"item_ids": None}, ()),
    (
        "uploads.fail",
        lambda p: p.fail("u_1", "because gpra_CANARY", "transfer"),
        {"upload_id": "u_1", "error_message": "because gpra_***", "error_step": "transfer"},
        {"id": "u_1"},
        None,
    ),
    (
        "items.list",
        lambda p: p.list_items("p", collection_id="c", limit=5, offset=10),
        {"project_id": "p", "collection_id": "c", "limit": 5, "offset": 10},
        {"items": [{"id": "i"}]},
        [{"id": "i"}],
    ),
    ("items.list", lambda p: p.list_items("p"), {"project_id": "p", "limit": 100, "offset": 0}, [], []),
    (
        "items.list",
        lambda p: p.list_items("p"),
        {"project_id": "p", "limit": 100, "offset": 0},
        {"features": []},
        [],
    ),
    ("items.get", lambda p: p.get_item("i"), {"item_id": "i"}, {"item": {"id": "i"}}, {"id": "i"}),
    ("items.get", lambda p: p.get_item("i"), {"item_id": "i"}, {"id": "i"}, {"id": "i"}),
    ("items.list_assets", lambda p: p.list_assets("i"), {"item_id": "i"}, {"assets": [{"k": 1}]}, [{"k": 1}]),
    (
        "items.update",
        lambda p: p.update_item("i", {"datetime": "2024-01-02T00:00:00Z", "properties": {"gsd": 1}}),
        {"item_id": "i", "datetime": "2024-01-02T00:00:00Z", "properties": {"gsd": 1}},
        {"id": "i"},
        None,
    ),
    (
        "collections.list",
        lambda p: p.list_collections("p"),
        {"project_id": "p"},
        {"collections": [{"id": "c", "name": "n"}]},
        [{"id": "c", "name": "n"}],
    ),
    (
        "collections.create",
        lambda p: p.create_collection("p", "n"),
        {"project_id": "p", "name": "n"},
        {"id": "c", "name": "n"},
        "c",
    ),
    (
        "items.list_assets",
        lambda p: p.list_assets("i"),
        {"item_id": "i"},
        {"assets": {"data": {"href": "h"}}},
        [{"key": "data", "href": "h"}],
    ),
]


@pytest.mark.parametrize(("op", "call", "sent", "answered", "result"), CALLS)
async def test_each_call_sends_and_reads_what_is_documented(
    op: str, call: Callable[[Platform], Awaitable[Any]], sent: object, answered: object, result: object
) -> None:
    """Operation, body and bearer are as documented, and the answer's fields are found."""
    async with RawServer(ok(answered)) as server, door(server.url) as (platform, _):
        assert await call(platform) == result

    request = server.requests[0]
    assert (request.method, request.target, request.json) == ("POST", f"/v1/op/{op}", sent)
    assert request.headers["authorization"] == "Bearer gpra_CANARYKEY"
    assert request.headers["content-type"] == "application/json"
    assert "cookie" not in request.headers


async def test_initiate_is_sent_as_the_same_bytes() -> None:
    """The key goes with it, and the order of the body's keys does not change what is sent."""
    async with RawServer(ok({"id": "u_1"}, Set_Cookie="a=b")) as server, door(server.url) as (platform, _):
        await platform.initiate({"project_id": "p", "total_bytes": 7}, "key-1")
        await platform.initiate({"total_bytes": 7, "project_id": "p"}, "key-1")

    first, second = server.requests
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "key-1"
    assert "cookie" not in second.headers


async def test_a_signed_url_is_read_by_the_signers_clock() -> None:
    """Its life is counted from the answer's Date, and the URL itself does not show."""
    reply = ok({"upload_url": URL, "object_path": "x"}, Date="Mon, 01 Jan 2024 12:05:00 GMT")
    async with RawServer(reply) as server, door(server.url) as (platform, _):
        url = await platform.signed_url("u_1", "a.tif", "image/tiff")

    assert url.url == URL
    assert server.requests[0].json == {"upload_id": "u_1", "file_name": "a.tif", "content_type": "image/tiff"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"upload_url": 7},
        {"upload_url": "ftp://h/CANARY"},
        {"upload_url": "http://u:CANARY@h/"},
        {"upload_url": ""},
    ],
)
async def test_a_bad_signed_url_is_no_answer(document: object) -> None:
    """What is not a URL to send a file to is not taken, nor shown."""
    async with RawServer(ok(document)) as server, door(server.url) as (platform, _):
        with pytest.raises(NoAnswer, match="upload_url") as caught:
            await platform.signed_url("u_1", "a.tif", "image/tiff")

    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": "u_2"},
        {"id": "u_2", "item_ids": []},
        {"id": "u_1", "item_ids": "it_1"},
        {"item_ids": [7]},
        [],
        None,
    ],
)
async def test_a_complete_that_is_about_something_else_is_no_answer(document: object) -> None:
    """`complete` counts as done only by an answer about this session."""
    async with RawServer(ok(document)) as server, door(server.url) as (platform, _):
        with pytest.raises(NoAnswer):
            await platform.complete("u_1")


ODD_IDS = ([], {}, ["it_1"], {"id": "it_1"}, 7, True, None, "", "a b", "a\ud800", "x" * 300)


@pytest.mark.parametrize("odd", ODD_IDS, ids=repr)
async def test_an_id_that_is_none_is_left_out(odd: object) -> None:
    """One odd record among a project's items is nobody's matter; those beside it are read."""
    records = [{"id": odd, "upload_id": odd, "name": "odd"}, {"id": "it_2", "upload_id": "u_1"}]
    async with RawServer(ok({"items": records})) as server, door(server.url) as (platform, _):
        assert await platform.list_items("p") == [{"name": "odd"}, {"id": "it_2", "upload_id": "u_1"}]
        assert await platform.list_assets("it_1") == [{"name": "odd"}, {"id": "it_2", "upload_id": "u_1"}]
    async with RawServer(ok({"item": records[0]})) as server, door(server.url) as (platform, _):
        assert await platform.get_item("it_1") == {"name": "odd"}


async def test_lists_may_be_larger_than_other_answers() -> None:
    """A page of items may exceed a mebibyte, within its own bound."""
    big = json.dumps([{"id": "i", "pad": "x" * (2 << 20)}]).encode()
    async with (
        RawServer(Reply(http(200, big)), Reply(http(200, b" " * (16 << 20) + big))) as server,
        door(server.url, timeouts=Timeouts()) as (platform, _),
    ):
        assert (await platform.list_items("p"))[0]["id"] == "i"
        with pytest.raises(NoAnswer, match="16777216"):
            await platform.list_items("p")


async def test_a_401_refreshes_once_and_tries_once_more() -> None:
    """The call is repeated with a fresh token, and its result is the call's."""
    fresh = ok({"access_token": "T2", "expires_in": 300})
    async with (
        RawServer(TOKEN, problem(401), fresh, ok({"id": "u_1"})) as server,
        door(server.url, auth="client_credentials") as (platform, _),
    ):
        assert await platform.initiate({}, "k") == "u_1"

    assert [r.headers.get("authorization") for r in server.requests] == [None, "Bearer T1", None, "Bearer T2"]


async def test_a_second_401_is_the_keys_fault() -> None:
    """A fresh token that is refused ends the call; the next call begins with the key."""
    fresh = ok({"access_token": "T2", "expires_in": 300, "refresh_token": "R2"})
    async with (
        RawServer(TOKEN, problem(401), fresh, problem(401), TOKEN, ok({"id": "u_1"})) as server,
        door(server.url, auth="client_credentials") as (platform, _),
    ):
        with pytest.raises(CredentialRefused, match="key"):
            await platform.initiate({}, "k")
        assert len(server.requests) == 4
        await platform.initiate({}, "k")

    assert b"client_credentials" in server.requests[4].body


async def test_a_new_key_is_picked_up_in_mode_api_key() -> None:
    """After a 401 the key is read again, and the call made with the new one."""
    keys = iter(["old", "new", "new"])
    async with (
        RawServer(problem(401), ok({"id": "u_1"})) as server,
        door(server.url, read_key=lambda: next(keys)) as (platform, _),
    ):
        assert await platform.initiate({}, "k") == "u_1"

    assert [r.headers["authorization"] for r in server.requests] == ["Bearer old", "Bearer new"]


async def test_a_misdirected_call_is_made_once_more_on_a_new_connection() -> None:
    """The one that was kept leads to a server of another host; what another one answers is the call's result."""
    async with (
        RawServer(ok({"items": []}), problem(421), ok({"id": "u_1"})) as server,
        door(server.url) as (platform, _),
    ):
        await platform.list_items("p")
        assert await platform.initiate({"a": 1}, "k") == "u_1"

    assert server.connections == 2
    assert server.requests[1].body == server.requests[2].body


async def test_a_second_misdirection_is_told() -> None:
    """Whoever made the call waits before the next try."""
    async with RawServer(problem(421)) as server, door(server.url) as (platform, _):
        with pytest.raises(Refused, match="421"):
            await platform.initiate({}, "k")

    assert (len(server.requests), server.connections) == (2, 2)


async def test_a_401_of_something_in_between_refreshes_nothing() -> None:
    """A web page with 401 is no answer of the platform."""
    async with (
        RawServer(Reply(http(401, b"<html>", "text/html"))) as server,
        door(server.url) as (platform, _),
    ):
        with pytest.raises(NoAnswer):
            await platform.initiate({}, "k")

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply", [Reply(end="close"), Reply(end="stall"), Reply(http(200, b"<html>", "text/html"))]
)
async def test_without_a_token_the_operation_was_not_sent(reply: Reply) -> None:
    """A doubtful exchange leaves no doubt about the operation: it is Unreachable, not NoAnswer."""
    async with RawServer(reply) as server, door(server.url, auth="client_credentials") as (platform, _):
        with pytest.raises(Unreachable, match=r"uploads\.initiate was not sent"):
            await platform.initiate({}, "k")


@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_after_holds_back_all_calls(status: int) -> None:
    """After 429 or 503 with Retry-After nobody calls before its time."""
    async with (
        RawServer(problem(status, Retry_After="0.3"), ok({"id": "u_1"})) as server,
        door(server.url) as (platform, _),
    ):
        with pytest.raises(Refused) as caught:
            await platform.initiate({}, "k")
        began = anyio.current_time()
        await platform.progress("u_1", 1)

    assert caught.value.retry_after == 0.3
    assert anyio.current_time() - began >= 0.25


async def test_a_429_is_not_waited_out() -> None:
    """The status of a 429 says it all; its body may never end."""
    raw = b"HTTP/1.1 429 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with RawServer(Reply(raw, end="stall")) as server, door(server.url) as (platform, _):
        with pytest.raises(Refused):
            await platform.initiate({}, "k")


async def test_a_call_leaves_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Operation, status and time, and nothing of the bodies."""
    caplog.set_level(logging.DEBUG)
    async with RawServer(ok({"id": "u_CANARY"})) as server, door(server.url) as (platform, _):
        await platform.initiate({"project_id": "CANARY"}, "CANARY")

    lines = [r.getMessage() for r in caplog.records if r.name.startswith(("uploader", "http"))]
    assert len(lines) == 1
    assert lines[0].startswith("op=uploads.initiate status=200 ms=")


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "http://api.geopera.com"},
        {"base_url": "http://127.0.0.1.evil.example"},
        {"base_url": "ftp://api.geopera.com"},
        {"base_url": "https://user:pw@api.geopera.com"},
        {"base_url": "https://[::1"},
        {"base_url": ""},
        {"proxy": "socks5://h:1"},
        {"proxy": "h:1"},
        {"ca_file": "/nowhere.pem"},
    ],
)
async def test_settings_that_cannot_work_are_refused_at_once(settings: dict[str, Any]) -> None:
    """No key is sent in clear text, and a bad proxy or ca_file is named."""
    with pytest.raises(ConfigurationError, match=r"base_url|proxy|ca_file"):
        async with door(**{"base_url": "https://h", **settings}):
            pass
