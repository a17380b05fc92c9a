"""`python -m uploader.sandbox --root DIR …`: the local platform without the rest of the program."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from uploader.sandbox.errors import StartRefused
from uploader.sandbox.options import Flag, flags, options_from
from uploader.sandbox.server import serve

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the flags and serve until interrupted; exit 2 for wrong usage, 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m uploader.sandbox", description=serve.__doc__)
    for flag in flags():
        _declare(parser, flag)
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    try:
        options = options_from(given)
    except ValueError as error:
        parser.error(str(error))
    try:
        serve(options)
    except StartRefused as error:
        print(error, file=sys.stderr)  # noqa: T201  a command's own output
        return 1
    return 0


def _declare(parser: argparse.ArgumentParser, flag: Flag) -> None:
    text = flag.help.replace("%", "%%")
    if flag.kind == "switch":
        parser.add_argument(flag.flag, dest=flag.name, action=argparse.BooleanOptionalAction, help=text)
        return
    parser.add_argument(
        flag.flag,
        dest=flag.name,
        help=text,
        type=flag.parse,
        choices=flag.choices or None,
        action="append" if flag.multiple else "store",
        required=flag.required,
    )


if __name__ == "__main__":
    sys.exit(main())
