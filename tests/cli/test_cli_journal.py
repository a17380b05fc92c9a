"""status, log and retry on a journal without a daemon, and beside one that answers on the control socket."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import anyio
import pytest

from uploader import cli
from uploader.core.batching import Batch
from uploader.core.model import FileState, Fingerprint, Hold, Scope, SessionKey, Sighting
from uploader.core.planner_view import Waiting
from uploader.core.transitions.fates import Fates
from uploader.daemon import control
from uploader.daemon.control_client import ask
from uploader.journal import Converted, Journal, Reader
from uploader.journal.hold_rows import read_holds

pytestmark = pytest.mark.unit


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
    ready.wait(60)
    try:
        end = time.monotonic() + 30
        while ask(path, "status") is None:
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


def test_status_tells_of_a_running_daemon_whose_configuration_became_wrong(setup, tmp_path, capsys):
    """It goes on with what it has read; what holds work back is told, and what is wrong in which line."""
    setup.write_text(setup.read_text() + "[transfer]\nconcurency = 3\n")
    assert cli.execute(["status", "-c", str(setup), "--json"]) == 78
    assert "Did you mean concurrency?" in json.loads(capsys.readouterr().out)["error"]

    async def status(_):
        return {"pending": 3, "holds": []}

    with daemon(tmp_path / "state" / "control.sock", {"status": status}):
        assert cli.execute(["status", "-c", str(setup), "--json"]) == 78
        told = capsys.readouterr()
        assert json.loads(told.out) == {"daemon": "running", "pending": 3, "holds": []}
        assert "Did you mean concurrency?" in told.err
        setup.write_text("state_dir = [")
        assert cli.execute(["status", "-c", str(setup)]) == 78


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
    assert lines[1].split() == ["day", "time", "event", "state", "note"]
    assert sum("rejected" in line and "It is no raster." in line for line in lines) == 1
    assert len(lines) == 5
    assert all(line.startswith(" ") for line in lines[3:])


def test_log_of_an_unknown_file_fails(setup, capsys):
    """With a sentence, and what is near."""
    assert cli.execute(["log", "-c", str(setup), "/nowhere/bed.tif"]) == 1
    said = capsys.readouterr().err
    assert "knows no file" in said
    assert "Near is: bad.tif" in said


def test_retry_without_a_daemon_changes_the_journal(setup, tmp_path, capsys):
    """One by its path, then all the others."""
    assert run_json(capsys, "retry", "-c", setup, "--json", tmp_path / "drop" / "bad.tif") == {"retried": 1}
    assert run_json(capsys, "retry", "-c", setup, "--json", "--all") == {"retried": 1}
    with Reader(tmp_path / "state") as reader:
        assert FileState.REJECTED not in {entry["state"] for entry in reader.files()}


def test_retry_of_a_file_that_was_not_rejected_fails(setup, tmp_path, capsys):
    """Nothing was done, and that is said."""
    assert cli.execute(["retry", "-c", str(setup), str(tmp_path / "drop" / "good.tif")]) == 1
    assert "no rejected file is there" in capsys.readouterr().err


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


def test_what_is_held_is_tried_now(setup, tmp_path, capsys):
    """Holds, files and sessions that wait; how many is said, and rejected files are left alone."""

    async def hold() -> None:
        journal = Journal(tmp_path / "state")
        await journal.holds.set(Hold(Scope.PLATFORM, "", "No answer.", until=time.time() + 900))
        await journal.files.retry(1, "No room.", 900.0)
        journal.close()

    anyio.run(hold)
    assert run_json(capsys, "retry", "-c", setup, "--json", "--held") == {"tried": 2}
    with Reader(tmp_path / "state") as reader:
        status = reader.status()
        assert read_holds(reader.db)[0].until == 0.0
    assert (status["retrying"][0]["next"], status["rejected"]) == (None, 2)


def test_one_hold_is_tried_by_its_name(setup, tmp_path, capsys):
    """Where no daemon runs, in the journal; a name that nothing can be called by is wrong usage."""

    async def hold() -> None:
        journal = Journal(tmp_path / "state")
        for target in ("p-1/a", "p-1/b"):
            await journal.holds.set(Hold(Scope.TARGET, target, "No answer.", until=time.time() + 900))
        journal.close()

    anyio.run(hold)
    assert run_json(capsys, "retry", "-c", setup, "--json", "--hold", "target:p-1/b") == {"tried": 1}
    with Reader(tmp_path / "state") as reader:
        assert {held.subject: held.until == 0.0 for held in read_holds(reader.db)} == {
            "p-1/a": False,
            "p-1/b": True,
        }
    assert cli.execute(["retry", "-c", str(setup), "--hold", "moon"]) == 2
    assert "begins with one of" in capsys.readouterr().err


def test_beside_a_daemon_it_is_asked_for_one_hold(setup, tmp_path, capsys):
    """By scope and subject."""
    asked = []

    async def retry(request):
        asked.append(request)
        return {"tried": 1}

    async def status(_):
        return {}

    with daemon(tmp_path / "state" / "control.sock", {"retry": retry, "status": status}):
        assert run_json(capsys, "retry", "-c", setup, "--json", "--hold", "folder:/srv/a:b") == {"tried": 1}
    assert asked == [{"command": "retry", "hold": {"scope": "folder", "subject": "/srv/a:b"}}]


def test_retry_takes_one_wish_at_a_time(setup, capsys):
    """Nothing, or two of them, is wrong usage."""
    for wishes in ([], ["--all", "--held"], ["--held", "bad.tif"]):
        assert cli.execute(["retry", "-c", str(setup), *wishes]) == 2
        assert "say --held" in capsys.readouterr().err


def told(capsys, *arguments) -> tuple[str, set[str | None]]:
    """What kind of word it was, and the files whose events are told (None: a session's own)."""
    found = run_json(capsys, "log", "--json", *arguments)
    return found["kind"], {event["path"] for event in found["events"]}


@pytest.fixture
def uploaded(setup, tmp_path):
    """The same with two files of a subfolder in an upload session, one of which became an item."""

    async def fill() -> None:
        journal = Journal(tmp_path / "state")
        drop, names = str(tmp_path / "drop"), (b"2024/a.tif", b"2024/b.tif")
        looks = [Sighting(drop, name, Fingerprint(1, 9 + n, 10, 5, 6)) for n, name in enumerate(names)]
        ids = await journal.files.discovered(looks)
        for number, look in zip(ids, looks, strict=True):
            await journal.files.claimed(number, look, f"content {number}", 10)
            await journal.files.converted(number, Converted(5, 7, "encode", False, f"{number}.tif"))
        files = tuple(Waiting(number, drop, 5, 0.0, False, f"{number}.tif") for number in ids)
        key = SessionKey("p", "", "", "", categorical=False)
        session = await journal.sessions.planned(Batch(key, files), {}, "k", dict.fromkeys(ids, "keep"))
        await journal.sessions.initiating(session)
        await journal.sessions.opened(session, "up-77", None)
        await journal.files.stored(ids[0], session)
        await journal.sessions.abandoned(session, "refused", Fates(rejected={ids[1]: "refused"}))
        await journal.sessions.failed(session)
        session = await journal.sessions.planned(Batch(key, files[:1]), {}, "l", {ids[0]: "keep"})
        await journal.sessions.initiating(session)
        await journal.sessions.opened(session, "up-78", None)
        await journal.files.stored(ids[0], session)
        await journal.sessions.completing(session)
        await journal.sessions.completed(session, ["it-5"], {f"{ids[0]}.tif": "it-5"}, readback=False)
        journal.close()

    anyio.run(fill)
    return setup


SPELLINGS = {
    "2024/a.tif": ("path", {"2024/a.tif"}),
    "2024/*.tif": ("pattern", {"2024/a.tif", "2024/b.tif"}),
    "{drop}/2024/B*": ("pattern", {"2024/b.tif"}),
    "a.t?f": ("pattern", {"2024/a.tif"}),
    "it-5": ("item", {"2024/a.tif"}),
    "up-77": ("session", {"2024/a.tif", "2024/b.tif", None}),
    "1": ("session", {"2024/a.tif", "2024/b.tif", None}),
    "up-78": ("session", {"2024/a.tif", None}),
}


@pytest.mark.parametrize("word", SPELLINGS)
def test_log_is_asked_in_many_ways(uploaded, tmp_path, capsys, word):
    """A session tells of its files, those that have left it among them, and of itself."""
    kind, files = SPELLINGS[word]
    word = word.format(drop=tmp_path / "drop")
    assert told(capsys, "-c", uploaded, word) == (kind, files)
    assert cli.execute(["log", "-c", str(uploaded), word]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in files if name)
    assert ("session " in text) >= (None in files)


def test_log_of_a_file_names_what_it_became(uploaded, capsys):
    """Its item, whichever way it was asked for."""
    for word in ("2024/a.tif", "up-78", "*"):
        items = run_json(capsys, "log", "-c", uploaded, "--json", word)["items"]
        assert [item["id"] for item in items] == ["it-5"]
