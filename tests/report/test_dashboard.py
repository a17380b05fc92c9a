"""The dashboard: what it shows, and whom it refuses."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager

import anyio
import pytest

from uploader.report import dashboard, pages

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

STATUS = {
    "pending": 2,
    "completed": 3,
    "rejected": 1,
    "files": {"queued": 2, "disposed": 3, "rejected": 1},
    "sessions": {"open": 1},
    "holds": [{"scope": "target", "subject": "p", "reason": "<script>alert(1)</script>", "until": None}],
    "stalled_after": 300.0,
    "bytes": {"pending": 10, "uploaded": 4096},
    "possibly_leaked_bytes": 7,
    "failed": [{"path": '/drop/"<b>\n.tif', "reason": "no & no", "attempts": 3}],
    "warnings": [],
    "running": [{"kind": "put", "subject": "<i>x</i>", "total": 10, "done": 5}],
}


async def status():
    """What the daemon would say."""
    return STATUS


@asynccontextmanager
async def serving(source=status):
    """Serve on a free port; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with anyio.create_task_group() as group:
        group.start_soon(dashboard.serve, f"127.0.0.1:{port}", source)
        with anyio.fail_after(5):
            while not await _listens(port):  # noqa: ASYNC110 - a port cannot say when it opens
                await anyio.sleep(0.01)
        yield port
        group.cancel_scope.cancel()


async def _listens(port: int) -> bool:
    try:
        async with await anyio.connect_tcp("127.0.0.1", port):
            return True
    except OSError:
        return False


async def ask(port: int, head: str) -> tuple[str, str, str]:
    """Send a raw request; gives status line, headers and body."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(head.encode("latin-1"))
        answer = b""
        with anyio.fail_after(5):
            try:
                while True:
                    answer += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                pass
    top, _, body = answer.decode().partition("\r\n\r\n")
    line, _, headers = top.partition("\r\n")
    return line, headers, body


def get(path: str, host: str = "127.0.0.1") -> str:
    """A plain GET."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"


async def test_the_page_tells_when_it_is_done():
    """As the status on a terminal does."""
    assert "uploaded, done at about " in pages.page({**STATUS, "eta": "2026-01-02T03:04:05+00:00"}).decode()


async def test_the_page_shows_everything_escaped():
    """A file name or an answer of the platform is text, never markup; the policy forbids scripts altogether."""
    async with serving() as port:
        line, headers, body = await ask(port, get("/"))
    assert line == "HTTP/1.1 200 OK"
    assert "<script" not in body
    assert "<b>\n" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "&quot;&lt;b&gt;\\n.tif" in body
    assert "no &amp; no" in body
    assert "50 %" in body
    assert "default-src 'none'" in headers
    assert "no-store" in headers


async def test_json_is_the_whole_status():
    """The same object that the command prints."""
    async with serving() as port:
        _, headers, body = await ask(port, get("/status.json?x=1"))
    assert json.loads(body) == STATUS
    assert "application/json" in headers


async def test_metrics_are_served_in_both_formats():
    """That of Prometheus, and OpenMetrics to who asks for it."""
    async with serving() as port:
        _, plain, body = await ask(port, get("/metrics"))
        asked = get("/metrics").replace("\r\n\r\n", "\r\nAccept: application/openmetrics-text\r\n\r\n")
        _, other, _ = await ask(port, asked)
    assert 'uploader_files{state="queued"} 2.0' in body.splitlines()
    assert "text/plain; version=0.0.4" in plain
    assert "application/openmetrics-text" in other


async def test_health_tells_of_a_stage_that_stands_still():
    """503 with the reason; other holds are none of its business."""

    async def stalled():
        return {
            **STATUS,
            "revision": 3,
            "holds": [{"scope": "stage", "cause": "stalled", "reason": "It hangs."}],
            "stalled_after": 300.0,
        }

    async with serving() as port:
        assert (await ask(port, get("/healthz")))[0] == "HTTP/1.1 200 OK"
    async with serving(stalled) as port:
        line, _, body = await ask(port, get("/healthz"))
    assert line == "HTTP/1.1 503 Service Unavailable"
    assert body == "unwell, revision 3, 1 held\nIt hangs.\n"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8750", "localhost", "LOCALHOST:1", "[::1]:8750", "10.1.2.3", socket.gethostname()]
)
async def test_this_machines_names_are_served(host):
    """Addresses cannot be redirected by a name server, and our own name is ours."""
    async with serving() as port:
        assert (await ask(port, get("/healthz", host)))[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8750", "localhost.evil.example", "", "127.0.0.1.evil"]
)
async def test_another_name_that_leads_here_is_refused(host):
    """DNS rebinding: a page of another site must not read this one through its own name."""
    async with serving() as port:
        line, _, body = await ask(port, get("/status.json", host))
    assert "403" in line
    assert "queued" not in body


async def test_two_hosts_are_none():
    """Which of them would be believed is anybody's guess."""
    async with serving() as port:
        line, *_ = await ask(port, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert "403" in line


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
async def test_only_get_is_answered(method):
    """Nothing can be changed here."""
    async with serving() as port:
        assert "405" in (await ask(port, f"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n"))[0]


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        (get("/etc/passwd", "localhost"), "404"),
        ("\r\n\r\n", "403"),
        ("GET /" + "x" * 20000, "400"),
        ("nonsense", "400"),
    ],
)
async def test_broken_requests_get_short_answers(request_text, code, monkeypatch):
    """Bounded in size and time, and the next one is served."""
    monkeypatch.setattr(dashboard, "PATIENCE", 0.5)
    async with serving() as port:
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(request_text.encode())
            await stream.send_eof()
            with anyio.fail_after(5):
                assert code.encode() in await stream.receive()
        assert "200" in (await ask(port, get("/")))[0]


async def test_a_silent_client_is_dropped(monkeypatch):
    """Nobody holds a connection open by saying nothing."""
    monkeypatch.setattr(dashboard, "PATIENCE", 0.1)
    async with serving() as port:
        assert await ask(port, "GET / HT") == ("", "", "")


async def test_a_daemon_that_does_not_answer_is_unwell(monkeypatch):
    """So that whoever watches /healthz hears of it."""
    monkeypatch.setattr(dashboard, "PATIENCE", 0.1)

    async def never():
        await anyio.sleep(60)

    async with serving(never) as port:
        assert "503" in (await ask(port, get("/healthz")))[0]


async def test_a_taken_port_is_said_and_tried_again(monkeypatch, caplog):
    """The dashboard is no reason to stop uploading."""
    monkeypatch.setattr(dashboard, "BIND_AGAIN", 0.05)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with anyio.move_on_after(0.2):
            await dashboard.serve(f"127.0.0.1:{port}", status)
    assert caplog.text.count("cannot be opened") >= 2


async def test_nothing_listens_when_it_is_turned_off():
    """An empty address returns at once."""
    with anyio.fail_after(1):
        await dashboard.serve("", status)


def test_the_style_is_the_one_that_the_policy_allows():
    """A changed style without its hash would not be applied."""
    assert f"<style>{pages.STYLE}</style>" in pages.page(STATUS).decode()
    assert any(pages.STYLE_HASH in header for header in dashboard.HEADERS)
