"""`uploader run`: the daemon."""

from __future__ import annotations

import click

from uploader.cli.common import config_option, set_up_logs, settings


@click.command("run")
@config_option
@click.option(
    "--until-idle",
    is_flag=True,
    help="End when nothing is left to do: 0 all completed, 1 something rejected or held.",
)
def command(*, config: str | None, until_idle: bool) -> int:
    """Run the daemon that the configuration describes.

    SIGTERM and Ctrl-C let running transfers finish for `drain_seconds`, then stop; nothing is lost by either,
    nor by kill -9.
    """
    import anyio

    from uploader import daemon

    set_up_logs()
    chosen = settings(config)

    async def go() -> int:
        return await daemon.run(chosen, until_idle=until_idle)

    return anyio.run(go)
