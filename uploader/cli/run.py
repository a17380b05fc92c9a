"""`uploader run`: the daemon."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import click

from uploader.cli.common import config_option, set_up_logs, settings

if TYPE_CHECKING:
    from uploader.config import Settings

log = logging.getLogger(__name__)


@click.command("run")
@config_option
@click.option(
    "--until-idle",
    is_flag=True,
    help="End when nothing goes on by itself any more: 0 all completed, 1 something rejected, held or not whole yet.",
)
@click.option(
    "--new-journal",
    is_flag=True,
    help="Take the drop folders over from another or a lost journal: all that lies in them is new, and uploaded.",
)
def command(*, config: str | None, until_idle: bool, new_journal: bool) -> int:
    """Run the daemon that the configuration describes.

    SIGTERM and Ctrl-C let running transfers finish for `drain_seconds`, then stop; nothing is lost by either,
    nor by kill -9. At SIGHUP the configuration is read again.
    """
    from uploader.system.inherited_process import ignore_hangup, raise_descriptors

    ignore_hangup()
    raise_descriptors()
    from uploader.system import process_memory

    with process_memory.loading():
        import anyio

        from uploader.daemon import loop
        from uploader.daemon.hard_exit import HardExit
        from uploader.report import logs

    set_up_logs()
    chosen = settings(config)
    logs.choose(chosen.log.format)
    _greet(chosen)

    process_memory.keep_flat()
    process_memory.keep_private()
    with HardExit() as hard_exit:

        async def go() -> int:
            return await loop.run(
                chosen,
                until_idle=until_idle,
                new_journal=new_journal,
                hard_exit=hard_exit,
                read_again=lambda: settings(config),
            )

        code = anyio.run(go)
        _leave(chosen)
    return code


def _greet(chosen: Settings) -> None:
    """Say what begins, and at once what would keep the first upload waiting."""
    from uploader import __version__
    from uploader.core.errors import CredentialRefused
    from uploader.platform.geopera import read_key

    page = f" dashboard=http://{chosen.dashboard.listen}/" if chosen.dashboard.listen else ""
    log.info(
        "uploader %s state_dir=%s platform=%s%s",
        __version__,
        chosen.state_dir,
        chosen.platform.base_url,
        page,
    )
    for folder in chosen.folders:
        log.info(
            "drop folder=%s project=%s after_upload=%s", folder.path, folder.project_id, folder.after_upload
        )
    try:
        read_key(str(chosen.platform.api_key_file or ""), os.environ)
    except CredentialRefused as error:
        log.warning("nothing can be uploaded yet: %s", error)


def _leave(chosen: Settings) -> None:
    """Say how it stands at the end."""
    from uploader.journal import Reader
    from uploader.report.summary_line import summary

    with Reader(chosen.state_dir) as reader:
        log.info("stopped: %s", summary(reader.status()))
