"""`uploader sandbox`: the local platform alone. Its flags are those of `uploader.sandbox.Options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from uploader.cli.extra import absent, require_sandbox
from uploader.core.errors import UploaderError

require_sandbox()
try:
    from uploader.sandbox import StartRefused, options_from, serve
    from uploader.sandbox.options import flags
except ModuleNotFoundError as error:
    raise absent(error.name) from error

if TYPE_CHECKING:
    from uploader.sandbox import Flag

KINDS: dict[str, click.ParamType[Any]] = {
    "text": click.STRING,
    "path": click.STRING,
    "integer": click.INT,
    "number": click.FLOAT,
    "key": click.STRING,
}

METAVARS = {"text": "TEXT", "path": "DIR", "integer": "N", "number": "SECONDS", "key": "JSON"}
"""What `--help` calls the value, by the kind of the option."""
UNITS = {"--quota": "BYTES", "--project": "ID", "--api-key": "KEY"}
"""Likewise, of options that have a better word of their own."""


def _option(flag: Flag) -> click.Option:
    """Declare one flag; what is not given stays None, so that its default is decided in one place."""
    if flag.kind == "switch":
        names = f"{flag.flag}/--no-{flag.flag.removeprefix('--')}"
        return click.Option([names, flag.name], default=None, help=flag.help)
    kind = click.Choice(flag.choices) if flag.kind == "choice" else KINDS[flag.kind]
    shown = ", ".join(map(str, flag.default)) if flag.multiple else flag.default
    told = f"{flag.help}  [default: {shown}]" if shown not in {None, ""} else flag.help
    return click.Option(
        [flag.flag, flag.name],
        type=kind,
        multiple=flag.multiple,
        required=flag.required,
        help=told,
        metavar=UNITS.get(flag.flag) or METAVARS.get(flag.kind),
    )


def _run(**given: Any) -> int:
    by_name = {flag.name: flag for flag in flags()}
    told = {name: value for name, value in given.items() if value not in {None, ()}}
    try:
        parsed = {name: _parsed(by_name[name], value) for name, value in told.items()}
        options = options_from(parsed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        serve(options)
    except StartRefused as error:
        raise UploaderError(str(error)) from error
    return 0


def _parsed(flag: Flag, value: Any) -> Any:
    if flag.kind in {"path", "key"}:
        return tuple(map(flag.parse, value)) if flag.multiple else flag.parse(value)
    return value


command = click.Command(
    "sandbox",
    params=[_option(flag) for flag in flags()],
    callback=_run,
    help="Run the local platform alone, to develop and test against. It prints what to type next.",
)
