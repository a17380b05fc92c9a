"""`uploader push`: these rasters, now."""

from __future__ import annotations

import logging
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uploader.cli.common import (
    FINISHING,
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

if TYPE_CHECKING:
    from rich.console import Console

    from uploader.config import Settings

GOES_ON = "The same command goes on where this one ended."
WAITING = "Another push to this project is under way; waiting for it to end ..."


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
    """Upload these rasters now and show the items. Folders are taken with everything below them, archives are opened.

    The key comes from $GEOPERA_API_KEY, or from where the configuration says; the address from the configuration,
    else $GEOPERA_BASE_URL. Say the same again after an interruption: it goes on where it was, and what is an item
    already stays one.
    """
    try:
        return _push(
            paths,
            project,
            collection,
            config,
            declared={"crs": crs, "nodata": nodata, "on_missing_crs": on_missing_crs},
            as_json=as_json,
        )
    except KeyboardInterrupt:
        raise UploaderError("Interrupted.", GOES_ON) from None


def _push(
    paths: tuple[Path, ...],
    project: str,
    collection: str,
    config: str | None,
    *,
    declared: dict[str, str],
    as_json: bool,
) -> int:
    set_up_logs(level=logging.WARNING, told=OUTCOMES)
    from uploader.platform.geopera import read_key
    from uploader.python.push_job import alone, naming, outcome, settings_of

    started, screen = time.monotonic(), console(as_json=as_json)
    chosen = settings_of(paths, project, collection, _base(config), declared=declared)
    named = naming(paths)
    read_key(str(chosen.platform.api_key_file or ""), os.environ)
    with alone(chosen.state_dir, partial(say, screen, WAITING)):
        import anyio

        from uploader.cli.run_to_end import run_until_idle
        from uploader.python.push_folders import with_earlier

        folders = anyio.run(with_earlier, chosen.state_dir, chosen.folders, named)
        stopping = partial(say, screen, f"{FINISHING} {GOES_ON}")
        code = run_until_idle(chosen.model_copy(update={"folders": tuple(folders)}), screen, stopping)
        result = outcome(chosen.state_dir, named)
    result["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        emit(result)
    _show(result, screen, as_json=as_json)
    complete = result["files"] == len(result["items"]) and not result["failed"]
    return 0 if complete and code == 0 else code or 1


def _base(config: str | None) -> Settings:
    """Start from the configuration, where there is one: its platform and limits, not its folders."""
    from uploader.config import Settings, find
    from uploader.daemon.live_profile import fitted, load

    try:
        find(config)
    except ConfigurationError:
        base = Settings()
    else:
        base = settings(config, need_folders=False)
        base = fitted(base, load(base).traits)
    address = os.environ.get("GEOPERA_BASE_URL")
    if not address or "base_url" in base.platform.model_fields_set:
        return base
    platform = {**base.platform.model_dump(), "base_url": address}
    try:
        return Settings.model_validate({**base.model_dump(), "platform": platform})
    except ConfigurationError as error:
        told = str(error).replace("[platform] base_url:", "$GEOPERA_BASE_URL")
        raise ConfigurationError(told) from error


def _show(result: dict[str, Any], screen: Console, *, as_json: bool) -> None:
    from uploader.cli.run_to_end import items_table
    from uploader.report.status import failures
    from uploader.report.summary_line import hold_text
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
    if result["holds"] or done + len(result["failed"]) < files:
        say(screen, GOES_ON)
