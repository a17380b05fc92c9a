"""The commands: each module of this package parses, calls and prints for one of them. Nothing is decided here.

A command's module is imported when it is asked for, and whatever is heavy within the command itself, so that
`uploader --help` answers at once.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from uploader import __version__
from uploader.core.errors import ConfigurationError, JournalError
from uploader.system.inherited_process import put_in_order

FAILED, MISUSED, NEEDS_HUMAN = 1, 2, 78
"""Exit codes beside 0; 78 is EX_CONFIG of sysexits(3), which the systemd unit does not restart on."""

COMMANDS = {
    "demo": "Show it all at work on this machine: needs no account, no network, no argument.",
    "init": "Write a first configuration and its key, and check them.",
    "install-service": "Make the daemon a service of systemd, or take that away.",
    "plan": "Tell what would become of the files in the folders, before anything is sent.",
    "run": "Run the daemon that the configuration describes.",
    "push": "Upload these rasters now and show the items.",
    "status": "Say what is where, what is held and why.",
    "dashboard": "Print the address of the page, with a token that allows changes.",
    "log": "Tell the whole story of a file, of several, of an item or of an upload session.",
    "items": "Tell which item each file became: receipts as text, JSON lines, CSV or STAC.",
    "audit": "Compare the receipts with what the platform has now.",
    "retry": "Give rejected files another chance, or try now what is held.",
    "pause": "Begin no new file of a folder, or of any, until it is resumed.",
    "resume": "End a pause.",
    "forget": "Give up what will never come back, such as the files of a lost disk.",
    "check": "Look for everything that could keep it from working, and say what to do.",
    "convert": "Convert rasters to COGs, without uploading them.",
    "sandbox": "Run the local platform alone, to develop and test against.",
}
"""Every command with what the overview says of it, in the order of the overview."""


_OTHER_WORDS = {
    "help": "--help",
    "list": "items",
    "repair": "check --repair-journal",
    "start": "run",
    "stop": "pause",
    "upload": "push",
}
"""Words that people try for what a command is called here."""


class _Commands(click.Group):
    """Imports the module of a command when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Name the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Import a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"uploader.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a word that is none is answered with the one that was most likely meant."""
        if args[0] in COMMANDS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        meant = _OTHER_WORDS.get(args[0]) or next(iter(get_close_matches(args[0], COMMANDS, n=1)), "")
        hint = f" Did you mean `uploader {meant}`?" if meant else ""
        raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview from the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="uploader")
@click.option("--debug", is_flag=True, help="Log more, and show where in the program an error arose.")
@click.pass_context
def app(ctx: click.Context, *, debug: bool) -> None:
    """Watch folders for rasters and make each exactly one item on the Geopera platform.

    Exit codes: 0 done, 1 something failed, 2 wrong usage, 78 the configuration needs a human.
    """
    ctx.obj["debug"] = debug


def main() -> NoReturn:
    """Run the command line of this process."""
    put_in_order()
    code = execute(sys.argv[1:])
    if threading.active_count() > 1:  # the interpreter would join them, however long that takes
        from uploader.daemon.hard_exit import leave

        leave(code)
    sys.exit(code)


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    Errors are worded on standard error; where JSON was asked for, it is an object with an `error` then.
    """
    options: dict[str, Any] = {"debug": False, "json": _wants_json(arguments), "ending": ""}
    try:
        return int(app.main(list(arguments), prog_name="uploader", standalone_mode=False, obj=options) or 0)
    except click.ClickException as error:
        error.show()
        return _ended(error.format_message(), error.exit_code, options)
    except (click.Abort, KeyboardInterrupt):
        return _complain("Interrupted.", FAILED, options)
    except BrokenPipeError:
        return _left_alone()
    except Exception as error:  # noqa: BLE001 - the last place that can word it
        return _failed(error, options)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among the options; it must be known even where the options cannot be read."""
    return "--json" in [*arguments, "--"][: [*arguments, "--"].index("--")]


def _failed(error: Exception, options: dict[str, Any]) -> int:
    from uploader.python.error_words import for_people

    known = for_people(error)
    if known is None or options["debug"]:
        _show_traceback()
    if known is None:
        text = "This is a mistake in the program, not in what you did. Please report it with the lines above."
        return _complain(text, FAILED, options)
    permanent = isinstance(known, ConfigurationError | JournalError)
    return _complain(str(known), NEEDS_HUMAN if permanent else FAILED, options)


def _complain(text: str, code: int, options: dict[str, Any]) -> int:
    from uploader.core.secrets import redact

    click.echo(redact(text), err=True)
    return _ended(redact(text), code, options)


def _ended(text: str, code: int, options: dict[str, Any]) -> int:
    """Keep the promise of one JSON object also where a command came to nothing, or broke off in the middle of it."""
    with suppress(OSError):  # a full disk below standard output was the error, and people were told already
        if options["ending"]:
            import json

            click.echo(f"{options['ending']}{json.dumps({'error': text})[1:]}")
        elif options["json"]:
            from uploader.cli.common import emit

            emit({"error": text})
    return code


def _show_traceback() -> None:
    import traceback

    from uploader.core.secrets import redact

    click.echo(redact(traceback.format_exc()), err=True)


def _left_alone() -> int:
    """Whoever read our output has seen enough, as `| head` has: no complaint, also not at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
