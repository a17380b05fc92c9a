"""`uploader demo`: the whole program at work against the local platform, on rasters made on the spot."""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli import gdal_process
from uploader.cli.common import FINISHING, OUTCOMES, console, emit, json_option, say, set_up_logs
from uploader.cli.demo_folder import DemoFolder, passing, settings, taken
from uploader.cli.extra import require_sandbox
from uploader.cli.gdal_process import stops_call
from uploader.core.errors import UploaderError

if TYPE_CHECKING:
    from rich.console import Console

    from uploader.config import Settings
    from uploader.sandbox import Sandbox


@click.command("demo")
@json_option
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep everything in this folder, also to go on there after an interruption.",
)
def command(*, as_json: bool, keep: Path | None) -> int:
    """Show it all at work on this machine: needs no account, no network, no argument.

    Starts a local platform, drops rasters of several kinds into a folder, runs the daemon on it, and compares every
    stored object with its source pixel by pixel. 0 when all became items and all pixels are equal.

    Kill it in the middle: with --keep and the same folder it goes on where it was.
    """
    require_sandbox()
    set_up_logs(level=logging.WARNING, told=OUTCOMES)
    with ExitStack() as stack:
        stack.enter_context(stops_call(signal.default_int_handler))
        root = taken(keep) if keep else stack.enter_context(passing())
        screen = console(as_json=as_json)
        try:
            result = _perform(root, screen)
        except KeyboardInterrupt:
            raise UploaderError("Interrupted.", _another(keep)) from None
        if keep:
            result["kept"] = str(root)
            _point(screen, DemoFolder(root))
    if as_json:
        emit(result)
    return 0 if result["ok"] else 1


def _samples(stage: DemoFolder, screen: Console) -> dict[str, str]:
    """Drop the rasters, or see that an earlier demo has done so; what each is by its path."""
    if stage.samples.is_file():
        say(screen, f"Going on with what lies in {stage.root} ...")
        made = json.loads(stage.samples.read_text())
    else:
        say(screen, "Making sample rasters ...")
        made = _made(stage)
        fresh = stage.samples.with_suffix(".new")
        fresh.write_text(json.dumps(made))
        fresh.replace(stage.samples)
    return {str(stage.drop / sample["path"]): sample["kind"] for sample in made}


def _made(stage: DemoFolder) -> Any:
    """Make the rasters beside the drop folder, which appears whole.

    What a demo that was killed meanwhile had made so far stays in a folder of its own, which the next one removes.
    """
    for unfinished in (stage.drop, *stage.root.glob("making-*")):
        shutil.rmtree(unfinished, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="making-", dir=stage.root))
    made = gdal_process.run("samples", str(fresh))
    fresh.chmod(0o755)
    fresh.rename(stage.drop)
    return made


def _perform(root: Path, screen: Console) -> dict[str, Any]:
    from uploader.cli.run_to_end import items_table
    from uploader.journal import Reader
    from uploader.sandbox import Options, Sandbox

    stage, started = DemoFolder(root), time.monotonic()
    kinds = _samples(stage, screen)
    with Sandbox(Options(root=stage.platform)) as box:
        say(screen, f"A local platform listens on {box.base_url}; {len(kinds)} rasters lie in {stage.drop}.")
        _upload(settings(stage, box.base_url, box.project_id, box.api_key), screen)
        with Reader(stage.state) as reader:
            items, status = reader.items(), reader.status()
        screen.print(items_table(items, stage.drop, kinds))
        unequal = _compare(items, _stored(box))
    seconds = time.monotonic() - started
    ok = len(items) == len(kinds) and not unequal
    _conclude(screen, status, unequal, len(kinds), seconds)
    return {
        "ok": ok,
        "files": len(kinds),
        "items": items,
        "rejected": status["rejected"],
        "failed": status["failed"],
        "unequal": unequal,
        "seconds": round(seconds, 3),
    }


def _upload(chosen: Settings, screen: Console) -> None:
    """Run the daemon until all is done. Raises KeyboardInterrupt where a signal asked for an end before that."""
    from uploader.cli.run_to_end import run_until_idle

    told: list[str] = []

    def stopping() -> None:
        told.append(FINISHING)
        say(screen, FINISHING)

    with stops_call(signal.default_int_handler):  # the daemon leaves the signals' defaults behind
        run_until_idle(chosen, screen, stopping)
    if told:
        raise KeyboardInterrupt


def _stored(box: Sandbox) -> dict[str, Path]:
    """Look up by item where the platform keeps the bytes of its asset."""
    query = "SELECT item_id, blob FROM asset JOIN object ON object.path = asset.object_path"
    with box.world.database.read() as tx:
        return {row["item_id"]: box.world.objects / row["blob"] for row in tx.execute(query)}


def _compare(items: list[dict[str, Any]], stored: dict[str, Path]) -> list[dict[str, str]]:
    """Compare each stored object with its source; what differs, by path."""
    missing = [item["path"] for item in items if item["id"] not in stored]
    pairs = [(item["path"], str(stored[item["id"]])) for item in items if item["id"] in stored]
    found = zip(pairs, gdal_process.run("compare", stdin=json.dumps(pairs)), strict=True)
    return [
        *({"path": path, "difference": "the stored object was not found"} for path in missing),
        *({"path": pair[0], "difference": difference} for pair, difference in found if difference),
    ]


def _conclude(
    screen: Console,
    status: dict[str, Any],
    unequal: list[dict[str, str]],
    files: int,
    seconds: float,
) -> None:
    from rich.text import Text

    from uploader.report.status import render
    from uploader.report.terminal_text import duration

    completed = status["completed"]
    if completed < files:
        for part in render(status):
            screen.print(part)
    for one in unequal:
        screen.print(Text(f"{one['path']}: {one['difference']}", style="red"))
    say(screen, f"{completed} of {files} rasters became items in {duration(seconds)}.")
    if completed:
        number = f"{completed - len(unequal)} of {completed}" if unequal else f"All {completed}"
        say(screen, f"{number} stored objects equal their sources in every pixel.")


def _point(screen: Console, stage: DemoFolder) -> None:
    """Say what a person can look at in what was kept."""
    program, config = _program(), shlex.quote(str(stage.config))
    raster = shlex.quote(min(path.name for path in stage.drop.glob("*.tif")))
    say(screen, f"Kept in {stage.root}. To look around:")
    say(screen, f"  {program} status -c {config}")
    say(screen, f"  {program} log -c {config} {raster}")
    say(screen, f"  {program} sandbox --root {shlex.quote(str(stage.platform))}")


def _another(keep: Path | None) -> str:
    """Say what the next demo would do after an interruption."""
    if keep:
        return f"`{_program()} demo --keep {shlex.quote(str(keep))}` goes on where this one ended."
    return "Nothing of it was kept; with --keep DIR, the same command goes on where it ended."


def _program() -> str:
    """How this very program is called from where the person is: it need not be on the search path."""
    called = Path(sys.argv[0])
    on_path = shutil.which("uploader")
    known = called.name == "uploader" and not (on_path and Path(on_path).samefile(called))
    return shlex.quote(str(called)) if known else "uploader"
