"""`uploader push`: these rasters, now."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import config_option, console, emit, json_option, say, set_up_logs, settings
from uploader.core.errors import ConfigurationError, UploaderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from uploader.config import Folder, Settings

RASTERS = frozenset({".tif", ".tiff", ".gtiff", ".jp2", ".img", ".vrt", ".png", ".jpg", ".jpeg"})
"""Endings of what is converted; a file with another ending is sent as it is."""
PATTERNS = ("*.tif", "*.tiff")
"""What is taken of a folder."""
GLOB = "[?*"
"""Characters that a pattern gives a meaning to."""


@click.command("push")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH..."
)
@click.option("--project", required=True, metavar="ID", help="The project that the items go to.")
@click.option("--collection", default="", metavar="ID", help="A collection of that project.")
@config_option
@json_option
def command(
    *, paths: tuple[Path, ...], project: str, collection: str, config: str | None, as_json: bool
) -> int:
    """Upload these rasters now and show the items. Folders are taken with everything below them.

    The key comes from $GEOPERA_API_KEY, or from where the configuration says; the address from the configuration,
    else $GEOPERA_BASE_URL. Say the same again after an interruption: it goes on where it was, and what is an item
    already stays one.
    """
    set_up_logs(level=logging.WARNING)
    started, screen = time.monotonic(), console(as_json=as_json)
    chosen = _settings(paths, project, collection, _base(config))
    with _alone(chosen.state_dir, screen):
        from uploader.cli.working import run_until_idle

        code = run_until_idle(chosen, screen)
        result = _result(chosen, paths)
    result["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        emit(result)
    _show(result, screen, as_json=as_json)
    complete = result["files"] == len(result["items"]) and not result["failed"]
    return 0 if complete and code == 0 else code or 1


def _base(config: str | None) -> Settings:
    """Start from the configuration, where there is one: its platform and limits, not its folders."""
    from uploader.config import Platform, Settings, find

    try:
        find(config)
    except ConfigurationError:
        address = os.environ.get("GEOPERA_BASE_URL")
        return Settings(platform=Platform(base_url=address) if address else Platform())
    return settings(config, need_folders=False)


def _settings(paths: Sequence[Path], project: str, collection: str, base: Settings) -> Settings:
    """Describe the paths as drop folders with a state directory that the same target finds again."""
    from uploader.config import Batch, Dashboard, Settings, Staging

    target = f"{base.platform.base_url}\0{project}\0{collection}"
    home = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    state = home / "uploader" / "push" / hashlib.sha256(target.encode()).hexdigest()[:16]
    return Settings(
        state_dir=state,
        platform=base.platform,
        folders=tuple(folders_of(paths, project, collection)),
        staging=Staging(max_bytes=base.staging.max_bytes),
        convert=base.convert,
        batch=Batch(max_files=base.batch.max_files, max_bytes=base.batch.max_bytes, linger_seconds=1.0),
        transfer=base.transfer,
        limits=base.limits,
        dashboard=Dashboard(listen=""),
    )


def folders_of(paths: Sequence[Path], project: str, collection: str) -> Iterator[Folder]:
    """Yield what the daemon is to watch: a named folder with all below it, of other folders the named files only."""
    from uploader.config import Folder

    whole = [path.resolve() for path in paths if path.is_dir()]
    outermost = {folder for folder in whole if not any(parent in whole for parent in folder.parents)}
    files: dict[Path, list[Path]] = {}
    for path in paths:
        if not path.is_dir() and not outermost & set(path.resolve().parents):
            files.setdefault(path.absolute().parent.resolve(), []).append(path)
    common: dict[str, Any] = {
        "project_id": project,
        "collection_id": collection,
        "settle_seconds": 1.0,
        "rescan_seconds": 60.0,
    }
    for folder in sorted(outermost):
        yield Folder(path=folder, include=PATTERNS, **common)
    for folder, named in sorted(files.items()):
        yield Folder(
            path=folder,
            recursive=False,
            include=tuple(_exactly(p.name) for p in named if p.suffix.lower() in RASTERS),
            passthrough=tuple(_exactly(p.name) for p in named if p.suffix.lower() not in RASTERS),
            **common,
        )


def _exactly(name: str) -> str:
    """Write a pattern that means this very name; bytes that are not UTF-8 can only be said as "any character"."""
    return "".join(f"[{c}]" if c in GLOB else "?" if "\udc80" <= c <= "\udcff" else c for c in name)


@contextmanager
def _alone(state_dir: Path, screen: Console) -> Iterator[None]:
    """Wait until no other push to the same target runs."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state_dir / "push.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(screen, "Another push to this project is under way; waiting for it to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _result(chosen: Settings, paths: Sequence[Path]) -> dict[str, Any]:
    """Read from the journal what became of the files that this command names."""
    from uploader.journal import Reader

    wanted = [
        path.resolve() if path.is_dir() else path.absolute().parent.resolve() / path.name for path in paths
    ]

    def named(entry: dict[str, Any]) -> bool:
        path = Path(entry["path"])
        return path in wanted or any(parent in wanted for parent in path.parents)

    with Reader(chosen.state_dir) as reader:
        status = reader.status()
        items = [item for item in reader.items() if named(item)]
        files = {entry["path"] for entry in reader.files() if named(entry) and entry["state"] != "gone"}
    if not files:
        raise UploaderError(
            "There is nothing to upload at these paths.", "Folders are searched for *.tif and *.tiff."
        )
    failed = [entry for entry in status["failed"] if named(entry)]
    return {
        "files": len(files),
        "items": items,
        "rejected": len(failed),
        "failed": failed,
        "holds": status["holds"],
        "warnings": [warning for warning in status["warnings"] if named(warning)],
    }


def _show(result: dict[str, Any], screen: Console, *, as_json: bool) -> None:
    from uploader.cli.working import items_table
    from uploader.report.status import failures
    from uploader.report.text import duration, printable

    if result["items"] and not as_json:
        screen.print(items_table(result["items"]))
    if result["failed"]:
        screen.print(failures(result["failed"]))
    for hold in result["holds"]:
        say(screen, f"held: {printable(hold['reason'])}", style="red")
    say(
        screen,
        f"{len(result['items'])} of {result['files']} files are items, after {duration(result['seconds'])}.",
    )
