"""Whose key is taken by a command that root gives by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.cli import service_key
from uploader.platform.geopera.key_file import VARIABLE
from uploader.service import unit_files

pytestmark = pytest.mark.unit


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that names no key, on a machine that has the service's."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(service_key, "SYSTEM", tmp_path / "etc")
    monkeypatch.setattr(unit_files, "KEY", tmp_path / "etc/api-key")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/api-key").write_text("gpra_1")
    path = tmp_path / "etc/config.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n[platform]\nbase_url = "http://127.0.0.1:9"\n')
    return path


def test_the_services_configuration_comes_with_its_key(config: Path) -> None:
    """So `sudo uploader audit` asks as the service does."""
    chosen = service_key.settings_with_key(str(config), need_folders=False)

    assert chosen.platform.api_key_file == unit_files.KEY


@pytest.mark.parametrize("name", [VARIABLE, "CREDENTIALS_DIRECTORY"])
def test_a_key_that_is_given_otherwise_goes_before(
    config: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """From the environment, or by systemd."""
    monkeypatch.setenv(name, "gpra_2")

    assert not service_key.settings_with_key(str(config), need_folders=False).platform.api_key_file


def test_another_configuration_never_gets_the_services_key(config: Path, tmp_path: Path) -> None:
    """It may name another platform."""
    other = config.rename(tmp_path / "config.toml")

    assert not service_key.settings_with_key(str(other), need_folders=False).platform.api_key_file
