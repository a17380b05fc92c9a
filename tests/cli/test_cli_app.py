"""The command line as a whole: help, exit codes, errors in words, JSON alone on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from uploader import __version__, cli
from uploader.core.errors import ConfigurationError, JournalError, NoSpace, UploaderError

pytestmark = pytest.mark.unit

HEAVY = {"anyio", "httpx", "numpy", "pydantic", "rasterio", "rich", "sqlite_utils", "starlette"}
"""What takes a tenth of a second and more to load."""


@pytest.fixture
def failing(monkeypatch):
    """Make `uploader status` fail with a given error."""

    def with_error(error: BaseException) -> None:
        def callback() -> None:
            raise error

        command = click.Command("status", callback=callback)
        monkeypatch.setattr(cli, "import_module", lambda _: type("Module", (), {"command": command}))

    return with_error


def test_help_imports_nothing_heavy():
    """People ask for it in passing: no library that it does not need is loaded for it."""
    probe = (
        "import sys; from uploader import cli; cli.execute(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in cli.COMMANDS)
    assert not HEAVY & set(done.stderr.split())


def test_version_is_the_packages(capsys):
    """One version for all."""
    assert cli.execute(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    """--help works for each, and each option says what it is for."""
    assert cli.execute([name, "--help"]) == 0
    assert "Usage: uploader" in capsys.readouterr().out
    command = import_module(f"uploader.cli.{name.replace('-', '_')}").command
    assert command.name == name
    assert command.help


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["run", "--nonsense"], ["push"], ["retry"], ["retry", "--all", "x"], ["convert", "a"]],
)
def test_wrong_usage_is_2(arguments, capsys):
    """With a word of what is wrong on standard error."""
    assert cli.execute(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage:" in captured.err


@pytest.mark.parametrize(
    ("word", "meant"),
    [("staus", "status"), ("instal-service", "install-service"), ("repair", "check --repair-journal")],
)
def test_the_command_that_was_meant_is_named(word, meant, capsys):
    """A slip of the hand, or what others call it; what is near to nothing gets no guess."""
    assert cli.execute([word]) == 2
    assert f"There is no command '{word}'. Did you mean `uploader {meant}`?" in capsys.readouterr().err
    assert cli.execute(["xyzzy"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UploaderError("It failed.", "Do this."), 1),
        (NoSpace("It failed.", "Do this."), 1),
        (ConfigurationError("It failed.", "Do this."), 78),
        (JournalError("It failed.", "Do this."), 78),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [JournalError("It failed.", "Do this.")])]), 78),
    ],
)
def test_an_error_for_people_is_its_own_sentence(failing, capsys, error, code):
    """No traceback, also when it comes out of a group of tasks; --debug shows where."""
    failing(error)
    assert cli.execute(["status"]) == code
    assert capsys.readouterr().err.strip() == "It failed. Do this."
    assert cli.execute(["--debug", "status"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_a_mistake_of_the_program_is_shown_whole_but_without_secrets(failing, capsys):
    """A traceback is what helps here; whoever passes it on gives nothing away."""
    failing(KeyError("gpra_verysecret"))
    assert cli.execute(["status"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "verysecret" not in shown


def test_a_current_folder_that_is_gone_is_told(tmp_path, monkeypatch, capsys):
    """Somebody removed it beside the shell: no relative path means anything there."""
    (tmp_path / "a.tif").touch()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    assert cli.execute(["convert", str(tmp_path / "a.tif"), "b.tif"]) == 1
    assert capsys.readouterr().err.startswith("The folder that this is run in is gone.")


def test_an_interruption_is_said_in_a_word(failing, capsys):
    """Ctrl-C is no accident."""
    failing(KeyboardInterrupt())
    assert cli.execute(["status"]) == 1
    assert capsys.readouterr().err.strip() == "Interrupted."


def test_output_that_nobody_reads_is_no_error(tmp_path):
    """`uploader --help | true` does not complain."""
    line = f"{sys.executable} -m uploader --help | true"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_terminal_of_an_old_locale_is_told_each_name():
    """What its encoding has no sign for is escaped."""
    command = [sys.executable, "-m", "uploader", "check", "-c", "Zo\u00eb.toml"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert r"Zo\xeb.toml" in done.stdout


@pytest.mark.parametrize("arguments", [["check"], ["check", "--json"]])
def test_a_full_disk_below_the_output_is_told(arguments):
    """In words, and once; the JSON object that was asked for has no place either."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "uploader", *arguments, "-c", "none.toml"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("No space left on device. Make room")
    assert "Traceback" not in done.stderr


def test_a_missing_sandbox_is_said_with_the_way_out(monkeypatch, capsys):
    """The extra is not installed with the daemon."""
    monkeypatch.delitem(sys.modules, "uploader.cli.sandbox", raising=False)
    monkeypatch.setitem(sys.modules, "uploader.sandbox", None)
    assert cli.execute(["sandbox", "--root", "x"]) == 1
    assert "pip install 'geopera-uploader[sandbox]'" in capsys.readouterr().err
    monkeypatch.delitem(sys.modules, "uploader.cli.sandbox", raising=False)


def test_json_is_alone_on_standard_output(tmp_path, capsys):
    """A configuration with mistakes still gives one object, and the code says that a human is needed."""
    path = tmp_path / "config.toml"
    path.write_text("[nonsense]\n")
    assert cli.execute(["check", "--json", "-c", str(path)]) == 78
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert {finding["verdict"] for finding in found["findings"]} == {"fail"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["status", "--json", "-c", "none.toml"], 78),
        (["log", "--json", "-c", "none.toml", "x"], 78),
        (["retry", "--json"], 2),
        (["convert", "--json", "none.tif", "x.tif"], 2),
        (["push", "--json", "none.tif", "--project", "p"], 2),
        (["demo", "--json", "--keep", "none.toml/x"], 1),
    ],
)
def test_json_is_one_object_also_where_it_came_to_nothing(arguments, code, tmp_path, monkeypatch, capsys):
    """Whoever parses standard output finds the reason there, and people find it on standard error."""
    monkeypatch.chdir(tmp_path)
    if "demo" in arguments:
        (tmp_path / "none.toml").touch()
    assert cli.execute(arguments) == code
    captured = capsys.readouterr()
    reason = json.loads(captured.out)["error"]
    assert reason
    assert reason in captured.err
    assert "Traceback" not in captured.err


def test_json_after_a_double_dash_is_a_file_name(tmp_path, monkeypatch, capsys):
    """It is not an option there."""
    monkeypatch.chdir(tmp_path)
    assert cli.execute(["log", "-c", "none.toml", "--", "--json"]) == 78
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(13, "Permission denied", "/srv/x"), "/srv/x: Permission denied. Check its rights"),
        (OSError(28, "No space left on device"), "No space left on device. Make room"),
        (ExceptionGroup("tasks", [OSError(30, "Read-only file system", b"/srv/x")]), "/srv/x: Read-only"),
    ],
)
def test_what_the_system_refuses_is_no_mistake_of_the_program(failing, capsys, error, text):
    """It is told with the file and the way out, without a traceback."""
    failing(error)
    assert cli.execute(["status"]) == 1
    assert capsys.readouterr().err.startswith(text)


def test_a_refusal_without_a_file_is_shown_whole(failing, capsys):
    """Nobody could do anything about "Bad file descriptor"."""
    failing(OSError(9, "Bad file descriptor"))
    assert cli.execute(["status"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "offered"), [("uploader aud", "audit"), ("uploader items --sta", "--stac")]
)
def test_the_shell_completes_commands_and_options(words: str, offered: str) -> None:
    """As docs/operations.md tells how to set it up."""
    asked = {
        **os.environ,
        "_UPLOADER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-m", "uploader"], env=asked, capture_output=True, text=True, check=False
    )

    assert f"plain,{offered}" in done.stdout.splitlines()
