"""What is shipped beside the code: the unit, the README's lines, the constraints."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from uploader.config import load
from uploader.core import capacity
from uploader.service.unit_files import KEY_WATCH, SYSUSERS, shipped

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "uploader.service"
MOST_EXPOSED = 1.3
"""Of ten, as systemd-analyze counts."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool that may be missing."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, capture_output=True, text=True, check=False)


def settings_of(text: str) -> dict[str, list[str]]:
    """Every key of a unit file with its values."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_systemd_accepts_the_units(tmp_path):
    """Every key is known and well-formed; the program is stood in for by one that exists here."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/uploader/bin/uploader", "/bin/true"))
    drop_in = tmp_path / "uploader.service.d"
    drop_in.mkdir()
    shutil.copy(ROOT / "systemd" / "uploader.service.d" / "folders.conf", drop_in)
    for name in KEY_WATCH:
        shutil.copy(UNIT.with_name(name), tmp_path)
    units = map(str, (unit, *(tmp_path / name for name in KEY_WATCH)))
    done = run("systemd-analyze", "verify", "--recursive-errors=yes", "--man=no", *units)
    assert done.returncode == 0, done.stderr
    assert "uploader" not in done.stderr


def test_the_unit_is_confined():
    """What a hole in the program could reach is as little as systemd can make it."""
    done = run("systemd-analyze", "security", "--offline=true", str(UNIT))
    match = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert match is not None, done.stdout + done.stderr
    assert float(match.group(1)) <= MOST_EXPOSED


def test_the_unit_agrees_with_the_program():
    """Exit code, time to drain, paths and the credential's name are those of the program."""
    unit = settings_of(UNIT.read_text())
    example = load(ROOT / "config.example.toml")
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert float(unit["TimeoutStopSec"][0]) > example.transfer.drain_seconds + 30
    assert Path("/var/lib", unit["StateDirectory"][0]) == example.state_dir
    assert unit["LoadCredential"][0].startswith("geopera-api-key:")
    assert unit["Type"] == ["notify"]
    assert unit["ExecStart"] == ["/opt/uploader/bin/uploader run -c /etc/uploader/config.toml"]
    assert "prlimit64" in unit["SystemCallFilter"][-1].split()


@pytest.mark.parametrize("cores", [1, 4, 32, 128, 400])
def test_the_unit_has_room_for_all_workers(cores):
    """On a machine of many cores its limit of tasks lets as many converters work as the machine has cores."""
    room = int(settings_of(UNIT.read_text())["TasksMax"][0])
    assert capacity.workers(cores, room, cores=cores, folders=32) == cores


@pytest.mark.parametrize("name", [UNIT.name, SYSUSERS, *KEY_WATCH])
def test_what_is_installed_as_a_service_is_what_lies_in_systemd(name):
    """The package carries these files, and no text of its own."""
    assert shipped(name) == (ROOT / "systemd" / name).read_text()


def test_user_and_group_of_the_unit_are_made_by_sysusers():
    """A static user, because drop folders are shared with people."""
    unit = settings_of(UNIT.read_text())
    made = {
        line.split()[0]: line.split()[1]
        for line in (ROOT / "systemd/uploader.sysusers").read_text().splitlines()
        if line[0] in "ug"
    }
    assert made == {"u": unit["User"][0], "g": unit["Group"][0]}


def test_the_readme_begins_with_the_two_lines():
    """Whoever reads only the top has the demo and the tests."""
    first, second = (ROOT / "README.md").read_text().splitlines()[:2]
    for line, extra, end in ((first, "sandbox", "uploader demo"), (second, "test", "pytest")):
        assert line.startswith("    python3 -m venv .venv && ")
        assert f"-c constraints.txt '.[{extra}]'" in line
        assert line.endswith(f"&& .venv/bin/{end}")


def test_the_configuration_in_the_readme_is_valid(tmp_path):
    """It is copied from there."""
    text = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert text is not None
    (tmp_path / "config.toml").write_text(text.group(1))
    assert load(tmp_path / "config.toml").folders[0].after_upload == "archive"


def test_every_dependency_is_pinned_once():
    """What is tested together is installed together; no line says where from."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = {re.split("[=<>! ]", line)[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[=<>! ]", name)[0].lower() for name in wanted} - {"geopera-uploader"}
    assert names <= pins
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; python_version (<|>=) \"3\.\d+\")?", line) for line in lines)
    plain = [line.partition("==")[0] for line in lines if ";" not in line]
    assert len(plain) == len(set(plain))
