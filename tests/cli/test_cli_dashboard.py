"""`uploader dashboard`: the address that allows changes, and what it says where there is none."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from uploader.cli import execute
from uploader.cli.dashboard import address
from uploader.daemon import control_client

pytestmark = pytest.mark.unit


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration without a daemon."""
    path = tmp_path / "config.toml"
    path.write_text('state_dir = "state"\n[[folders]]\npath = "drop"\nproject_id = "p-1"\n')
    (tmp_path / "drop").mkdir()
    (tmp_path / "state").mkdir()
    return path


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of a daemon; its socket is tested where it is made."""

    def ask(path: Path, name: str, **_: Any) -> dict[str, Any]:
        assert (path.name, name) == ("control.sock", "dashboard")
        return {"token": "t0ken"}

    monkeypatch.setattr(control_client, "ask", ask)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8750", "http://127.0.0.1:8750/enter#t"),
        ("0.0.0.0:80", "http://127.0.0.1:80/enter#t"),
        ("[::]:80", "http://[::1]:80/enter#t"),
        ("box.lan:8750", "http://box.lan:8750/enter#t"),
    ],
)
def test_the_token_is_where_no_server_is_told_of_it(listen: str, url: str) -> None:
    """Behind the #; the host is one that a browser can ask for."""
    assert address(listen, "t") == url


@pytest.mark.usefixtures("daemon")
def test_it_prints_the_address(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone on its line, or as one object."""
    assert execute(["dashboard", "-c", str(config)]) == 0
    assert capsys.readouterr().out == "http://127.0.0.1:8750/enter#t0ken\n"
    assert execute(["dashboard", "-c", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"url": "http://127.0.0.1:8750/enter#t0ken"}


@pytest.mark.usefixtures("daemon")
def test_it_opens_a_file_that_only_its_user_reads(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is given the token as an argument."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    for _ in range(2):
        assert execute(["dashboard", "-c", str(config), "--open"]) == 0
    page = config.parent / "state" / "dashboard.html"
    assert opened == [page.as_uri()] * 2
    assert page.stat().st_mode & 0o777 == 0o600
    assert "/enter#t0ken" in page.read_text()


def test_it_says_why_there_is_no_address(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No daemon, or no page."""
    assert execute(["dashboard", "-c", str(config)]) == 1
    assert "No daemon is running" in capsys.readouterr().err
    config.write_text(config.read_text() + '[dashboard]\nlisten = ""\n')
    assert execute(["dashboard", "-c", str(config)]) == 1
    assert "turned off" in capsys.readouterr().err
