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

from uploader.cli.common import (
    OUTCOMES,
    config_option,
    console,
    declared_options,
    emit,
    json_option,
    say,
    set_up_logs,
    settings,
)
from uploader.core.errors import ConfigurationError, UploaderError
from uploader.core.path_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from uploader.config import Settings


DONE = frozenset({"completed", "disposed"})
"""States of files that are items."""


def _not_empty(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse an empty id, as an unset variable of a script makes it."""
    if not value.strip():
        raise click.BadParameter("it is empty.")
    return value


@click.command("push")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH..."
)
@click.option(
    "--project", required=True, metavar="ID", callback=_not_empty, help="The project that the items go to."
)
@click.option("--collection", default="", metavar="ID", help="A collection of that project.")
@declared_options
@config_option
@json_option
def command(
    *,
    paths: tuple[Path, ...],
    project: str,
    collection: str,
    crs: str,
    nodata: str,
    on_missing_crs: str,
    config: str | None,
    as_json: bool,
) -> int:
    """Upload these rasters now and show the items. Folders are taken with everything below them.

    The key comes from $GEOPERA_API_KEY, or from where the configuration says; the address from the configuration,
    else $GEOPERA_BASE_URL. Say the same again after an interruption: it goes on where it was, and what is an item
    already stays one.
    """
    set_up_logs(level=logging.WARNING, told=OUTCOMES)
    from uploader.platform.geopera import read_key

    started, screen = time.monotonic(), console(as_json=as_json)
    declared = {"crs": crs, "nodata": nodata, "on_missing_crs": on_missing_crs}
    chosen = _settings(paths, project, collection, _base(config), **declared)
    read_key(str(chosen.platform.api_key_file or ""), os.environ)
    with _alone(chosen.state_dir, screen):
        import anyio

        from uploader.cli.push_folders import with_earlier
        from uploader.cli.run_to_end import run_until_idle

        folders = anyio.run(with_earlier, chosen.state_dir, chosen.folders, _naming(paths))
        code = run_until_idle(chosen.model_copy(update={"folders": tuple(folders)}), screen)
        result = _result(chosen, paths)
    result["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        emit(result)
    _show(result, screen, as_json=as_json)
    complete = result["files"] == len(result["items"]) and not result["failed"]
    return 0 if complete and code == 0 else code or 1


def _base(config: str | None) -> Settings:
    """Start from the configuration, where there is one: its platform and limits, not its folders."""
    from uploader.config import Settings, find

    try:
        find(config)
    except ConfigurationError:
        base = Settings()
    else:
        base = settings(config, need_folders=False)
    address = os.environ.get("GEOPERA_BASE_URL")
    if not address or "base_url" in base.platform.model_fields_set:
        return base
    platform = {**base.platform.model_dump(), "base_url": address}
    try:
        return Settings.model_validate({**base.model_dump(), "platform": platform})
    except ConfigurationError as error:
        told = str(error).replace("[platform] base_url:", "$GEOPERA_BASE_URL")
        raise ConfigurationError(told) from error


def _settings(
    paths: Sequence[Path], project: str, collection: str, base: Settings, **declared: str
) -> Settings:
    """Describe the paths as drop folders with a state directory that the same target finds again."""
    from uploader.cli.push_folders import folders_of
    from uploader.config import BatchSection, Dashboard, Settings, StagingSection

    target = f"{base.platform.base_url}\0{project}\0{collection}"
    home = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    state = home / "uploader" / "push" / hashlib.sha256(target.encode()).hexdigest()[:16]
    return Settings(
        state_dir=state,
        platform=base.platform,
        folders=tuple(
            folder.model_copy(update=declared) for folder in folders_of(paths, project, collection)
        ),
        staging=StagingSection(max_bytes=base.staging.max_bytes),
        convert=base.convert,
        batch=BatchSection(
            max_files=base.batch.max_files, max_bytes=base.batch.max_bytes, linger_seconds=1.0
        ),
        transfer=base.transfer,
        limits=base.limits,
        dashboard=Dashboard(listen=""),
    )


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
    """Read from the journal what became of the files that this command names, each in its newest version."""
    from uploader.journal import Reader

    named = _naming(paths)
    with Reader(chosen.state_dir) as reader:
        status = reader.status()
        states = {entry["path"]: entry["state"] for entry in reader.files() if named(entry["path"])}
        items = {item["path"]: item for item in reader.items()}
    files = [path for path, state in states.items() if state != "gone"]
    if not files:
        raise UploaderError(
            "There is nothing to upload at these paths.", "Folders are searched for *.tif and *.tiff."
        )
    failed = [entry for entry in status["failed"] if named(entry["path"])]
    return {
        "files": len(files),
        "items": [items[path] for path in files if states[path] in DONE],
        "rejected": len(failed),
        "failed": failed,
        "holds": status["holds"],
        "warnings": [warning for warning in status["warnings"] if named(warning["path"])],
    }


def _naming(paths: Sequence[Path]) -> Callable[[str], bool]:
    """Tell whether a path, as the journal spells it for people, is one of these or below one of them."""
    exact = [
        path.resolve() if path.is_dir() else path.absolute().parent.resolve() / path.name for path in paths
    ]
    wanted = {shown(str(path)) for path in exact}
    return lambda path: path in wanted or any(str(parent) in wanted for parent in Path(path).parents)


def _show(result: dict[str, Any], screen: Console, *, as_json: bool) -> None:
    from uploader.cli.run_to_end import items_table
    from uploader.report.status import failures, hold_text
    from uploader.report.terminal_text import duration, printable

    if result["items"] and not as_json:
        screen.print(items_table(result["items"]))
    if result["failed"]:
        screen.print(failures(result["failed"]))
    for hold in result["holds"]:
        say(screen, f"held: {printable(hold_text(hold))}", style="red")
    done, files = len(result["items"]), result["files"]
    say(
        screen,
        f"{done} of {files} {'file is an item' if files == 1 else 'files are items'}, after "
        f"{duration(result['seconds'])}.",
    )
    if done < files and (result["holds"] or not result["failed"]):
        say(screen, "The same command goes on where this one ended.")
