"""The command that starts a zygote, and a zygote that is started before anything else of a program is loaded.

Loading GDAL takes longer than loading the program that wants something converted, and both can be done at once. So this
loads next to nothing itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import uploader
from uploader.convert.isolation import environment

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from uploader.convert.engine.zygote import main; main(sys.argv[1:])"
)
"""What it runs first: it finds our modules where we do, be it an installation or a checkout."""

_begun: list[subprocess.Popen[bytes]] = []


def command() -> list[str]:
    """What starts a zygote that belongs to this process. It reads nobody's settings, and runs no code but ours."""
    return [sys.executable, "-I", "-S", "-c", _START, json.dumps(module_path()), str(os.getpid())]


def module_path() -> list[str]:
    """Where the child finds the same modules as we do: our path without what is relative to some folder."""
    own = str(Path(uploader.__file__).resolve().parent.parent)
    known = [entry for entry in sys.path if Path(entry).is_absolute()]
    return known if own in known else [own, *known]


def begin() -> None:
    """Start a zygote for whoever will want the first. It dies with this thread, if nobody does.

    Where that cannot be done, nothing is: who wants one then is told why.
    """
    pipe = subprocess.PIPE
    try:
        started = subprocess.Popen(  # noqa: S603 - ourselves
            command(),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            bufsize=0,
            env=environment.of_child(),
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        return
    _begun.append(started)


def begun() -> subprocess.Popen[bytes] | None:
    """The zygote that was started at the beginning, for the first who asks."""
    return _begun.pop() if _begun else None
