"""How the sandbox starts, again on the same ports, and how it says that it cannot: with what to do about it."""

from __future__ import annotations

import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.wire import Wire
from uploader import cli, config
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.__main__ import main
from uploader.sandbox.banner import banner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.unit


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def quiet_port() -> int:
    """A free port that the system gives to nobody by itself, so that it is still free a moment later."""
    while True:
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", random.randrange(20_000, 30_000)))
            return int(one.getsockname()[1])


def test_a_restart_takes_the_same_ports(tmp_path: Path) -> None:
    """Without any option the addresses stay, and so do signed URLs; nothing is told."""
    options = Options(root=tmp_path / "root")
    with Sandbox(replace(options, port=quiet_port(), store_port=quiet_port())) as box, Wire(box) as wire:
        addresses, url = (box.base_url, box.store_url), wire.url(wire.initiate(), "a.tif")
    with Sandbox(options) as box, Wire(box) as wire:
        assert (box.base_url, box.store_url) == addresses
        assert wire.put(url, b"abc").status_code == 200
        assert box.told == ()


def test_a_port_that_is_taken_meanwhile_is_told(tmp_path: Path) -> None:
    """The API moves, the store stays, the banner says so, and the new address is the one that is remembered."""
    options = Options(root=tmp_path / "root")
    with Sandbox(replace(options, port=quiet_port(), store_port=quiet_port())) as box:
        first, store = box.options.port, box.store_url
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first))
        other.listen()
        with Sandbox(options) as box:
            moved, told, text = box.options.port, box.told, banner(box.world, box.told)
            assert box.store_url == store
    with sqlite3.connect(tmp_path / "root" / "sandbox.sqlite") as connection:
        (kept,) = connection.execute("SELECT value FROM meta WHERE name = '--port'").fetchone()
    connection.close()
    assert int(kept) == moved != first
    assert [str(first) in one and str(moved) in one for one in told] == [True]
    assert re.search(r"^NOTE .*another program", text, re.MULTILINE)


def test_what_is_printed_can_be_pasted(open_wire: Callable[..., Wire], tmp_path: Path) -> None:
    """The lines between are a configuration that the daemon reads, beside address, key, project and commands."""
    box = open_wire(api_key="gpra_k $x", projects=("p-7",)).box
    text = banner(box.world)
    written = re.search(r"<<'END'\n(.*?)\nEND\n", text, re.DOTALL)
    assert written is not None
    (tmp_path / "drop").mkdir()
    path = tmp_path / "sandbox.toml"
    path.write_text(written[1])
    settings = config.load(path)

    assert settings.platform.base_url.rstrip("/") == box.base_url
    assert [(one.path.name, one.project_id) for one in settings.folders] == [("drop", "p-7")]
    assert len([line for line in written[1].splitlines() if line]) <= 10
    assert tomllib.loads(written[1])["folders"][0]["path"] == "drop"
    for line in ("mkdir -p drop", "export GEOPERA_API_KEY='gpra_k $x'", "uploader check -c sandbox.toml"):
        assert line in text.splitlines()
    assert "uploader run -c sandbox.toml" in text.splitlines()


def _file(root: Path) -> None:
    root.write_text("")


def _objects(root: Path) -> None:
    (root / "objects" / "ab").mkdir(parents=True)
    (root / "objects" / "ab" / "cdef").write_text("somebody's")


def _no_database(root: Path) -> None:
    root.mkdir()
    (root / "sandbox.sqlite").write_text("certainly not a database, whatever its name may be")


def _version(number: int) -> Callable[[Path], None]:
    def prepare(root: Path) -> None:
        with Sandbox(Options(root=root)):
            pass
        with sqlite3.connect(root / "sandbox.sqlite") as connection:
            connection.execute(f"PRAGMA user_version = {number}")
        connection.close()

    return prepare


REFUSALS = {
    "a file": (_file, "cannot be a folder", "Name one that you may write to"),
    "objects of others": (_objects, "no sandbox's", "Name an empty folder"),
    "no database": (_no_database, "not a database", "another folder"),
    "older": (_version(0), "an older version", "another folder"),
    "newer": (_version(99), "a newer version", "another folder"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_root_that_cannot_be_used(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is refused by both commands with exit 1, the reason and the way out; nothing of the folder is touched."""
    prepare, reason, way_out = REFUSALS[name]
    root = tmp_path / "root"
    prepare(root)
    before = sorted(root.rglob("*")) if root.is_dir() else []
    for command in (main, lambda arguments: cli.execute(["sandbox", *arguments])):
        assert command(["--root", str(root)]) == 1
        told = capsys.readouterr().err
        assert reason in told
        assert way_out in told
        assert "Traceback" not in told
    left = {path for path in before if not path.exists()}
    assert left - {root / "sandbox.sqlite-wal", root / "sandbox.sqlite-shm"} == set()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_root_without_rights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that may not be written to is named, with the way out."""
    tmp_path.chmod(0o500)
    try:
        assert main(["--root", str(tmp_path)]) == 1
    finally:
        tmp_path.chmod(0o700)
    assert "Name a folder that you may write to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--port", "TAKEN"], "name another one with --port"),
        (["--store-port", "TAKEN"], "name another one with --store-port"),
        (["--port", "99999"], "Look at --host and --port"),
        (["--host", "192.0.2.1"], "Give --host an address of this machine"),
        (["--store-key", "me=nowhere.pem"], "--store-key takes ADDRESS=FILE"),
    ],
)
def test_options_that_cannot_be_had(
    more: list[str], told: str, taken: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that is taken or none, an address of another machine, a key that is not there."""
    given = [str(taken) if word == "TAKEN" else word for word in more]

    assert cli.execute(["sandbox", "--root", str(tmp_path / "root"), *given]) == 1
    assert told in capsys.readouterr().err


def test_a_root_in_use_is_said_so(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """The second sandbox on a folder ends, the first goes on."""
    assert cli.execute(["sandbox", "--root", str(wire.box.options.root)]) == 1
    assert "Another sandbox runs" in capsys.readouterr().err
    assert wire.post("api_keys.list").status_code == 200


@pytest.mark.parametrize("part", ["starlette", "rio_tiler"])
@pytest.mark.parametrize("command", ["'sandbox', '--help'", "'demo'"])
def test_a_part_of_the_extra_that_is_missing_is_said_at_once(part: str, command: str) -> None:
    """Also one that would be imported only when the first raster is painted; with the command that installs it."""
    hidden = f"f = u.find_spec; u.find_spec = lambda name: None if name == {part!r} else f(name)"
    start = f"from uploader.cli import execute; sys.exit(execute([{command}]))"
    program = f"import importlib.util as u, sys; {hidden}; {start}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"there is no {part}" in done.stderr
    assert f"{sys.executable} -m pip install 'geopera-uploader[sandbox]'" in done.stderr
    assert "-m pip install '.[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr
