"""The control socket: who is heard, and what a broken question gets."""

from __future__ import annotations

import json
import os
import socket
import stat
from contextlib import asynccontextmanager

import anyio
import pytest

from uploader.core.errors import ConfigurationError, UploaderError
from uploader.daemon import control
from uploader.daemon.control_client import ask
from uploader.daemon.requests import folder, numbers, paths, span

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def _echo(request):
    return {"got": request}


async def _refuse(_):
    raise UploaderError("No such file.", "Name another.")


async def _break(_):
    raise KeyError("secret detail")


HANDLERS = {"echo": _echo, "refuse": _refuse, "break": _break}


@asynccontextmanager
async def serving(path):
    """Serve the handlers at `path` while the block runs."""
    async with anyio.create_task_group() as group:
        group.start_soon(control.serve, path, HANDLERS)
        await _there(path)
        yield
        group.cancel_scope.cancel()


async def _there(path):
    with anyio.fail_after(60):
        while not path.is_socket() or path.stat().st_mode & 0o077:  # noqa: ASYNC110 - a file cannot say
            await anyio.sleep(0.01)


async def _asked(path, command, **arguments):
    return await anyio.to_thread.run_sync(lambda: ask(path, command, **arguments))


async def _raw(path, line: bytes) -> dict:
    def talk():
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(line)
            sock.shutdown(socket.SHUT_WR)
            return json.loads(sock.makefile("rb").readline())

    return await anyio.to_thread.run_sync(talk)


async def test_a_question_gets_its_answer(tmp_path):
    """Arguments travel there, the answer travels back, names that are not UTF-8 unharmed."""
    odd = os.fsdecode(b"/drop/\xff\n.tif")
    async with serving(tmp_path / "control.sock"):
        answer = await _asked(tmp_path / "control.sock", "echo", paths=[odd])
    assert answer == {"got": {"command": "echo", "paths": [odd]}}


async def test_a_refusal_arrives_in_the_daemons_words(tmp_path):
    """Reason and way out, as an error of the asker's."""
    async with serving(tmp_path / "s"):
        with pytest.raises(UploaderError, match=r"No such file\. Name another\."):
            await _asked(tmp_path / "s", "refuse")


async def test_a_broken_handler_ends_neither_the_daemon_nor_tells_details(tmp_path, caplog):
    """The log has the traceback, the asker a sentence, and the next question is answered."""
    async with serving(tmp_path / "s"):
        with pytest.raises(UploaderError, match="Its log says why"):
            await _asked(tmp_path / "s", "break")
        assert (await _asked(tmp_path / "s", "echo"))["got"]["command"] == "echo"
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    "line", [b"\n", b"not json\n", b"[]\n", b"{}\n", b'{"command": 5}\n', b'{"command": "none"}\n', b""]
)
async def test_a_broken_question_gets_a_sentence(tmp_path, line):
    """Whatever arrives, an answer goes back."""
    async with serving(tmp_path / "s"):
        answer = await _raw(tmp_path / "s", line)
    assert answer["ok"] is False
    assert answer["error"].endswith(".")


async def test_a_line_without_end_is_cut_off(tmp_path, monkeypatch):
    """A giant request costs its sender the connection and nobody else anything."""
    monkeypatch.setattr(control, "MAX_LINE", 1 << 16)

    def flood():
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(str(tmp_path / "s"))
            try:
                sock.sendall(b"x" * (4 << 20))
                return sock.recv(100)
            except OSError:
                return b""

    async with serving(tmp_path / "s"):
        assert await anyio.to_thread.run_sync(flood) == b""
        assert await _asked(tmp_path / "s", "echo")


async def test_clients_that_say_nothing_keep_nobody_waiting(tmp_path):
    """However many they are: whoever asks is answered at once, and of the silent ones the oldest are cut off."""
    path = tmp_path / "s"

    async def connect():
        sock = socket.socket(socket.AF_UNIX)
        await anyio.to_thread.run_sync(sock.connect, str(path))
        return sock

    async with serving(path):
        silent = [await connect() for _ in range(300)]
        with anyio.fail_after(control.PATIENCE / 2):
            assert await _asked(path, "echo")
        assert silent[0].recv(1) == b""
        for sock in silent:
            sock.close()


async def test_a_folder_in_the_place_of_the_socket_is_said_so(tmp_path):
    """Whoever put it there learns which folder it is; nothing is left beside it."""
    path = tmp_path / "control.sock"
    path.mkdir()
    with pytest.raises(ConfigurationError, match=r"folder lies where .*control\.sock\. Remove it"):
        await control.serve(path, HANDLERS)
    assert list(tmp_path.iterdir()) == [path]


async def test_the_socket_is_private_and_replaces_a_stale_one(tmp_path):
    """What a killed daemon left behind is no obstacle, and only the owner may connect."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert ask(path, "echo") is None
    async with serving(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_socket_that_was_taken_away_is_made_anew(tmp_path, monkeypatch):
    """Also where its folder was away for a while: commands find the daemon again without a restart."""
    monkeypatch.setattr(control, "LOOK", 0.01)
    folder = tmp_path / "state"
    folder.mkdir()
    async with serving(folder / "s"):
        folder.rename(tmp_path / "away")
        assert await _asked(folder / "s", "echo") is None
        await anyio.sleep(0.05)
        (tmp_path / "away" / "s").unlink()
        (tmp_path / "away").rename(folder)
        await _there(folder / "s")
        assert await _asked(folder / "s", "echo") == {"got": {"command": "echo"}}


async def test_a_path_longer_than_an_address_works(tmp_path):
    """State directories may lie deep; the kernel's address has 108 bytes."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    async with serving(deep / "control.sock"):
        assert await _asked(deep / "control.sock", "echo")


async def test_another_user_is_not_heard(tmp_path, monkeypatch):
    """The kernel tells who asks, whatever the socket's mode is."""
    monkeypatch.setattr(control, "_heard", lambda _: False)
    path = tmp_path / "s"
    async with anyio.create_task_group() as group:
        group.start_soon(control.serve, path, HANDLERS)
        await _there(path)
        with pytest.raises(UploaderError, match="own user and root"):
            await _asked(path, "echo")
        group.cancel_scope.cancel()


async def test_nobody_there_is_told_apart_from_an_error(tmp_path):
    """None, so that a command can read the journal itself."""
    assert ask(tmp_path / "none.sock", "status") is None


@pytest.mark.parametrize("given", ["/drop/a.tif", 7, {"a": 1}, [7], [["/drop/a.tif"]], ["\ud800"], True])
def test_paths_that_are_none_are_refused_in_words(given):
    """Whoever asks is told what they should be."""
    with pytest.raises(UploaderError, match="list of absolute paths"):
        paths(given)


def test_paths_are_the_bytes_that_were_meant():
    """Null means all."""
    assert paths(None) is None
    assert paths([os.fsdecode(b"/drop/\xff.tif"), "/a"]) == [b"/drop/\xff.tif", b"/a"]


@pytest.mark.parametrize("given", [None, "", "/srv/drop"])
def test_a_folder_is_absolute_or_all_or_none(given):
    """Whatever else comes over the socket is refused in words."""
    assert folder(given) == given


@pytest.mark.parametrize("given", ["drop", 5, ["/d"], b"/d"])
def test_any_other_folder_is_refused(given):
    """With what it has to be."""
    with pytest.raises(UploaderError, match="`folder` is"):
        folder(given)


@pytest.mark.parametrize("given", [0, -1, True, "60", float("nan"), float("inf"), 1e300])
def test_a_span_that_cannot_be_waited_for_is_refused(given):
    """Numbers above nothing are taken."""
    assert (span(None), span(90), span(0.5)) == (None, 90, 0.5)
    with pytest.raises(UploaderError, match="`seconds` is"):
        span(given)


@pytest.mark.parametrize("given", [None, "1", [1, "2"], [True], [0], [1 << 63], [1.5]])
def test_files_are_named_by_their_numbers(given):
    """Whatever else is refused in words."""
    assert numbers([1, 2]) == [1, 2]
    with pytest.raises(UploaderError, match="`files` is"):
        numbers(given)
