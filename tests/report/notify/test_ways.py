"""The ways out, against a real server and with real programs."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.rawserver import RawServer, Reply, http
from uploader.core.secrets import Secret
from uploader.report.notify import ways
from uploader.report.notify.ways import Endpoint, NotDelivered, NotifyCommand

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

DOCUMENT = {"event": "alarm", "cause": "quota", "subject": "é"}


async def refused(way: Endpoint | NotifyCommand) -> NotDelivered:
    """Why a document was not delivered."""
    with pytest.raises(NotDelivered) as caught:
        await way.send(DOCUMENT)
    return caught.value


async def test_the_webhook_gets_the_document_at_its_very_address() -> None:
    """With the query, which may be its secret; without anything of ours but the program's name."""
    async with RawServer(Reply(http(204))) as server:
        endpoint = Endpoint(Secret(f"{server.url}/hook/?sig=a%20b"), proxy="http://127.0.0.1:1")
        await endpoint.send(DOCUMENT)
        await endpoint.ping()
        await endpoint.aclose()
    post, get = server.requests
    assert (post.method, post.target, post.json) == ("POST", "/hook/?sig=a%20b", DOCUMENT)
    assert post.headers["content-type"] == "application/json"
    assert (get.method, get.target) == ("GET", "/hook/?sig=a%20b")
    assert not {"authorization", "cookie", "x-api-key"} & {*post.headers, *get.headers}


@pytest.mark.parametrize(
    ("lookup", "connected", "words"),
    [(0.0, 3.0, ""), (0.6, 3.0, ""), (9.0, 0.3, "no connection in time")],
    ids=["fast", "slow", "too slow"],
)
async def test_a_slow_name_server_takes_no_time_from_the_endpoint(
    monkeypatch: pytest.MonkeyPatch, lookup: float, connected: float, words: str
) -> None:
    """What is answered in time is delivered, whatever the look-up took; one that takes too long is told as such."""
    real = socket.getaddrinfo

    def slow(*args: Any, **more: Any) -> Any:
        waiting.wait(lookup)
        return real(*args, **more)

    waiting = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setattr(ways, "CONNECTED", connected)
    monkeypatch.setattr(ways, "ANSWERED", 0.9)
    async with RawServer(Reply(http(204), wait=0.5)) as server:
        endpoint = Endpoint(Secret(server.url.replace("127.0.0.1", "localhost")))
        if words:
            assert words in str(await refused(endpoint))
        else:
            await endpoint.send(DOCUMENT)
        waiting.set()
        await endpoint.aclose()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(http(500)), "HTTP 500"),
        (Reply(http(302, headers={"Location": "/elsewhere"})), "HTTP 302"),
        (Reply(b"", end="reset"), "not reached"),
        (Reply(http(200, b"x" * (ways.MOST_ANSWER + 1))), "more than"),
        (Reply(http(200, length=10), end="stall"), "no answer in time"),
        (Reply(b"HTTP/1.1 200 X\r\nA: ", forever=b"x" * 65536), "not reached"),
    ],
)
async def test_what_is_no_answer_is_told_without_the_address(
    reply: Reply, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redirects are not followed; time and size of an answer are bounded."""
    # Only the answer that stalls is waited for; a busy machine may take a second to send the request.
    monkeypatch.setattr(ways, "ANSWERED", 2.0 if reply.end == "stall" else 60.0)
    async with RawServer(reply) as server:
        endpoint = Endpoint(Secret(f"{server.url}/s3cret?sig=s3cret"))
        error = await refused(endpoint)
        await endpoint.aclose()
    assert words in str(error)
    assert "s3cret" not in str(error)
    assert len(server.requests) == 1


async def test_an_address_that_cannot_be_is_told_as_what_does_not_arrive() -> None:
    """It came through the configuration's checks, so it must not end the daemon."""
    for address in ("https://999.1.1.1/x", "https://no-such-host.invalid/x"):
        endpoint = Endpoint(Secret(address), ca_file="/no/such/file" if "999" in address else "")
        assert "not reached" in str(await refused(endpoint))
        await endpoint.aclose()


def program(path: Path, text: str) -> tuple[str, ...]:
    """A real program in Python."""
    path.write_text(text)
    return (sys.executable, "-I", str(path))


async def test_a_command_gets_the_document_and_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its arguments as they are, no shell between, and of the environment only what is harmless."""
    monkeypatch.setenv("GEOPERA_API_KEY", "gpra_canary")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/canary")
    text = (
        "import json, os, sys\n"
        "json.dump([json.load(sys.stdin), sys.argv[2:], dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid()],"
        " open(sys.argv[1], 'w'))\n"
    )
    out = tmp_path / "out"
    await NotifyCommand((*program(tmp_path / "p.py", text), str(out), "$HOME; x", "")).send(DOCUMENT)
    document, arguments, environment, cwd, own_session = json.loads(out.read_text())

    assert (document, arguments, cwd, own_session) == (DOCUMENT, ["$HOME; x", ""], "/", True)
    assert set(environment) <= {*ways.PASSED_ON, "LC_CTYPE"}


async def test_a_command_that_fails_or_is_not_there_is_told(tmp_path: Path) -> None:
    """By its program's name; one that reads nothing and ends well is delivered to."""
    assert "ended with 3" in str(
        await refused(NotifyCommand(program(tmp_path / "p.py", "raise SystemExit(3)")))
    )
    assert "cannot be started" in str(await refused(NotifyCommand(("/no/such/program",))))
    await NotifyCommand(("/bin/true",)).send({**DOCUMENT, "reason": "x" * 500_000})


async def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Its whole group, after the time that it may take."""
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    out = tmp_path / "out"
    command = NotifyCommand((*program(tmp_path / "p.py", text), str(out)), seconds=3.0)
    began = time.monotonic()
    assert "ended after 3 s" in str(await refused(command))
    assert time.monotonic() - began < 30
    child = int(out.read_text())
    with anyio.fail_after(10):
        while running(child):  # noqa: ASYNC110 - another process does not tell
            await anyio.sleep(0.05)


def running(pid: int) -> bool:
    """Whether a process is there and no mere zombie."""
    try:
        os.kill(pid, signal.SIG_DFL)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
