"""`uploader check`: a doctor. The probes are in `check_machine` and `check_platform`, and `check_live`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from uploader.cli.common import config_option, console, emit, json_option, set_up_logs
from uploader.cli.service_key import settings_with_key
from uploader.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.cli.check_finding import Finding
    from uploader.config import Settings

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("check")
@config_option
@json_option
@click.option(
    "--repair-journal",
    "repair",
    is_flag=True,
    help="Rebuild a damaged journal from its last good copy, the folders and what the platform lists.",
)
@click.option(
    "--service",
    is_flag=True,
    help="Check as the installed unit would run: its user, credential and sandbox. Needs root and systemd.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Send tiny rasters through real sessions of --project, and tell what no document says of the platform.",
)
@click.option(
    "--project", default="", metavar="ID", help="The project that --live may use, best one of its own."
)
def command(
    *, config: str | None, as_json: bool, repair: bool, service: bool, live: bool, project: str
) -> int:
    """Look for everything that could keep it from working, and say what to do.

    Reads the configuration, tries the key and the projects, looks at folders, file systems, limits, disk and clock.
    Changes nothing that stays, but for --repair-journal, which keeps the damaged file, and --live, which deletes the
    items that it makes and keeps what it found in the state directory. 0 when nothing fails; warnings are worth
    reading.
    """
    set_up_logs(level=logging.ERROR)
    if repair:
        from uploader.cli.repair_journal import mend

        return mend(settings_with_key(config), as_json=as_json)
    if live != bool(project):
        raise click.UsageError(
            "--live and --project belong together: name a project that tiny rasters may go to."
        )
    if live:
        from uploader.cli import check_live

        return check_live.examine(settings_with_key(config, need_folders=False), project, as_json=as_json)
    if service:
        return _in_unit(config, as_json=as_json)
    return examine(config, as_json=as_json)


def _in_unit(config: str | None, *, as_json: bool) -> int:
    """Let systemd run the check as it would run the daemon; its output is ours."""
    import os
    import subprocess

    from uploader.core.errors import UploaderError
    from uploader.service.unit_view import BY_HAND, command_in_unit

    if config is not None:
        raise click.UsageError("--service checks the configuration that the unit names, so leave -c out.")
    if os.geteuid() != 0:
        raise UploaderError("Only root may have systemd run a check as the service.", f"Use sudo. {BY_HAND}")
    return subprocess.run(command_in_unit(*(["--json"] if as_json else [])), check=False).returncode  # noqa: S603


def examine(config: str | None, chosen: Settings | None = None, *, as_json: bool = False) -> int:
    """Probe and print; `chosen` stands for what is read from the file. Returns the exit code."""
    found: list[Finding] = []
    broken = 0
    for finding in _probe(config, chosen):
        found.append(finding)
        if not as_json:
            _print(finding)
        if finding.verdict == "fail":
            broken = broken or (78 if finding.name == "configuration" else 1)
    if as_json:
        emit({"ok": not broken, "findings": [finding.to_json() for finding in found]})
    return broken


def _probe(config: str | None, chosen: Settings | None) -> Iterator[Finding]:
    from uploader.cli import check_cluster, check_machine, check_platform
    from uploader.cli.check_finding import fail, ok

    try:
        chosen = chosen or settings_with_key(config)
    except ConfigurationError as error:
        yield from (fail("configuration", line) for line in str(error).splitlines())
        return
    number = f"{len(chosen.folders)} drop folder{'s' if len(chosen.folders) > 1 else ''}"
    yield ok("configuration", f"{number}, state in {chosen.state_dir}.")
    yield from check_machine.all_findings(chosen)
    yield from check_cluster.all_findings(chosen)
    yield from check_platform.all_findings(chosen)


def _print(finding: Finding) -> None:
    from rich.text import Text

    from uploader.report.terminal_text import printable

    line = Text.assemble(
        (f"{finding.verdict:<5}", STYLES[finding.verdict]),
        (f"{finding.name}: ", "bold"),
        printable(finding.text),
    )
    if finding.way_out:
        line.append(f" {printable(finding.way_out)}", "italic")
    console().print(line, soft_wrap=True)
