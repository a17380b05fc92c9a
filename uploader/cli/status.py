"""`uploader status`: what is where, what is held and why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from uploader.cli.common import config_option, console, emit, json_option, settings

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
    state_dir = settings(config, look=False).state_dir
    if as_json:
        emit(look(state_dir))
    elif watch:
        _watch(state_dir)
    else:
        for part in _rendered(look(state_dir), screen=False):
            console().print(part)
    return 0


def look(state_dir: Path) -> dict[str, Any]:
    """Ask the running daemon, else read the journal; `daemon` says which of the two it was."""
    from uploader.daemon.control import ask
    from uploader.journal import Reader

    answer = ask(state_dir / "control.sock", "status")
    if answer is not None:
        return {"daemon": "running", **answer}
    with Reader(state_dir) as reader:
        return {"daemon": "stopped", **reader.status()}


def _rendered(status: dict[str, Any], *, screen: bool) -> list[Any]:
    from rich.text import Text

    from uploader.report.status import render, render_screen

    if status["daemon"] != "stopped":
        return [*(render_screen if screen else render)(status)]
    told = Text("No daemon is running on this state directory.", style="yellow")
    return [told, *render_screen(status)] if screen else [*render(status), told]


def _watch(state_dir: Path) -> None:
    from rich.console import Group
    from rich.live import Live

    with Live(console=console(), auto_refresh=False) as live:
        while True:
            live.update(Group(*_rendered(look(state_dir), screen=True)), refresh=True)
            time.sleep(PERIOD)
