"""The server itself: restarts, kills, many clients, flags and the first lines it prints."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from types import ModuleType
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.audit import audit, problems
from tests.support.wire import Wire
from uploader.sandbox import Key, Options, Sandbox, flags, options_from
from uploader.sandbox.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.unit


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Run `python -m uploader.sandbox` on tmp_path/root; gives the process and its base URL."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "uploader.sandbox", "--root", str(tmp_path / "root"), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        running.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()[1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _post(base: str, operation: str, **body: object) -> dict[str, object]:
    headers = {"Authorization": "Bearer gpra_k"}
    response = httpx.post(f"{base}/v1/op/{operation}", json=body, headers=headers, verify=False)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_second_sandbox_on_a_root_is_refused(wire: Wire, tmp_path: Path) -> None:
    """Two servers never share one folder."""
    with pytest.raises(OSError, match="Another sandbox"):
        Sandbox(Options(root=tmp_path / "root"))


def test_a_taken_port_is_refused(wire: Wire, tmp_path: Path) -> None:
    """The error comes at once, not from a thread."""
    with pytest.raises(OSError, match="in use"):
        Sandbox(Options(root=tmp_path / "other", port=wire.box.options.port))


def test_it_runs_in_the_event_loop_of_python(
    open_wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is installed for something else, as uvicorn would prefer, is left alone."""
    asked: list[str] = []
    other = ModuleType("uvloop")
    other.new_event_loop = lambda: asked.append("uvloop") or asyncio.new_event_loop()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uvloop", other)
    monkeypatch.delitem(sys.modules, "uvicorn.loops.uvloop", raising=False)

    open_wire().initiate()

    assert asked == []


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """Key, tokens, refresh tokens, sessions and objects outlive the server; signed URLs work on the same port."""
    options = Options(root=tmp_path / "root")
    with Sandbox(options) as box, Wire(box) as wire:
        pair = wire.token(
            grant_type="client_credentials", client_id="geopera", client_secret=box.api_key
        ).json()
        upload_id = wire.initiate()
        wire.store(upload_id, "a.tif", b"abc")
        url = wire.url(upload_id, "a.tif")
        ports = {"port": box.options.port, "store_port": box.options.store_port}
    with Sandbox(replace(options, **ports)) as again, Wire(again) as wire:
        assert again.api_key == box.api_key
        wire.http.headers["Authorization"] = f"Bearer {pair['access_token']}"
        assert wire.put(url, b"abcd").status_code == 200
        assert len(wire.ok("uploads.complete", upload_id=upload_id)["item_ids"]) == 1
        assert wire.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 200

    assert problems(audit(tmp_path / "root")) == []


def test_a_killed_server_comes_back_whole(
    start: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path
) -> None:
    """SIGKILL in the middle of a PUT: what was answered is there, the half object is not, nothing lies around."""
    process, base = start("--api-key", "gpra_k")
    upload_id = _post(base, "uploads.initiate", project_id="p-1", total_bytes=9)["id"]
    url = _post(base, "uploads.signed_url", upload_id=upload_id, file_name="a.tif")["upload_url"]

    incoming, half = tmp_path / "root" / "objects" / "incoming", []

    def dying() -> Iterator[bytes]:
        yield b"x" * (1 << 20)
        deadline = time.monotonic() + 60
        while not list(incoming.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        half.extend(incoming.iterdir())
        process.send_signal(signal.SIGKILL)
        process.wait()
        yield b"x" * (1 << 20)

    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(2 << 20)}
    with pytest.raises(httpx.TransportError):
        httpx.put(str(url), content=dying(), headers=headers, verify=False)
    _, base = start("--api-key", "gpra_k")
    found = audit(tmp_path / "root")

    assert [one.id for one in found.open_sessions] == [upload_id]
    assert (len(half), found.objects, list(incoming.iterdir())) == (1, (), [])
    _post(base, "uploads.fail", upload_id=upload_id, error_message="x")


@pytest.mark.storm
def test_fifty_clients_lose_nothing(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """Fifty at once: no 5xx, no lost update, quota and items exact."""
    wire = open_wire(rate_limit=0, quota_bytes=50 * 3 * 10)

    def one_client(number: int) -> int:
        statuses = []
        with Wire(wire.box) as own:
            for turn in range(3):
                upload_id = own.initiate(10)
                own.store(upload_id, f"{number}-{turn}.tif", b"0123456789")
                statuses.append(
                    own.post("uploads.progress", upload_id=upload_id, bytes_uploaded=10).status_code
                )
                statuses += [own.post("uploads.complete", upload_id=upload_id).status_code for _ in range(2)]
        return max(statuses)

    with ThreadPoolExecutor(50) as pool:
        worst = max(pool.map(one_client, range(50)))
    found = audit(tmp_path / "root")

    assert worst == 200
    assert (len(found.items), found.used_bytes) == (150, 1500)
    assert problems(found) == []
    assert wire.post("uploads.initiate", project_id="p-1", total_bytes=1).status_code == 402


def test_racing_completes_make_one_set_of_items(wire: Wire, tmp_path: Path) -> None:
    """Ten completes at once of one session: one tells the items, nine are no-ops."""
    upload_id = wire.initiate(3)
    wire.store(upload_id, "a.tif", b"abc")
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: wire.ok("uploads.complete", upload_id=upload_id)["item_ids"], range(10))
        )

    assert sorted(map(len, answers)) == [0] * 9 + [1]
    assert audit(tmp_path / "root").file_names == ["a.tif"]


def test_the_start_says_what_to_type(start: Callable[..., tuple[subprocess.Popen[str], str]]) -> None:
    """The lines are there: addresses, key, projects, curl, configuration; SIGTERM is a good end."""
    process, base = start("--api-key", "gpra_k", "--project", "p-7", "--quota", "5")
    answer = _post(base, "collections.list", project_id="p-7")
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    text = process.stdout.read()

    assert (process.wait(), answer) == (0, {"collections": []})
    for part in (
        "gpra_k",
        "p-7",
        "quota      5",
        "client_secret=gpra_k",
        f'base_url = "{base}"',
        "uploader run",
    ):
        assert part in text


def test_flags_and_options_are_one_list(tmp_path: Path) -> None:
    """Every option has a flag with a description; the documented names are among them."""
    table = {flag.flag: flag for flag in flags()}

    assert [flag.name for flag in table.values()] == [one.name for one in fields(Options)]
    assert {
        "--root",
        "--port",
        "--api-key",
        "--project",
        "--quota",
        "--latency",
        "--replay-initiate",
    } <= table.keys()
    assert all(re.fullmatch(r"[A-Z].*\.", flag.help) or flag.choices for flag in table.values())
    assert table["--items-per"].choices == ("file", "session")
    assert table["--quota"].parse("7") == 7
    assert options_from({"root": tmp_path, "projects": ["a", "b"]}).projects == ("a", "b")


@pytest.mark.parametrize("given", [{}, {"root": "x", "colour": 1}])
def test_options_refuse_what_they_do_not_know(given: dict[str, object]) -> None:
    """No root, or a name that is none, is an error."""
    with pytest.raises(ValueError, match="root is required"):
        options_from(given)


@pytest.mark.parametrize(
    "arguments", [[], ["--root", "x", "--items-per", "planet"], ["--root", "x", "--key", "{"]]
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    """Missing root, a choice that is none, a key that is no JSON."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2


def test_a_key_is_read_from_json() -> None:
    """All fields, or only the secret."""
    text = '{"secret": "gpra_x", "scopes": ["items:read"], "roles": {"p-1": "viewer"}}'

    assert Key.parse(text) == Key("gpra_x", ("items:read",), {"p-1": "viewer"})
    assert Key.parse('{"secret": "gpra_x"}').scopes == ("*",)
    for wrong in ("[]", "7", '{"scopes": []}', '{"secret": "a", "colour": 1}'):
        with pytest.raises(ValueError, match="a key is JSON"):
            Key.parse(wrong)
