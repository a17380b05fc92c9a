"""`uploader push`: where its settings come from, and what is wrong usage."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from uploader import cli
from uploader.cli import push
from uploader.core.moments import iso
from uploader.daemon.live_profile import keep

pytestmark = pytest.mark.unit


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """Some files in folders, which are the current folder's."""
    for name in ("a/one.tif", "a/two.TIF", "a/map.gpkg", "a/sub/three.tif", "b/four.tif", "b/[x]*.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr("uploader.config.locations.SYSTEM_FILE", tmp_path / "nowhere.toml")
    return tmp_path


def test_the_address_comes_from_the_configuration_or_the_environment(tree, monkeypatch):
    """In this order; without either it is the platform's."""
    assert push._base(None).platform.base_url == "https://api.geopera.com"
    monkeypatch.setenv("GEOPERA_BASE_URL", "http://127.0.0.1:1")
    assert push._base(None).platform.base_url == "http://127.0.0.1:1"
    (tree / "config.toml").write_text('[platform]\nclient_id = "me"\n')
    assert push._base(None).platform.base_url == "http://127.0.0.1:1"
    assert push._base(None).platform.client_id == "me"
    (tree / "config.toml").write_text('[platform]\nbase_url = "http://127.0.0.1:2"\n')
    assert push._base(None).platform.base_url == "http://127.0.0.1:2"


def test_the_live_profile_beside_the_configuration_s_journal_is_used(tree):
    """Where a session becomes one item, a push sends sessions of one file too."""
    (tree / "config.toml").write_text(f'state_dir = "{tree}/daemon"\n')
    assert push._base(None).batch.max_files > 1
    base_url = "https://api.geopera.com"
    facts = {"items_per": "session"}
    keep(tree / "daemon", {"date": iso(time.time()), "base_url": base_url, "project": "p", "facts": facts})

    assert push._base(None).batch.max_files == 1


def test_a_path_that_is_not_there_is_wrong_usage(tree, capsys):
    """Before anything is started."""
    assert cli.execute(["push", "none.tif", "--project", "p"]) == 2
    assert "none.tif" in capsys.readouterr().err


def test_a_missing_key_is_told_before_anything_is_converted(tree, monkeypatch, capsys):
    """Not after an hour of conversions."""
    monkeypatch.delenv("GEOPERA_API_KEY", raising=False)
    assert cli.execute(["push", "a/one.tif", "--project", "p"]) == 1
    assert "There is no API key." in capsys.readouterr().err
    assert not (tree / "state").exists()


def test_an_empty_project_is_wrong_usage(tree, capsys):
    """As an unset variable of a script makes it."""
    assert cli.execute(["push", "a/one.tif", "--project", ""]) == 2
    assert "--project" in capsys.readouterr().err


def test_a_wrong_address_of_the_environment_is_told_by_its_name(tree, monkeypatch, capsys):
    """There is no section to look for it in."""
    monkeypatch.setenv("GEOPERA_BASE_URL", "http://example.com")
    assert cli.execute(["push", "a/one.tif", "--project", "p"]) == 78
    assert capsys.readouterr().err.startswith("$GEOPERA_BASE_URL would send the key unencrypted.")


def test_ctrl_c_before_anything_runs_says_how_to_go_on(tree, monkeypatch, capsys):
    """While another push to the same project is waited for, say."""

    def pressed(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(push, "_push", pressed)
    assert cli.execute(["push", str(tree), "--project", "p"]) == 1
    assert capsys.readouterr().err == f"Interrupted. {push.GOES_ON}\n"
