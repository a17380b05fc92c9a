"""`uploader dashboard`: the address of the page, with a token that lets one browser change something."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from uploader.cli.common import config_option, emit, json_option, settings
from uploader.core.errors import UploaderError

ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - recognised, not bound
"""Addresses that mean all of a machine's, and by which one this machine reaches itself."""


@click.command("dashboard")
@config_option
@json_option
@click.option(
    "--open/--no-open", "wanted", default=None, help="Open it in a browser; else where there is a desktop."
)
def command(*, config: str | None, as_json: bool, wanted: bool | None) -> int:
    """Print the address of the running daemon's page, with a token that allows changes from one browser.

    The token is good once and for five minutes, the browser it let in for twelve hours. Without it the page can be
    read only.
    """
    from uploader.daemon.control_client import SOCKET, ask

    chosen = settings(config, look=False)
    if not chosen.dashboard.listen:
        raise UploaderError("The dashboard is turned off.", "Set [dashboard] listen, and restart the daemon.")
    answer = ask(chosen.state_dir / SOCKET, "dashboard")
    if answer is None:
        raise UploaderError("No daemon is running on this state directory.", "Start it: uploader run.")
    url = address(chosen.dashboard.listen, str(answer["token"]))
    if as_json:
        emit({"url": url})
    else:
        click.echo(url)
    if wanted or (wanted is None and not as_json and _on_a_desktop()):
        _open(url, chosen.state_dir)
    return 0


def address(listen: str, token: str) -> str:
    """Where a browser on this machine finds the page; the token is behind the #, which is never sent anywhere."""
    host, _, port = listen.rpartition(":")
    return f"http://{ANYWHERE.get(host, host)}:{port}/enter#{token}"


def _on_a_desktop() -> bool:
    return sys.stdout.isatty() and any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open(url: str, state_dir: Path) -> None:
    """Have a browser show it by way of a file: an argument of a process would be seen by everybody on the machine."""
    import webbrowser

    page = state_dir / "dashboard.html"
    page.unlink(missing_ok=True)
    with os.fdopen(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(
            f'<!doctype html><meta http-equiv="refresh" content="0;url={url}"><a href="{url}">uploader</a>\n'
        )
    webbrowser.open(page.as_uri())
