"""Reading calls outside of the daemon's plans: tried again where waiting helps, for about half a minute."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from uploader.core.errors import Refused, UploaderError
from uploader.core.failure_policy import classify
from uploader.core.verdicts import Circumstances, Retry, Step

T = TypeVar("T")

TRIES = 6
"""Times that one call is tried."""

CLOSED = frozenset({403, 404, 410})
"""Refusals that say that something is not ours to read, or is not there: waiting does not help."""


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """One call, and again where waiting helps. Raises UploaderError: the refusal, or the last failure."""
    for tries in range(TRIES):
        try:
            return await call()
        except UploaderError as error:
            if isinstance(error, Refused) and error.status in CLOSED:
                raise
            verdict = classify(Step.READ, error, Circumstances(tries, jitter=random.random()))  # noqa: S311 - jitter
            if not isinstance(verdict, Retry) or tries == TRIES - 1:
                raise
            await anyio.sleep(verdict.after)
    raise AssertionError("the last try returns or raises")
