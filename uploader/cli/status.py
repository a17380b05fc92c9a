"""`uploader status`: what is where, what is held and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, console, emit, json_option, settings

if TYPE_CHECKING:
    from uploader.config import Settings

PERIOD = 1.0
"""Seconds between two looks of `--watch`."""


@click.command("status")
@config_option
@json_option
@click.option("--watch", is_flag=True, help="Keep showing it until Ctrl-C.")
def command(*, config: str | None, as_json: bool, watch: bool) -> int:
    """Say what is where, what is held and why. Works beside a running daemon and without one."""
    if watch and as_json:
        raise click.UsageError("--watch is for people; ask for --json as often as you like instead.")
    given = settings(config, look=False)
    if as_json:
        emit(look(given))
    elif watch:
        _watch(given)
    else:
        for part in _rendered(look(given)):
            console().print(part)
    return 0


def look(given: Settings) -> dict[str, Any]:
    """Ask the running daemon, else read the journal; `daemon` says which of the two it was."""
    from uploader.daemon.control import ask
    from uploader.journal import Reader

    answer = ask(given.state_dir / "control.sock", "status")
    if answer is not None:
        return {"daemon": "running", **answer}
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
