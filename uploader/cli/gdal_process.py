"""The modules of the demo that import GDAL, each run in a process of its own, which ends when the demo does.

That process begins here, too: `python -m uploader.cli.gdal_process PARENT MODULE ARGUMENT...`.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING, Any

import uploader
from uploader.core.errors import UploaderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SECONDS = 300.0
"""What making or comparing the samples may take on a slow machine."""

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stops_call(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM call it; afterwards they do what they did."""
    before = {number: signal.signal(number, handler) for number in STOPS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def run(module: str, *arguments: str, stdin: str = "") -> Any:
    """Run a module of this package, and read the JSON that it prints. Raises UploaderError, KeyboardInterrupt.

    The package need not be installed: the process is told where this one lies.
    """
    home = str(Path(uploader.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "uploader.cli.gdal_process", str(os.getpid()), module, *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    # A stop that interrupted the start itself would leave a process behind that nobody knows: it is kept till after.
    stops: list[int] = []
    with stops_call(lambda number, _: stops.append(number)):
        process = subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)  # noqa: S603 - our own interpreter and module
        try:
            with stops_call(signal.default_int_handler):
                if stops:
                    signal.raise_signal(stops[0])
                printed, errors = process.communicate(stdin, SECONDS)
        except BaseException:
            process.kill()
            process.communicate()  # from now on it writes no more into a folder that is about to be removed
            raise
    if process.returncode:
        last = errors.strip().rpartition("\n")[2]
        raise UploaderError(f"The step {module} of the demo failed: {last}.", "Is there room on the disk?")
    return json.loads(printed)


def _begin(parent: int, module: str, *arguments: str) -> None:
    """Run the module as a program that ends with its parent, also where that is killed."""
    from uploader.convert.isolation.confine import die_with

    die_with(parent)
    sys.argv = [module, *arguments]
    runpy.run_module(f"uploader.cli.{module}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _begin(int(sys.argv[1]), *sys.argv[2:])
