"""status, log and retry on a journal without a daemon, and beside one that answers on the control socket."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import anyio
import pytest

from uploader import cli
from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.daemon import control
from uploader.journal import Journal, Reader

pytestmark = pytest.mark.unit


@pytest.fixture
def setup(tmp_path):
    """A configuration and a journal with one queued and two rejected files; gives the configuration's path."""
    drop = tmp_path / "drop"
    drop.mkdir()
    path = tmp_path / "config.toml"
    path.write_text(f'state_dir = "state"\n[[folders]]\npath = "{drop}"\nproject_id = "p"\n')

    async def fill() -> None:
        (tmp_path / "state").mkdir()
        journal = Journal(tmp_path / "state")
        names = (b"good.tif", b"bad.tif", b"odd\xff\n.tif")
        looks = [Sighting(str(drop), name, Fingerprint(1, n, 10, 5, 6)) for n, name in enumerate(names)]
        ids = await journal.files.discovered(looks)
        for number, look in zip(ids, looks, strict=True):
            await journal.files.claimed(number, look, f"content {number}", 10)
        for number in ids[1:]:
            await journal.files.rejected(number, "It is no raster.")
        journal.close()

    anyio.run(fill)
    return path


def run_json(capsys, *arguments) -> dict:
    """Run a command that succeeds, and read what it prints."""
    assert cli.execute([str(a) for a in arguments]) == 0
    return json.loads(capsys.readouterr().out)


@contextmanager
def daemon(path, handlers):
    """Answer on a control socket from a thread, as a daemon would."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(control.serve, path, handlers)
            ready.set()
            await anyio.to_thread.run_sync(stop.wait)
            group.cancel_scope.cancel()

    thread = threading.Thread(target=anyio.run, args=(serve,))
    thread.start()
    ready.wait(5)
    try:
        end = time.monotonic() + 30
        while control.ask(path, "status") is None:
            assert time.monotonic() < end, "nobody listens"
            time.sleep(0.01)
        yield
    finally:
        stop.set()
        thread.join()


def test_status_has_what_is_promised(setup, capsys):
    """Every field that others build on, and that no daemon runs."""
    status = run_json(capsys, "status", "-c", setup, "--json")
    promised = {
        "pending",
        "completed",
        "rejected",
        "files",
        "sessions",
        "holds",
        "revision",
        "paused",
        "folders",
        "today",
        "last_completed",
        "rate",
        "eta",
        "waiting",
        "bytes",
        "possibly_leaked_bytes",
        "failed",
    }
    assert promised <= status.keys()
    assert (status["pending"], status["rejected"], status["daemon"]) == (1, 2, "stopped")
    assert status["bytes"].keys() >= {"pending", "uploaded"}
    assert {entry["reason"] for entry in status["failed"]} == {"It is no raster."}


def test_status_is_readable(setup, capsys):
    """The same for people, with odd names made harmless."""
    assert cli.execute(["status", "-c", str(setup)]) == 0
    text = capsys.readouterr().out
    assert "1 pending, 0 completed, 2 rejected" in text
    assert "No daemon is running" in text
    assert "\x1b" not in text


def test_status_without_a_journal_says_so(setup, tmp_path, capsys):
    """A state directory that was never used is a matter for a human."""
    (tmp_path / "state" / "journal.sqlite").rename(tmp_path / "elsewhere")
    assert cli.execute(["status", "-c", str(setup)]) == 78
    assert "There is no journal" in capsys.readouterr().err


@pytest.mark.parametrize("spelled", ["absolute", "below the folder", "from the current folder"])
def test_log_tells_a_files_story(setup, tmp_path, capsys, monkeypatch, spelled):
    """However the path is spelled."""
    monkeypatch.chdir(tmp_path / "drop")
    path = tmp_path / "drop" / "bad.tif" if spelled == "absolute" else "bad.tif"
    path = "./bad.tif" if spelled == "from the current folder" else path
    events = run_json(capsys, "log", "-c", setup, path, "--json")["events"]
    assert events[0]["state"] == "settling"
    assert events[-1]["state"] == "rejected"
    assert events[-1]["note"] == "It is no raster."
    assert cli.execute(["log", "-c", str(setup), str(path)]) == 0
    assert "It is no raster." in capsys.readouterr().out


def test_log_fits_into_80_columns(setup, capsys, monkeypatch):
    """Time, event, state and the whole note on one line each; the day and the file are told once."""
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.execute(["log", "-c", str(setup), "bad.tif"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("drop/bad.tif")
    assert all(len(line) <= 80 for line in lines[1:])
    assert lines[1].split() == ["day", "UTC", "event", "state", "note"]
    assert sum("rejected" in line and "It is no raster." in line for line in lines) == 1
    assert len(lines) == 5
    assert all(line.startswith(" ") for line in lines[3:])


def test_log_of_an_unknown_file_fails(setup, capsys):
    """With a sentence."""
    assert cli.execute(["log", "-c", str(setup), "/nowhere.tif"]) == 1
    assert "knows no file" in capsys.readouterr().err


def test_retry_without_a_daemon_changes_the_journal(setup, tmp_path, capsys):
    """One by its path, then all the others."""
    assert run_json(capsys, "retry", "-c", setup, "--json", tmp_path / "drop" / "bad.tif") == {"retried": 1}
    assert run_json(capsys, "retry", "-c", setup, "--json", "--all") == {"retried": 1}
    with Reader(tmp_path / "state") as reader:
        assert FileState.REJECTED not in {entry["state"] for entry in reader.files()}


def test_retry_of_a_file_that_was_not_rejected_fails(setup, tmp_path, capsys):
    """Nothing was done, and that is said."""
    assert cli.execute(["retry", "-c", str(setup), str(tmp_path / "drop" / "good.tif")]) == 1
    assert "not those of rejected files" in capsys.readouterr().err


def test_retry_takes_a_path_as_log_does(setup, capsys):
    """Also as it is below its drop folder, wherever one stands."""
    assert run_json(capsys, "retry", "-c", setup, "--json", "bad.tif") == {"retried": 1}


def test_beside_a_daemon_the_socket_is_asked(setup, tmp_path, capsys):
    """Its journal is not written to from outside."""
    asked = []

    async def retry(request):
        asked.append(request["paths"])
        return {"retried": 7}

    async def status(_):
        return {"pending": 42}

    with daemon(tmp_path / "state" / "control.sock", {"retry": retry, "status": status}):
        assert run_json(capsys, "retry", "-c", setup, "--json", "--all") == {"retried": 7}
        assert run_json(capsys, "status", "-c", setup, "--json") == {"daemon": "running", "pending": 42}
    assert asked == [None]
