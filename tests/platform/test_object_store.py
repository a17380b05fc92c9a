"""PUTs: what is sent, how the store's answer is judged, also one that comes early, and what ends them."""

# ruff: noqa: ASYNC240 - looking at small local files holds nobody up here

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import anyio
import google_crc32c
import pytest

from tests.support.certificates import self_signed, serving
from tests.support.door import SHORT, door, put, signed
from tests.support.rawserver import RawServer, Reply, http
from uploader.core.errors import (
    NoAnswer,
    RemoteError,
    StagedDamaged,
    StoreMismatch,
    StoreRefused,
    Unreachable,
)
from uploader.platform.geopera import Bandwidth, Timeouts, TransferStopped
from uploader.platform.geopera.object_store import (
    LEAST_CHUNK,
    MOST_CHUNK,
    in_memory,
    next_chunk,
)
from uploader.system import process_memory

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

EXPIRED = http(400, b"<Error><Code>ExpiredToken</Code></Error>", "application/xml")
STORED = Reply(http(200, b"", ""))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of a few bytes."""
    path = tmp_path / "small.tif"
    path.write_bytes(b"a raster")
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that no socket buffer holds."""
    path = tmp_path_factory.mktemp("large") / "large.tif"
    path.write_bytes(os.urandom(1 << 20) * 24)
    return path


async def attempt(script: Reply, path: Path, **changes: Any) -> tuple[RemoteError | None, RawServer]:
    """One PUT and its outcome."""
    async with RawServer(script) as server, door(server.url) as (_, store):
        try:
            await put(store, signed(server.url), path, **changes)
        except RemoteError as error:
            return error, server
    return None, server


async def test_exactly_what_was_signed_is_sent(small: Path) -> None:
    """Target byte for byte, Host, type and length; no bearer, no agent, no coding, no cookie."""
    target = "/b/o%2Fx;v=1/é?X-Goog-Credential=a%2Fb%20c&Signature=a+b%2B/=&&x".replace("é", "%C3%A9")
    async with RawServer(STORED) as server, door(server.url) as (_, store):
        await put(store, signed(server.url, target), small)

    request = server.requests[0]
    assert (request.method, request.target, request.body) == ("PUT", target, b"a raster")
    assert request.headers == {
        "host": server.url.removeprefix("http://"),
        "content-type": "image/tiff",
        "content-length": "8",
    }


async def test_a_large_file_arrives_whole_and_is_counted(large: Path) -> None:
    """Every byte is sent once and in order, and `on_bytes` adds up to the size."""
    counted: list[int] = []
    error, server = await attempt(STORED, large, on_bytes=counted.append)

    assert error is None
    assert hashlib.sha256(server.requests[0].body).digest() == hashlib.sha256(large.read_bytes()).digest()
    assert sum(counted) == large.stat().st_size
    assert counted[0] == MOST_CHUNK


async def test_an_empty_file_is_sent(tmp_path: Path) -> None:
    """No bytes are a body, too."""
    (tmp_path / "empty").touch()
    error, server = await attempt(STORED, tmp_path / "empty")

    assert error is None
    assert server.requests[0].headers["content-length"] == "0"


async def test_a_connection_is_kept_for_the_next_file(small: Path) -> None:
    """Files in a row share a connection; files at once have one each."""
    async with RawServer(Reply(http(200, b"", ""), wait=0.05)) as server, door(server.url) as (_, store):
        for _ in range(3):
            await put(store, signed(server.url), small)
        assert server.connections == 1
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(put, store, signed(server.url), small)

    assert server.connections == 3
    assert {request.body for request in server.requests} == {b"a raster"}


async def test_an_answer_that_was_there_before_its_put_stores_nothing(small: Path) -> None:
    """It came with the answer to the PUT before."""
    twice = Reply(http(200, b"", "") * 2)
    async with RawServer(twice, Reply(EXPIRED)) as server, door(server.url) as (_, store):
        await put(store, signed(server.url), small)
        with pytest.raises(NoAnswer):
            await put(store, signed(server.url), small)


@pytest.mark.parametrize("end", ["keep", "close", "reset", "stall", "drain"])
@pytest.mark.parametrize("after", [0, 300_000, None])
async def test_a_refusal_is_heard_whenever_it_comes(large: Path, after: int | None, end: str) -> None:
    """Whether the store closes, resets, stalls or reads on after its refusal, the code is known, and sending ends."""
    error, server = await attempt(Reply(EXPIRED, after=after, end=end), large)

    assert isinstance(error, StoreRefused)
    assert (error.status, error.code) == (400, "ExpiredToken")
    if after is not None and end != "drain":
        assert len(server.requests[0].body) <= after


async def test_a_refusal_in_pieces_is_heard_through_tls(large: Path, tmp_path: Path) -> None:
    """Its head comes alone, as from many servers, while a chunk is being written that nobody takes."""
    certificate, reply = self_signed(tmp_path), Reply(EXPIRED, after=0, end="stall", wait=0.1, drip=0.001)
    async with (
        RawServer(reply, tls=serving(certificate)) as server,
        door(server.url, ca_file=str(tmp_path / "cert.pem")) as (_, store),
    ):
        with pytest.raises(StoreRefused, match="ExpiredToken"):
            await put(store, signed(server.url), large)


async def test_an_early_refusal_over_an_interim_answer(large: Path) -> None:
    """A 100 Continue that nobody asked for does not stop the sending, nor hide what follows."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    error, server = await attempt(Reply(interim + http(200, b"", ""), after=None), large)
    assert error is None
    assert len(server.requests[0].body) == large.stat().st_size

    error, _ = await attempt(Reply(interim + EXPIRED, after=0, end="stall"), large)
    assert isinstance(error, StoreRefused)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (STORED, None),
        (Reply(http(201, b"", "")), None),
        (Reply(http(200, b"", "text/html; charset=UTF-8")), None),
        (Reply(http(200, b"<html>log in first</html>", "text/html")), NoAnswer),
        (Reply(http(200, b"", ""), after=100_000, end="stall"), NoAnswer),
        (Reply(end="close"), NoAnswer),
        (Reply(end="close", after=0), NoAnswer),
        (Reply(end="reset", after=300_000), NoAnswer),
        (Reply(end="stall", after=0), NoAnswer),
        (Reply(end="stall"), NoAnswer),
        (Reply(http(200, b"", ""), drip=SHORT.stored / 10), NoAnswer),
        (Reply(http(200, b"", ""), cut=10, end="close"), NoAnswer),
        (Reply(b"garbage\r\n\r\n", end="close"), NoAnswer),
        (Reply(http(307, b"", headers={"Location": "https://evil/"})), NoAnswer),
        (Reply(http(403, b"<html>blocked", "text/html")), NoAnswer),
        (Reply(http(502, b"<html>", "text/html")), NoAnswer),
        (Reply(http(503, b"<Error><Code>SlowDown</Code></Error>", "application/xml")), StoreRefused),
        (Reply(http(412, b"", "")), StoreRefused),
        (
            Reply(b"HTTP/1.1 403 X\r\nContent-Type: text/xml\r\n\r\n<Code>Big</Code>", forever=b" " * 65536),
            StoreRefused,
        ),
    ],
)
async def test_what_becomes_of_a_put(large: Path, reply: Reply, expected: type[RemoteError] | None) -> None:
    """A table: what the store does, and the error it becomes."""
    error, _ = await attempt(reply, large)

    assert (type(error) if error else None) is expected


async def test_a_store_that_is_not_there(small: Path) -> None:
    """Without a connection nothing was sent."""
    async with door("http://127.0.0.1:9") as (_, store):
        with pytest.raises(Unreachable):
            await put(store, signed("http://127.0.0.1:9"), small)


async def test_other_bytes_in_the_store_are_a_mismatch(small: Path) -> None:
    """A 200 with another hash is not stored; with ours it is."""
    crc = base64.b64encode(google_crc32c.value(b"a raster").to_bytes(4, "big")).decode()
    md5 = base64.b64encode(hashlib.md5(b"a raster").digest()).decode()
    right = Reply(http(200, b"", "", {"x-goog-hash": f"crc32c={crc},md5={md5}"}))
    wrong = Reply(http(200, b"", "", {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5}"}))

    assert (await attempt(right, small))[0] is None
    assert isinstance((await attempt(wrong, small))[0], StoreMismatch)


async def test_a_store_that_tells_only_an_md5_is_compared_by_it(large: Path) -> None:
    """The file is read once more then; what the store said is given back."""
    md5 = hashlib.md5(large.read_bytes()).hexdigest()
    async with (
        RawServer(Reply(http(200, b"", "", {"ETag": f'"{md5}"'}))) as server,
        door(server.url) as (_, store),
    ):
        assert await put(store, signed(server.url), large) == bytes.fromhex(md5)

    wrong = Reply(http(200, b"", "", {"ETag": f'"{"0" * 32}"'}))
    assert isinstance((await attempt(wrong, large))[0], StoreMismatch)


async def test_a_copy_that_shrinks_under_way_is_told(large: Path, tmp_path: Path) -> None:
    """A file that ends too early ends the PUT: the store gets no whole body."""
    path = tmp_path / "shrinks.tif"
    path.write_bytes(large.read_bytes())
    size = path.stat().st_size
    async with RawServer(STORED) as server, door(server.url) as (_, store):
        with pytest.raises(StagedDamaged, match="ended after"):
            await put(
                store, signed(server.url), path, size=size, on_bytes=lambda _: os.truncate(path, MOST_CHUNK)
            )
        with anyio.fail_after(60):
            while not server.requests:  # noqa: ASYNC110 - only what it keeps tells it
                await anyio.sleep(0.01)

    assert len(server.requests[0].body) < size


@pytest.mark.parametrize("at", [0, -1])
@pytest.mark.parametrize("which", ["small", "large"])
async def test_other_bytes_than_recorded_never_become_an_object(
    request: pytest.FixtureRequest, tmp_path: Path, which: str, at: int
) -> None:
    """One bit that flipped since the copy was measured, wherever it is: the store never gets a whole body."""
    data = bytearray(request.getfixturevalue(which).read_bytes())
    recorded = google_crc32c.value(bytes(data))
    data[at] ^= 1
    path = tmp_path / "damaged.tif"
    path.write_bytes(data)
    async with RawServer(STORED) as server, door(server.url) as (_, store):
        with pytest.raises(StagedDamaged, match="other content"):
            await put(store, signed(server.url), path, crc32c=recorded)
        await anyio.sleep(0.05)

    assert all(len(got.body) < len(data) for got in server.requests)


async def test_stop_ends_it_at_the_next_chunk(large: Path) -> None:
    """A PUT that is told to stop ends at once and as something to be sent again."""
    sent: list[int] = []
    error, server = await attempt(STORED, large, on_bytes=sent.append, stop=lambda: len(sent) >= 2)

    assert isinstance(error, TransferStopped | NoAnswer)
    assert type(error) is TransferStopped
    assert len(sent) == 2
    assert len(server.requests[0].body) < large.stat().st_size


async def test_cancelling_leaves_the_store_usable(large: Path, small: Path) -> None:
    """A cancelled PUT closes its connection and its file; the next one works."""
    async with RawServer(Reply(end="stall", after=0), STORED) as server, door(server.url) as (_, store):
        before = len(list(Path("/proc/self/fd").iterdir()))
        async with anyio.create_task_group() as group:
            group.start_soon(put, store, signed(server.url), large)
            while not server.requests:  # noqa: ASYNC110 - only what it keeps tells it
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        await put(store, signed(server.url), small)

        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 4
    assert server.requests[-1].body == b"a raster"


async def test_the_loop_does_not_stall(large: Path) -> None:
    """While a file is sent, everything else goes on within milliseconds."""
    gaps: list[float] = []

    async def beat() -> None:
        last = anyio.current_time()
        while True:
            await anyio.sleep(0.001)
            gaps.append(anyio.current_time() - last)
            last = anyio.current_time()

    async with (
        RawServer(STORED) as server,
        door(server.url) as (_, store),
        anyio.create_task_group() as group,
    ):
        group.start_soon(beat)
        await put(store, signed(server.url), large)
        group.cancel_scope.cancel()

    assert sorted(gaps)[len(gaps) // 2] < 0.05


async def test_the_bandwidth_limit_holds(large: Path) -> None:
    """Two files at once leave together at no more than the limit."""
    async with RawServer(STORED) as server, door(server.url, throttle=Bandwidth(64e6)) as (_, store):
        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(put, store, signed(server.url), large)
        took = anyio.current_time() - began

    assert took >= 2 * large.stat().st_size / 64e6 - Bandwidth.BURST - 0.05


@pytest.mark.parametrize("cached", [True, False])
async def test_both_ways_of_reading_send_the_same(
    large: Path, cached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the bytes are in memory or must be waited for in a thread, they arrive whole."""
    monkeypatch.setattr("uploader.platform.geopera.object_store.in_memory", lambda *_: cached)
    async with RawServer(STORED) as server, door(server.url, timeouts=Timeouts()) as (_, store):
        await put(store, signed(server.url), large)

    assert server.requests[0].body == large.read_bytes()


async def test_what_is_in_memory_is_known(large: Path, tmp_path: Path) -> None:
    """A file that was just read is in memory, a hole past its end is not, and a pipe cannot tell."""
    large.read_bytes()
    with large.open("rb") as file:
        assert in_memory(file.fileno(), 1 << 20, 0)
        assert not in_memory(file.fileno(), 1 << 20, large.stat().st_size)
    reading, writing = os.pipe()
    assert not in_memory(reading, 1, 0)
    os.close(reading)
    os.close(writing)


async def test_the_line_decides_the_chunk() -> None:
    """Chunks grow on a quick line, shrink on a slow one, and stay within their bounds."""
    assert next_chunk(LEAST_CHUNK, 0.01) == 2 * LEAST_CHUNK
    assert next_chunk(MOST_CHUNK, 0.5) == MOST_CHUNK
    assert next_chunk(MOST_CHUNK, 2.0) == MOST_CHUNK // 2
    assert next_chunk(MOST_CHUNK, 0.0) == MOST_CHUNK
    assert next_chunk(LEAST_CHUNK, 99.0) == LEAST_CHUNK


async def test_chunks_stay_in_the_heap(large: Path) -> None:
    """No chunk is so large that it comes from fresh pages, however quick the line is."""
    sent: list[int] = []
    async with (
        RawServer(STORED) as server,
        door(server.url, timeouts=Timeouts()) as (_, store),
    ):
        await put(store, signed(server.url), large, on_bytes=sent.append)

    assert server.requests[0].body == large.read_bytes()
    encrypting = 4 * MOST_CHUNK // 3  # how OpenSSL grows its buffer
    assert max(sent) == MOST_CHUNK < encrypting < process_memory.LARGE


async def test_a_stall_is_noticed_long_before_a_chunk_is_due(large: Path) -> None:
    """A store that takes nothing more ends the PUT, is named, and the next one has a connection of its own."""
    patience = Timeouts(write=60.0, stored=60.0, stalled=0.5)
    async with (
        RawServer(Reply(end="stall", after=100_000), STORED) as server,
        door(server.url, timeouts=patience) as (_, store),
    ):
        with anyio.fail_after(20), pytest.raises(NoAnswer, match="the far side took no more data"):
            await put(store, signed(server.url), large)
        await put(store, signed(server.url), large)

    assert server.connections == 2
    assert server.requests[1].body == large.read_bytes()


async def test_a_slow_store_is_not_a_dead_one(large: Path) -> None:
    """The limit is on the single chunk and on the answer, not on the whole file."""
    error, _ = await attempt(Reply(http(200, b"", ""), wait=SHORT.stored * 0.4), large)

    assert error is None
