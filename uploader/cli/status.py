"""`uploader status`: what is where, what is held and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from uploader.cli import NEEDS_HUMAN
from uploader.cli.common import config_option, console, emit, json_option, say, settings
from uploader.core.errors import ConfigurationError

if TYPE_CHECKING:
    from uploader.config import Settings

PERIOD = 1.0
"""Seconds between two looks of `--watch`."""


@click.command("status")
@config_option
@json_option
@click.option("--watch", is_flag=True, help="Keep showing it until Ctrl-C.")
def command(*, config: str | None, as_json: bool, watch: bool) -> int:
    """Say what is where, what is held and why. Works beside a running daemon and without one.

    A daemon that runs is asked also where the configuration has become wrong since; the exit code is 78 then.
    """
    if watch and as_json:
        raise click.UsageError("--watch is for people; ask for --json as often as you like instead.")
    given, wrong = _settings(config)
    if as_json:
        emit(look(given))
    elif watch:
        _watch(given)
    else:
        for part in _rendered(look(given)):
            console().print(part)
    if wrong is not None:
        say(console(as_json=True), str(wrong), "red")
        return NEEDS_HUMAN
    return 0


def _settings(config: str | None) -> tuple[Settings, ConfigurationError | None]:
    """The settings, and what is wrong with them although the daemon that they name runs."""
    from uploader.config import find, load_state_dir
    from uploader.daemon.control_client import SOCKET, ask

    try:
        return settings(config, look=False), None
    except ConfigurationError as error:
        given = load_state_dir(find(config))
        if given is None or ask(given.state_dir / SOCKET, "status") is None:
            raise
        return given, error


def look(given: Settings) -> dict[str, Any]:
    """Ask the running daemon, else read the journal; `daemon` says which of the two it was."""
    from uploader.daemon.control_client import SOCKET, ask

    answer = ask(given.state_dir / SOCKET, "status")
    if answer is not None:
        return {"daemon": "running", **answer}
    from uploader.journal import Reader  # takes half as long to load as the command takes without it

    with Reader(given.state_dir) as reader:
        return {"daemon": "stopped", **reader.status(given.destinations())}


def _rendered(status: dict[str, Any]) -> list[Any]:
    from uploader.report.screen import NOT_RUNNING
    from uploader.report.status import render

    return [*render(status), *([NOT_RUNNING] if status["daemon"] == "stopped" else [])]


def _watch(given: Settings) -> None:
    from rich.live import Live

    from uploader.report.screen import picture

    screen = console()
    with Live(console=screen, auto_refresh=False, screen=screen.is_terminal) as live:
        while True:
            live.update(picture(look(given), screen), refresh=True)
            time.sleep(PERIOD)
