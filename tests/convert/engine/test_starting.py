"""A zygote that is started before the rest of a program is loaded, and who has it then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support import rasters
from uploader.convert import Converter, Job
from uploader.convert.engine import starting

ROOT = Path(starting.__file__).parents[3]


async def test_the_first_who_needs_one_has_it(tmp_path: Path) -> None:
    """It converts like any other, is used again, and ends with the converter."""
    starting.begin()
    begun = starting._begun[0]
    rasters.make("classes", tmp_path / "in" / "source.tif", size=64)
    job = Job(tmp_path / "in" / "source.tif", tmp_path / "out.tif", memory_limit=1 << 30)
    async with Converter(1) as converter:
        methods = {(await converter.convert(job)).method for _ in range(2)}
        (used,) = converter._idle

    assert used.pid == begun.pid
    assert methods == {"encode"}
    assert begun.poll() is not None
    assert starting.begun() is None


def test_it_ends_with_a_program_that_does_not_need_it() -> None:
    """Who comes to nothing before it converts leaves no process behind."""
    script = "from uploader.convert.engine import starting as s; s.begin(); print(s._begun[0].pid)"
    found = _run(script)

    psutil.wait_procs([psutil.Process(int(found))] if psutil.pid_exists(int(found)) else [], timeout=30)
    assert not psutil.pid_exists(int(found))


def test_convert_starts_it_before_anything_else() -> None:
    """The command line is not even looked at by then; no other command starts one."""
    script = (
        "import sys; from uploader.convert.engine import starting; from uploader import start; "
        "starting.begin = lambda: print('begun', 'click' in sys.modules, 'anyio' in sys.modules); "
        "sys.argv = ['uploader', *{arguments}]; start.main()"
    )

    assert _run(script.format(arguments=["convert", "none.tif", "out.tif"])) == "begun False False"
    assert "begun" not in _run(script.format(arguments=["--version", "convert", "a"]))


def _run(script: str) -> str:
    """What a program says."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=environment
    ).stdout.strip()
