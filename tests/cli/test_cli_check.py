"""`uploader check`: what it finds well, and what it says when something is not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.support import mounts
from uploader import cli
from uploader.cli import check_machine, check_platform
from uploader.config import load
from uploader.folders.ownership import Owner, mark
from uploader.sandbox import Key, Options, Sandbox

pytestmark = pytest.mark.unit


@pytest.fixture
def configure(tmp_path, monkeypatch):
    """Write a configuration with a key in the environment; gives its path."""
    (tmp_path / "drop").mkdir()

    def written(
        base_url: str = "http://127.0.0.1:9", folder: str = "", extra: str = "", key: str = "gpra_right"
    ) -> Path:
        monkeypatch.setenv("GEOPERA_API_KEY", key)
        path = tmp_path / "config.toml"
        path.write_text(
            f'state_dir = "state"\n[platform]\nbase_url = "{base_url}"\n'
            f'[[folders]]\npath = "drop"\nproject_id = "p-1"\n{folder}\n{extra}\n'
            "[staging]\nmax_bytes = 1000\n[limits]\nmin_free_bytes = 1000\n"
        )
        return path

    return written


def checked(capsys, path: Path) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Exit code and findings by verdict."""
    code = cli.execute(["check", "--json", "-c", str(path)])
    found: dict[str, list[dict[str, str]]] = {"ok": [], "warn": [], "fail": []}
    for finding in json.loads(capsys.readouterr().out)["findings"]:
        found[finding["verdict"]].append(finding)
    return code, found


@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
def test_a_disk_that_is_mounted_read_only_is_told_as_that(configure, tmp_path):
    """Nobody's rights are to blame, so nothing is to be given to anybody."""
    with mounts.tmpfs(tmp_path / "state") as state:
        mounts.remount(state, "ro")
        found = [f for f in check_machine._places(load(configure())) if f.verdict == "fail"]

    assert [f.name for f in found[:2]] == ["state_dir", "staging"]
    assert found[0].text == f"{state} is mounted read-only."
    assert "[staging] dir" in found[1].way_out


def test_a_setup_that_works_is_found_well(configure, tmp_path, capsys):
    """Every part is named, nothing stays behind in the drop folder, and the code is 0."""
    with Sandbox(Options(root=tmp_path / "platform", api_key="gpra_right")) as box:
        code, found = checked(capsys, configure(box.base_url, 'after_upload = "delete"'))
    assert code == 0, found["fail"]
    names = {finding["name"] for finding in found["ok"] + found["warn"]}
    parts = {
        "configuration",
        "state_dir",
        "staging",
        "disk",
        "inotify",
        "gdal",
        "journal",
        "clock",
        "credentials",
    }
    assert parts | {"project p-1", f"folder {tmp_path / 'drop'}"} <= names
    assert list((tmp_path / "drop").iterdir()) == []


def test_everything_that_fails_comes_with_a_way_out(configure, tmp_path, capsys):
    """No folder, no platform: each is a line of its own that says what to do."""
    (tmp_path / "drop").rmdir()
    code, found = checked(capsys, configure())
    assert code == 1
    assert {finding["name"] for finding in found["fail"]} == {f"folder {tmp_path / 'drop'}", "platform"}
    assert all(finding["way_out"] for finding in found["fail"])


def test_a_file_in_the_place_of_a_folder_is_told_apart(configure, tmp_path, capsys):
    """It exists, so nobody looks for a mount that is missing."""
    (tmp_path / "drop").rmdir()
    (tmp_path / "drop").touch()
    _, found = checked(capsys, configure())
    assert [f["text"] for f in found["fail"] if "drop" in f["name"]] == ["it is no folder."]


def test_a_proxy_that_only_the_environment_names_is_told(configure, monkeypatch, capsys):
    """Nobody reads it, so it is the likely cause where the platform cannot be reached."""
    monkeypatch.setenv("https_proxy", "http://user:word@proxy:3128")
    _, found = checked(capsys, configure())
    way_out = next(finding["way_out"] for finding in found["fail"] if finding["name"] == "platform")
    assert "$https_proxy is not read" in way_out
    assert "word" not in way_out


def test_people_get_lines(configure, tmp_path, capsys):
    """Verdict first, so that the eye can run down the page."""
    assert cli.execute(["check", "-c", str(configure())]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok   configuration: 1 drop folder, ")
    assert lines[-1].startswith("fail platform: ")


def test_a_missing_key_is_told_before_anything_is_asked(configure, monkeypatch, capsys):
    """The three places where it may lie are named."""
    path = configure()
    monkeypatch.delenv("GEOPERA_API_KEY")
    _, found = checked(capsys, path)
    assert [finding["name"] for finding in found["fail"]] == ["credentials"]
    assert "systemd" in found["fail"][0]["way_out"]


@pytest.mark.parametrize(
    ("key", "project"),
    [
        ("gpra_wrong", "p-1"),
        ("gpra_right", "p-2"),
        ("gpra_narrow", "p-1"),
    ],
)
def test_what_the_platform_refuses_is_told_apart(configure, tmp_path, capsys, key, project):
    """A wrong key, an unknown project, and a key that may not, each under its own name."""
    narrow = Key("gpra_narrow", scopes=("uploads:write",))
    with Sandbox(Options(root=tmp_path / "platform", api_key="gpra_right", keys=(narrow,))) as box:
        path = configure(box.base_url, key=key)
        path.write_text(path.read_text().replace("p-1", project))
        code, found = checked(capsys, path)
    assert code == 1
    name = "credentials" if key == "gpra_wrong" else f"project {project}"
    assert [finding["name"] for finding in found["fail"]] == [name]
    assert key not in json.dumps(found)


def test_a_clock_that_is_off_is_told(configure, tmp_path, monkeypatch):
    """Signed URLs and tokens would seem to have expired."""
    with Sandbox(Options(root=tmp_path / "platform", api_key="gpra_right")) as box:
        settings = load(configure(box.base_url))
        real = time.time
        monkeypatch.setattr(check_platform.time, "time", lambda: real() - 3630)  # a Date has whole seconds
        clock = next(f for f in check_platform.all_findings(settings) if f.name == "clock")
    assert clock.verdict == "warn"
    assert "1 h 0 min behind" in clock.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_missing_rights_are_told(configure, tmp_path):
    """Before the first file waits for them."""
    (tmp_path / "drop").chmod(0)
    found = list(check_machine.all_findings(load(configure())))
    assert any(f.verdict == "fail" and "cannot be read" in f.text for f in found)


def test_an_open_dashboard_is_worth_a_warning(configure):
    """Whoever reaches it may read it."""
    settings = load(configure(extra='[dashboard]\nlisten = "0.0.0.0:8750"'))
    assert [
        f.name
        for f in check_machine.all_findings(settings)
        if f.verdict == "warn" and "can be read by" in f.text
    ] == ["dashboard"]


def test_too_few_watches_are_told_with_the_number(configure, monkeypatch):
    """So that the setting can be copied."""
    monkeypatch.setattr(
        "uploader.folders.inotify_limits", lambda: {"max_user_watches": 0, "max_queued_events": 1}
    )
    found = next(f for f in check_machine.all_findings(load(configure())) if f.name == "inotify")
    assert found.verdict == "warn"
    assert "fs.inotify.max_user_watches=2" in found.way_out


def test_places_that_may_not_be_asked_for_do_not_end_the_check(configure, tmp_path):
    """A folder of another user, here a name that no file system takes: told, and the rest is looked at as well."""
    path = configure()
    path.write_text(path.read_text().replace('"state"', f'"{"s" * 300}"').replace('"drop"', f'"{"d" * 300}"'))
    found = {f.name: f.verdict for f in check_machine.all_findings(load(path))}
    assert found["journal"] == "fail"
    assert found["gdal"] == "ok"
    assert "fail" in {verdict for name, verdict in found.items() if name.startswith("folder")}


def test_a_folder_of_another_journal_is_found(configure, tmp_path, capsys):
    """As the start would find it, with the ways out."""
    path = configure()
    mark(tmp_path / "drop", Owner("f" * 16, "/mnt/state"))
    code, found = checked(capsys, path)
    assert code == 1
    (finding,) = [f for f in found["fail"] if f["name"] == f"folder {tmp_path / 'drop'}"]
    assert "/mnt/state" in finding["text"]
    assert "--new-journal" in finding["way_out"]
