"""Runs steps that change this machine, and says each; or prints them for a shell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from uploader.cli.common import say
from uploader.core.errors import UploaderError
from uploader.report.terminal_text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from uploader.service.steps import InstallStep


def run_steps(steps: Iterable[InstallStep], screen: Console, *, dry_run: bool) -> bool:
    """Do what is not done yet, in order, and say it; returns whether anything was to be done.

    With `dry_run` every step is printed as lines for a shell, and nothing is done. Raises UploaderError at the first
    step that fails; the ones before it stay, and are found done by the next run.
    """
    changed = False
    for step in steps:
        if dry_run:
            click.echo(step.shell())
            continue
        try:
            if step.done(changed=changed):
                continue
            say(screen, printable(_line(step)))
            step.do()
        except OSError as error:
            raise UploaderError(
                f"`{_line(step)}` failed: {error.strerror}.", "Run it as root (sudo)."
            ) from error
        changed = True
    if not changed and not dry_run:
        say(screen, "Nothing to do: all is so already.")
    return changed


def _line(step: InstallStep) -> str:
    """What a step does, in one line: without the text that goes in, and what to do by hand."""
    return step.shell().partition("\n")[0].removesuffix(" <<'END'").partition("    # ")[0]
