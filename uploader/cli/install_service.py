"""`uploader install-service`: makes the program a service of systemd, or takes the service away again."""

from __future__ import annotations

import os
from pathlib import Path

import click

from uploader.cli.common import config_option, console, say, settings
from uploader.core.errors import UploaderError


@click.command("install-service")
@config_option
@click.option("--dry-run", is_flag=True, help="Print every step as lines for a shell; do nothing.")
@click.option("--no-start", is_flag=True, help="Install it, and leave the start to somebody else.")
@click.option(
    "--uninstall", is_flag=True, help="Stop the service and take it away; configuration, key and state stay."
)
def command(*, config: str | None, dry_run: bool, no_start: bool, uninstall: bool) -> int:
    """Make the daemon a service: unit, user, group and folders as the configuration needs them; then start it.

    Run again after the configuration has changed its folders, it does what is still to be done, and restarts the
    service where that is needed.
    """
    from uploader.cli.step_runner import run_steps
    from uploader.service import installation

    screen = console()
    if not dry_run:
        _require_systemd()
    if uninstall:
        run_steps(installation.uninstalled(), screen, dry_run=dry_run)
        _tell_what_stays(dry_run=dry_run)
        return 0
    from uploader.config import find

    path = find(config).absolute()
    chosen = settings(str(path))
    if not dry_run:
        installation.require_key(chosen)
    steps = list(installation.installed(chosen, path, installation.program(), start=not no_start))
    run_steps(steps, screen, dry_run=dry_run)
    if not dry_run:
        say(screen, "Whoever drops files there belongs to the group: usermod -aG rasters NAME")
        following = "sudo systemctl start uploader" if no_start else f"sudo uploader status -c {path}"
        say(screen, f"Next: {following}", "bold")
    return 0


def _require_systemd() -> None:
    """Raises UploaderError where nothing can be installed."""
    if not Path("/run/systemd/system").is_dir():
        raise UploaderError(
            "systemd does not run here, so there is nothing to install a service into.",
            "See --dry-run for what it would do, or let `uploader run` be started by what runs here.",
        )
    if os.geteuid() != 0:
        raise UploaderError(
            "Only root may install a service.", "Run it with sudo; --dry-run shows what it would do."
        )


def _tell_what_stays(*, dry_run: bool) -> None:
    mark = "# " if dry_run else ""
    for line in (
        "These stay; remove them if nothing of it is needed any more:",
        "  rm -r /etc/uploader /var/lib/uploader    # configuration, key, and the memory of what was uploaded",
        "  userdel uploader; groupdel rasters",
    ):
        click.echo(mark + line)
