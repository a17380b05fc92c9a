"""The signals that a daemon obeys: the first that asks for the end, the second, and SIGHUP for a new configuration."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

from uploader.system.inherited_process import ignore_hangup, ignores_hangup

log = logging.getLogger(__name__)

STOPS = (signal.SIGTERM, signal.SIGINT)
"""Signals that ask for the end: the first one lets what is being sent finish."""

Listener = Callable[[Callable[[], None], Callable[[], None], Callable[[], None]], Coroutine[Any, Any, None]]
"""Who passes requests on, as `obey` does."""


async def obey(stop: Callable[[], None], cut: Callable[[], None], reload: Callable[[], None]) -> None:
    """Until cancelled, call `stop` when a signal asks for the end, `cut` at each after it, `reload` at SIGHUP."""
    hangup, stopping = ignores_hangup(), False
    try:
        with anyio.open_signal_receiver(*STOPS, *((signal.SIGHUP,) if hangup else ())) as signals:
            async for number in signals:
                name = signal.Signals(number).name
                if number == signal.SIGHUP:
                    log.info("%s: reading the configuration again", name)
                    reload()
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
