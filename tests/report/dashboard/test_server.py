"""The server in the daemon: who is answered, who is refused, and what it does not wait for."""

from __future__ import annotations

import json
import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.support.page import Acted, browsing, serving
from uploader.core.errors import UploaderError
from uploader.core.model import Hold, HoldCause, Scope
from uploader.report.dashboard import guard, serve, server
from uploader.report.dashboard.sources import Sources

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
def acted(tmp_path: Path) -> Acted:
    """A daemon that has a rejected file and a queued one."""
    made = Acted(tmp_path)
    made.add("queued.tif", "queued")
    made.add('"<b>\n.tif', "rejected", reason="no & <script>no</script>")
    return made


async def ask(port: int, head: bytes) -> tuple[str, str, str]:
    """Send a raw request; gives status line, headers and body."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(head)
        answer = b""
        with anyio.fail_after(10):
            try:
                while True:
                    answer += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                pass
    top, _, body = answer.decode().partition("\r\n\r\n")
    line, _, headers = top.partition("\r\n")
    return line, headers, body


def get(path: str, host: str = "127.0.0.1", more: str = "") -> bytes:
    """A plain GET that ends its connection."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n".encode("latin-1")


async def test_json_is_the_whole_status(acted: Acted) -> None:
    """The same object that the command prints."""
    async with browsing(acted) as client:
        answer = await client.get("/status.json?x=1")
    told = answer.json()
    assert told.keys() == (await acted.status()).keys()
    assert (told["pending"], told["rejected"]) == (1, 1)
    assert answer.headers["content-type"] == "application/json"


async def test_metrics_are_served_in_both_formats(acted: Acted) -> None:
    """That of Prometheus, and OpenMetrics to who asks for it."""
    async with browsing(acted) as client:
        plain = await client.get("/metrics")
        other = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert 'uploader_files{state="queued"} 1.0' in plain.text.splitlines()
    assert "text/plain; version=" in plain.headers["content-type"]
    assert "application/openmetrics-text" in other.headers["content-type"]


async def test_health_tells_of_a_stage_that_stands_still(acted: Acted) -> None:
    """503 with the reason; other holds are none of its business."""
    async with browsing(acted) as client:
        well = await client.get("/healthz")
        acted.holds = [Hold(Scope.STAGE, "put", "It hangs.", since=1.0, cause=HoldCause.STALLED)]
        unwell = await client.get("/healthz")
    assert (well.status_code, well.text) == (200, "ok, revision 7, 0 held\n")
    assert (unwell.status_code, unwell.text) == (503, "unwell, revision 7, 1 held\nIt hangs.\n")


OURS = ["127.0.0.1:8750", "localhost", "LOCALHOST:1", "[::1]:8750", "10.1.2.3", socket.gethostname()]
THEIRS = ["evil.example", "evil.example:8750", "localhost.evil.example", "", "127.0.0.1.evil"]


async def test_this_machines_names_are_served_and_no_other(acted: Acted) -> None:
    """DNS rebinding: a page of another site must not read this one through its own name.

    Addresses cannot be redirected by a name server, and our own name is ours.
    """
    async with serving(acted) as port:
        for host in OURS:
            assert (await ask(port, get("/healthz", host)))[0] == "HTTP/1.1 200 OK"
        for host in THEIRS:
            line, headers, body = await ask(port, get("/status.json", host))
            assert "403" in line
            assert "queued" not in body
            assert "default-src 'none'" in headers


async def test_a_name_of_the_configuration_is_served(acted: Acted) -> None:
    """That of a proxy in front of it."""
    async with serving(acted, hosts=["Uploads.Example.org"]) as port:
        assert "200" in (await ask(port, get("/healthz", "uploads.example.org:443")))[0]
        assert "403" in (await ask(port, get("/healthz", "example.org")))[0]


async def test_two_hosts_are_none(acted: Acted) -> None:
    """Which of them would be believed is anybody's guess."""
    async with serving(acted) as port:
        line, *_ = await ask(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert "400" in line


async def test_only_get_is_answered(acted: Acted) -> None:
    """Nothing can be changed by an address that tells something."""
    async with serving(acted) as port:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "get"):
            head = f"{method} / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nConnection: close\r\n\r\n"
            assert "405" in (await ask(port, head.encode()))[0]


BROKEN = [
    (get("/etc/passwd", "localhost"), "404"),
    (get("/static/../access.py", "localhost"), "404"),
    (get("/static/..%2faccess.py", "localhost"), "404"),
    (b"\r\n\r\n", "400"),
    (b"GET /" + b"x" * 20000, "400"),
    (b"nonsense\r\n\r\n", "400"),
    (
        b"POST /act/retry HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 999999\r\n\r\n",
        "413",
    ),
]


async def test_broken_requests_get_short_answers(acted: Acted) -> None:
    """Bounded in size and time, and the next one is served."""
    async with serving(acted) as port:
        for request_head, code in BROKEN:
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(request_head)
                with anyio.fail_after(60):
                    assert code.encode() in await stream.receive()
        assert "200" in (await ask(port, get("/")))[0]


async def test_a_body_without_a_length_is_cut(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends on and on in chunks is told to stop."""
    monkeypatch.setattr(guard, "MAX_BODY", 1000)
    async with browsing(acted) as client:

        async def endless():
            for _ in range(20):
                yield b"token=" + b"x" * 100

        form = {
            "Origin": str(client.base_url).rstrip("/"),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        assert (await client.post("/enter", content=endless(), headers=form)).status_code == 413


async def test_a_silent_client_is_dropped(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody holds a connection open by saying nothing, or a letter now and then."""
    monkeypatch.setattr(server, "SILENCE", 0.1)
    async with serving(acted) as port:
        assert await ask(port, b"GET / HT") == ("", "", "")
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(get("/healthz").replace(b"Connection: close\r\n", b""))
            assert b"200" in await stream.receive()
            with anyio.fail_after(60):
                assert await _dripped(stream)


async def _dripped(stream: anyio.abc.SocketStream) -> bool:
    """Send a letter now and then, until the other side has had enough."""
    try:
        while True:
            await stream.send(b"G")
            with anyio.move_on_after(0.02):
                await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return True


async def test_a_daemon_that_does_not_answer_is_unwell(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever watches /healthz hears of it."""
    monkeypatch.setattr("uploader.report.dashboard.api.PATIENCE", 0.1)
    acted.silent = True
    async with browsing(acted) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "The daemon does not answer.\n")


async def test_a_taken_port_is_said_and_tried_again(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The dashboard is no reason to stop uploading; and nobody is given an address at which another program answers."""
    monkeypatch.setattr(server, "BIND_AGAIN", 0.05)
    sources = acted.sources()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        await _served(listen, sources, lambda: caplog.text.count("cannot be opened") >= 2)
    with pytest.raises(UploaderError, match=f"{listen} cannot be listened on .address already in use.*again"):
        sources.access.token()
    await _served(listen, sources, lambda: not sources.access.closed)
    assert sources.access.token()


async def _served(listen: str, sources: Sources, enough: Callable[[], bool]) -> None:
    """Serve until it is enough."""
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(serve, listen, sources)
            while not enough():  # noqa: ASYNC110 - neither a log nor a sentence can tell
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()


async def test_nothing_listens_when_it_is_turned_off(acted: Acted) -> None:
    """An empty address returns at once."""
    with anyio.fail_after(60):
        await serve("", acted.sources())


async def test_signals_stay_the_daemons_and_the_end_is_quiet(
    acted: Acted, caplog: pytest.LogCaptureFixture
) -> None:
    """The server takes no handler away, cuts off whoever listens, and gives the port back at once."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with caplog.at_level(logging.DEBUG):
        async with serving(acted) as port:
            stream = await anyio.connect_tcp("127.0.0.1", port)
            await stream.send(get("/api/v1/changes"))
            assert b"200" in await stream.receive()
            assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
        async with serving(acted, port) as again:
            assert again == port
    await stream.aclose()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_the_page_escapes_everything(acted: Acted) -> None:
    """A file name or a reason is text, never markup; the policy allows no script but the page's own file."""
    async with browsing(acted) as client:
        page = await client.get("/")
    assert "<b>" not in page.text.replace("<b>Read", "").replace("<b>Converted", "").replace(
        "<b>Uploaded", ""
    ).replace("<b>Completed", "")
    assert "no &amp; &lt;script&gt;no&lt;/script&gt;" in page.text
    assert "&#34;&lt;b&gt;\\n.tif" in page.text
    assert page.text.count("<script") == 1
    assert "style=" not in page.text
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert page.headers["cache-control"] == "no-store"


async def test_what_is_told_is_json_whatever_the_names(acted: Acted) -> None:
    """A name that is no UTF-8 is spelled so that every reader takes it."""
    number = acted.add("odd\udcff.tif", "queued")
    async with browsing(acted) as client:
        told = (await client.get(f"/api/v1/files/{number}")).json()
        page = await client.get(f"/files/{number}")
    assert told["file"]["path"] == "/srv/drop/odd\\xff.tif"
    assert json.dumps(told).isascii()
    assert "odd\\xff.tif" in page.text
