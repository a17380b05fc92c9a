"""Where the command `uploader` begins: what takes long to come up is started before the rest is loaded."""

from __future__ import annotations

import sys
from typing import NoReturn

from uploader.system.inherited_process import put_in_order

_LEAST = 4
"""Words of a command line that converts something."""


def main() -> NoReturn:
    """Run the command line of this process."""
    put_in_order()
    if sys.argv[1:2] == ["convert"] and len(sys.argv) >= _LEAST:
        from uploader.convert.engine import starting  # noqa: PLC0415 - only for this command

        starting.begin()
    from uploader.cli import main as run  # noqa: PLC0415 - see above

    run()
