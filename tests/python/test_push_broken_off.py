"""A push that is killed, interrupted, cancelled or ended by its own callback goes on when it is asked for again."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

import uploader

pytestmark = pytest.mark.e2e

FILES = 6


@pytest.fixture(autouse=True)
def _nothing_is_left_running():
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("uploader")]


def test_a_killed_program_goes_on(place):
    """SIGKILL once anything is stored; the second makes each raster exactly one item."""
    place.draw(FILES, size=300)
    process = place.start("uploader.push(paths, **target)")
    place.until_stored()
    process.kill()
    process.communicate()
    place.require_one_item_each(uploader.push(place.rasters, **place.target), FILES)


def test_an_interrupted_program_goes_on(place):
    """Ctrl-C is a KeyboardInterrupt as ever, after what was under way has ended."""
    place.draw(FILES, size=300)
    process = place.start("uploader.push(paths, **target)")
    place.until_stored()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    place.require_one_item_each(uploader.push(place.rasters, **place.target), FILES)


def test_a_cancelled_push_goes_on(place):
    """Cancelled as asyncio does it; nothing runs on, and the repeat makes each raster one item."""
    place.draw(FILES, size=300)

    async def cell() -> uploader.PushResult:
        running = asyncio.create_task(uploader.push_async(place.rasters, **place.target))
        await asyncio.to_thread(place.until_stored)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not [thread for thread in threading.enumerate() if thread.name == "uploader push"]
        return await uploader.push_async(place.rasters, **place.target)

    place.require_one_item_each(asyncio.run(cell()), FILES)


def _awaited(*args: Any, **keys: Any) -> uploader.PushResult:
    return asyncio.run(uploader.push_async(*args, **keys))


@pytest.mark.parametrize("form", [uploader.push, _awaited])
def test_what_a_callback_raises_ends_the_push_and_is_raised(place, form):
    """The journal takes no harm: the repeat makes each raster one item."""
    place.draw(FILES, size=300)

    def told(progress: uploader.Progress) -> None:
        if progress.files_total:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        form(place.rasters, **place.target, on_progress=told)
    place.require_one_item_each(uploader.push(place.rasters, **place.target), FILES)
