"""The signals that a daemon obeys: the first that asks for the end, the second, and SIGHUP, which is no end."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

import anyio

from uploader.system.inherited_process import ignore_hangup, ignores_hangup

log = logging.getLogger(__name__)

STOPS = (signal.SIGTERM, signal.SIGINT)
"""Signals that ask for the end: the first one lets what is being sent finish."""


async def obey(stop: Callable[[], None], cut: Callable[[], None]) -> None:
    """Call `stop` at the first signal that asks for the end, and `cut` at each after it; until cancelled."""
    hangup, stopping = ignores_hangup(), False
    try:
        with anyio.open_signal_receiver(*STOPS, *((signal.SIGHUP,) if hangup else ())) as signals:
            async for number in signals:
                name = signal.Signals(number).name
                if number == signal.SIGHUP:
                    log.warning(
                        "%s is ignored: the configuration is read at the start, so restart for a new one",
                        name,
                    )
                elif stopping:
                    log.warning("second %s: ending at once", name)
                    cut()
                else:
                    log.info("%s: finishing what is being sent", name)
                    stopping = True
                    stop()
    finally:
        if hangup:  # the receiver leaves the default behind, which would end the last commits
            ignore_hangup()
