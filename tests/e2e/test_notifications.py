"""Told without being asked: a real daemon, a real server on this machine that fails at first, a real command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import control
from tests.support.world import World
from uploader.daemon.control_client import ask

pytestmark = pytest.mark.e2e

GARBAGE = b'<VRTDataset rasterXSize="1" rasterYSize="1"/>'  # refused at the first look


class Receiver:
    """A server that refuses so many documents and takes the rest; `taken` are those, `pings` how often it was asked."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[dict[str, Any]] = []
        self.pings = 0
        self.address = ""

    def said(self) -> list[str]:
        """Event and cause of what it took."""
        return [f"{document['event']} {document['cause']}" for document in self.taken]


@contextmanager
def receiver(refusals: int = 0) -> Iterator[Receiver]:
    """A receiver for the length of a block."""
    made = Receiver(refusals)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            refused = made.refusals > 0
            made.refusals -= refused
            if not refused:
                made.taken.append(json.loads(body))
            self.send_response(500 if refused else 204)
            self.end_headers()

        def do_GET(self) -> None:
            made.pings += 1
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}/hook?sig=canary-s3cret"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def up(w: World) -> None:
    """Wait until the daemon answers."""
    w.wait((w.state / "control.sock").exists, "the daemon is up")


def status(w: World) -> dict[str, Any]:
    """What the daemon says."""
    return ask(w.state / "control.sock", "status") or {}


def drop_garbage(w: World, name: str) -> None:
    """A file that will be rejected."""
    (w.drop / f".{name}").write_bytes(GARBAGE)
    (w.drop / f".{name}").rename(w.drop / name)


def keeper(root: Path) -> list[str]:
    """A command that appends what it is told to `told.jsonl`."""
    script = root / "keep.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')\n")
    return [sys.executable, "-I", str(script), str(root / "told.jsonl")]


def kept(root: Path) -> list[str]:
    """Event and cause of what the command was told."""
    path = root / "told.jsonl"
    told = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [f"{document['event']} {document['cause']}" for document in told]


def test_an_alarm_goes_out_and_its_all_clear(make_world: Callable[..., World]) -> None:
    """By each way, although the webhook fails at first; that it failed is a warning until it is over."""
    w = make_world()
    with receiver(refusals=2) as far:
        w.settings["notify"] = {
            "webhook": far.address,
            "heartbeat": far.address,
            "command": keeper(w.root),
            "stalled_after": "2s",
        }
        w.write_config()
        with w.daemon():
            up(w)
            w.wait(lambda: far.pings, "the heartbeat")
            w.drop.rename(w.root / "away")
            w.wait(lambda: kept(w.root) == ["alarm folder_missing"], "the command is told")
            warned = w.wait(
                lambda: [x for x in status(w)["warnings"] if x["code"] == "notify_failed"], "warned"
            )
            assert "HTTP 500" in warned[0]["text"]
            w.wait(lambda: far.said() == ["alarm folder_missing"], "the webhook is told")
            assert [alarm["cause"] for alarm in status(w)["alarms"]] == ["folder_missing"]
            (w.root / "away").rename(w.drop)
            w.wait(lambda: far.said() == ["alarm folder_missing", "clear folder_missing"], "all-clear")
            w.wait(lambda: kept(w.root) == far.said(), "for the command, too")
            w.wait(lambda: not status(w)["alarms"], "nothing is the matter")
            assert [x for x in status(w)["warnings"] if x["code"] == "notify_failed"] == []

    alarm = far.taken[0]
    assert (alarm["scope"], alarm["subject"], alarm["state_dir"]) == ("folder", str(w.drop), "state")
    assert alarm["way_out"]
    log = (w.root / "daemon.log").read_text()
    assert "alarm cause=folder_missing" in log
    assert "all-clear cause=folder_missing" in log
    assert "canary" not in log + json.dumps(far.taken)


def test_after_a_kill_it_is_told_again_rather_than_never(make_world: Callable[..., World]) -> None:
    """SIGKILL after it went out and before that is in the journal; what is in there is not told again."""
    w = make_world()
    with receiver() as far:
        w.settings["notify"] = {"webhook": far.address, "stalled_after": "2s"}
        w.write_config()
        with w.daemon():
            up(w)
            w.wait(lambda: cursor(w) is not None, "it follows the events")
        process = w.start(UPLOADER_FAILPOINT="commit.told.before")
        w.drop.rename(w.root / "away")
        assert process.wait(60) == -signal.SIGKILL
        assert far.said() == ["alarm folder_missing"]
        with w.daemon():
            w.wait(lambda: far.said() == ["alarm folder_missing"] * 2, "told again")
            w.wait(lambda: "folder_missing" in kept_told(w), "entered")
        with w.daemon():
            w.wait(lambda: "alarm cause=folder_missing" in last_run(w), "this run knows of it")
            (w.root / "away").rename(w.drop)
            w.wait(lambda: "clear folder_missing" in far.said(), "all-clear")
    assert far.said() == ["alarm folder_missing"] * 2 + ["clear folder_missing"]


def test_rejected_files_are_told_once_each(make_world: Callable[..., World]) -> None:
    """Also those of a run in which nobody was told; who is configured later hears of no old ones."""
    w = make_world()
    drop_garbage(w, "before.tif")
    w.until_idle(check=1)
    with receiver() as far:
        w.settings["notify"] = {"webhook": far.address}
        w.write_config()
        with w.daemon() as process:
            up(w)
            w.wait(lambda: cursor(w) is not None, "it follows the events")
            w.settings["notify"]["repeat_every"] = "1h"
            w.write_config()
            process.send_signal(signal.SIGHUP)
            drop_garbage(w, "first.tif")
            w.wait(lambda: far.said() == ["alarm files_rejected"], "told", 60)
            assert far.taken[0]["subject"] == str(w.drop / "first.tif")
            w.wait(lambda: (cursor(w) or 0) >= rejected_event(w), "entered")
            drop_garbage(w, "second.tif")
            w.wait(lambda: status(w)["rejected"] == 3, "rejected")
            process.kill()
            process.wait()
        with w.daemon():
            w.wait(lambda: len(far.taken) == 2, "told after the start")
        assert [Path(document["subject"]).name for document in far.taken] == ["first.tif", "second.tif"]
        w.settings["notify"] = {}
        w.write_config()
        with w.daemon():
            w.wait(lambda: cursor(w) is None, "nobody follows the events any more")


@pytest.mark.storm
def test_a_key_that_is_revoked_while_idle_goes_out(make_world: Callable[..., World]) -> None:
    """A moment after a start, which is a minute for others, and without any file."""
    w = make_world(constants={"uploader.core.idle_probes.FIRST": 1.0})
    control(w, "keys", {"secret": w.box.api_key, "revoked": True})
    with receiver() as far:
        w.settings["notify"] = {"webhook": far.address}
        w.write_config()
        with w.daemon():
            w.wait(lambda: far.said() == ["alarm key_refused"], "told")
            assert far.taken[0]["files"] == 0


def last_run(w: World) -> str:
    """The log of the last daemon."""
    return (w.root / "daemon.log").read_text().rpartition("watching")[2]


def query(w: World, sql: str) -> Any:
    """The first value that the journal gives."""
    code = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n"
        "row = db.execute(sys.argv[2]).fetchone()\n"
        "import json; print(json.dumps(row and row[0]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(w.state / "journal.sqlite"), sql],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def cursor(w: World) -> int | None:
    """How far the webhook has come."""
    found: int | None = query(w, "SELECT event FROM cursors WHERE name = 'notify.webhook'")
    return found


def rejected_event(w: World) -> int:
    """The last event that told of a rejected file."""
    return int(query(w, "SELECT MAX(id) FROM events WHERE state = 'rejected'"))


def kept_told(w: World) -> str:
    """What the journal has of what the webhook was told."""
    return str(query(w, "SELECT value FROM profile WHERE key = 'told:notify.webhook'"))
