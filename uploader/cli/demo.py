"""`uploader demo`: the whole program at work against the local platform, on rasters made on the spot."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import console, emit, json_option, say, set_up_logs
from uploader.core.errors import UploaderError

if TYPE_CHECKING:
    from rich.console import Console

    from uploader.config import Settings
    from uploader.sandbox import Sandbox

CHILD_TIMEOUT = 300.0
"""Seconds that making or comparing the samples may take on a slow machine."""


@click.command("demo")
@json_option
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep everything in this folder.",
)
def command(*, as_json: bool, keep: Path | None) -> int:
    """Show it all at work on this machine: needs no account, no network, no argument.

    Starts a local platform, drops rasters of several kinds into a folder, runs the daemon on it, and compares every
    stored object with its source pixel by pixel. 0 when all became items and all pixels are equal.
    """
    set_up_logs(level=logging.WARNING)
    with ExitStack() as stack:
        root = (
            _folder(keep)
            if keep
            else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="uploader-")))
        )
        result = _perform(root, console(as_json=as_json))
        if keep:
            result["kept"] = str(root)
    if as_json:
        emit(result)
    return 0 if result["ok"] else 1


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where the demo happens."""

    root: Path

    @property
    def drop(self) -> Path:
        return self.root / "drop"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def platform(self) -> Path:
        return self.root / "platform"


def _folder(keep: Path) -> Path:
    if keep.exists() and any(keep.iterdir()):
        raise UploaderError(
            f"{keep} is not empty.", "Name a folder that does not exist yet, or an empty one."
        )
    keep.mkdir(parents=True, exist_ok=True)
    return keep.absolute()


def _perform(root: Path, screen: Console) -> dict[str, Any]:
    from uploader.cli.working import items_table, run_until_idle
    from uploader.journal import Reader
    from uploader.sandbox import Options, Sandbox

    stage, started = _Stage(root), time.monotonic()
    say(screen, "Making sample rasters ...")
    kinds = {str(stage.drop / s["path"]): s["kind"] for s in _child("samples", str(stage.drop))}
    with Sandbox(Options(root=stage.platform)) as box:
        say(screen, f"A local platform listens on {box.base_url}; {len(kinds)} rasters lie in {stage.drop}.")
        run_until_idle(_settings(stage, box), screen)
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


def _settings(stage: _Stage, box: Sandbox) -> Settings:
    from uploader import config

    key_file = stage.root / "api-key"
    key_file.touch(mode=0o600)
    key_file.write_text(box.api_key)
    return config.Settings(
        state_dir=stage.state,
        platform=config.Platform(base_url=box.base_url, api_key_file=key_file),
        folders=(config.Folder(path=stage.drop, project_id=box.project_id, settle_seconds=1.0),),
        batch=config.Batch(linger_seconds=1.0),
        limits=config.LimitsSection(min_free_bytes=64 << 20),
        dashboard=config.Dashboard(listen=""),
    )


def _stored(box: Sandbox) -> dict[str, Path]:
    """Look up by item where the platform keeps the bytes of its asset."""
    query = "SELECT item_id, blob FROM asset JOIN object ON object.path = asset.object_path"
    with box.world.database.read() as tx:
        return {row["item_id"]: box.world.objects / row["blob"] for row in tx.execute(query)}


def _compare(items: list[dict[str, Any]], stored: dict[str, Path]) -> list[dict[str, str]]:
    """Compare each stored object with its source; what differs, by path."""
    missing = [item["path"] for item in items if item["id"] not in stored]
    pairs = [(item["path"], str(stored[item["id"]])) for item in items if item["id"] in stored]
    found = zip(pairs, _child("compare", stdin=json.dumps(pairs)), strict=True)
    return [
        *({"path": path, "difference": "the stored object was not found"} for path in missing),
        *({"path": pair[0], "difference": difference} for pair, difference in found if difference),
    ]


def _child(name: str, *arguments: str, stdin: str = "") -> Any:
    """Run one of our modules that import GDAL in a process of its own, and read the JSON it prints."""
    from uploader.cli.working import child

    command, environment = child(f"uploader.cli.{name}")
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [*command, *arguments],
        input=stdin,
        env=environment,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise UploaderError(f"The step {name} of the demo failed: {last}.", "Is there room on the disk?")
    return json.loads(done.stdout)


def _conclude(
    screen: Console,
    status: dict[str, Any],
    unequal: list[dict[str, str]],
    files: int,
    seconds: float,
) -> None:
    from rich.text import Text

    from uploader.report.status import render
    from uploader.report.text import duration

    completed = status["completed"]
    if completed < files:
        for part in render(status):
            screen.print(part)
    for one in unequal:
        screen.print(Text(f"{one['path']}: {one['difference']}", style="red"))
    say(
        screen,
        f"{completed} of {files} rasters became items in {duration(seconds)}; "
        f"{completed - len(unequal)} of the stored objects equal their sources in every pixel.",
    )
