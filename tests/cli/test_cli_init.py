"""`uploader init` and `uploader install-service`, as far as no systemd is needed; the rest is in tests/systemd."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from uploader import cli
from uploader.config import load
from uploader.sandbox import Options, Sandbox

pytestmark = pytest.mark.unit

KEY = "gpra_of_init_0001"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    """A platform that knows the key."""
    with Sandbox(Options(root=tmp_path / "platform", api_key=KEY)) as box:
        yield box


@pytest.fixture
def init(tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch):
    """Run it for a configuration below a temporary folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GEOPERA_API_KEY", raising=False)
    (tmp_path / "key").write_text(KEY + "\n")

    def run(*more: str, key: bool = True) -> int:
        named = ["--key-file", str(tmp_path / "key")] if key else []
        facts = ["--project", "p-1", "--folder", str(tmp_path / "drop"), "--base-url", box.base_url]
        return cli.execute(["init", "-c", str(tmp_path / "etc/config.toml"), *facts, *named, *more])

    return run


def test_it_writes_what_is_missing_once(init, tmp_path: Path, capsys) -> None:
    """Configuration, key (for its owner alone) and folder; then it checks them. A second time nothing is to be done."""
    assert init() == 0
    first = capsys.readouterr().out
    chosen = load(tmp_path / "etc/config.toml")
    assert [(folder.path, folder.project_id) for folder in chosen.folders] == [(tmp_path / "drop", "p-1")]
    assert chosen.platform.api_key_file == tmp_path / "etc/api-key"
    assert stat.S_IMODE(chosen.platform.api_key_file.stat().st_mode) == 0o600
    assert "the key is accepted" in first
    assert KEY not in first
    assert "paste the key" not in first  # that is for whoever types the lines of --dry-run
    assert init() == 0
    assert "Nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "missing"), [((), "--folder"), (("--folder", "/srv/x"), "--project")])
def test_without_anybody_to_ask_it_says_which_option_is_missing(
    given: tuple[str, ...], missing: str, tmp_path: Path
) -> None:
    """As in a script that sets a machine up."""
    command = [sys.executable, "-m", "uploader", "init", "-c", str(tmp_path / "config.toml"), *given]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nobody to ask" in done.stderr
    assert f"Say {missing}" in done.stderr


def test_another_configuration_is_not_replaced_unasked(init, tmp_path: Path, capsys) -> None:
    """It is told; with --replace the old one is kept beside it."""
    assert init() == 0
    path = tmp_path / "etc/config.toml"
    mine = path.read_text() + "# mine\n"
    path.write_text(mine)
    assert init() == 1
    assert "says something else" in capsys.readouterr().err
    assert path.read_text() == mine
    assert init("--replace") == 0
    assert Path(f"{path}.old").read_text() == mine
    assert "# mine" not in path.read_text()


def test_a_dry_run_prints_and_does_nothing(init, tmp_path: Path, capsys) -> None:
    """Also where there is no key yet."""
    assert init("--dry-run", key=False) == 0
    assert "[[folders]]" in capsys.readouterr().out
    assert not (tmp_path / "etc").exists()


def test_what_no_option_says_is_asked_for(init, tmp_path: Path, monkeypatch, capsys) -> None:
    """Each with a word; the key is never an argument, and without a terminal it has to be in a file or a variable."""
    answers = iter([str(tmp_path / "asked"), "p-1"])
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(answers))
    monkeypatch.setenv("GEOPERA_API_KEY", KEY)
    path = tmp_path / "other/config.toml"
    cli.execute(["init", "-c", str(path)])
    assert load(path).folders[0].path == tmp_path / "asked"
    monkeypatch.delenv("GEOPERA_API_KEY")
    assert init(key=False) == 1
    assert "--key-file" in capsys.readouterr().err


def test_a_key_that_is_none_is_refused(init, tmp_path: Path, capsys) -> None:
    """Before anything is written, and without a word of it."""
    (tmp_path / "key").write_text("gpra_two words")
    assert init() == 1
    assert "white space" in (said := capsys.readouterr().err)
    assert "two words" not in said
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "is a directory"),
        (lambda path: path.write_bytes(b"gpra_\xe9"), "it is not text"),
        (lambda _: None, "no such file or directory"),
    ],
)
def test_a_key_file_that_cannot_be_read_is_told_in_words(
    init, tmp_path: Path, make: Callable[[Path], object], words: str, capsys
) -> None:
    """Not in those of Python."""
    (tmp_path / "key").unlink(missing_ok=True)
    make(tmp_path / "key")
    assert init() == 1
    assert f"cannot be read: {words}." in capsys.readouterr().err


def test_a_service_can_be_looked_at_before_it_is_installed(tmp_path: Path, monkeypatch, capsys) -> None:
    """--dry-run prints files and commands, whoever asks; where there is no systemd, or no root, that is said."""
    config = tmp_path / "config.toml"
    config.write_text('[[folders]]\npath = "/srv/drop"\nproject_id = "p-1"\nafter_upload = "delete"\n')
    monkeypatch.setattr("uploader.service.installation.program", lambda: Path("/opt/uploader/bin/uploader"))
    assert cli.execute(["install-service", "-c", str(config), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "ReadWritePaths=-/srv/drop" in said
    assert f"uploader run -c {config}" in said
    assert said.index("systemd-sysusers") < said.index("daemon-reload") < said.index("systemctl restart")
    assert cli.execute(["install-service", "--uninstall", "--dry-run"]) == 0
    assert "disable --now" in capsys.readouterr().out
    if not Path("/run/systemd/system").is_dir() or os.geteuid() != 0:
        assert cli.execute(["install-service", "-c", str(config)]) == 1
        assert "--dry-run" in capsys.readouterr().err
        assert cli.execute(["check", "--service"]) == 1
        assert "Run `uploader check` as the user" in capsys.readouterr().err
