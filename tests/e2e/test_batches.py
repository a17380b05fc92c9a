"""When a batch closes: it waits for what comes soon, and for nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """A file that somebody appends to, opening it each time, as long as the block runs."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.1):
            with path.open("ab") as file:
                file.write(bytes(1000))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_growing_file_delays_no_finished_one(make_world: Callable[..., World]) -> None:
    """The finished one is uploaded long before `max_wait_seconds`, while the other still grows."""
    w = make_world(settings={"batch": {"linger_seconds": 1.0, "max_wait_seconds": 1000.0}})
    with growing(w.drop / "long.tif"), w.daemon():
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        make("plain", w.root / "short.tif", size=64)
        (w.root / "short.tif").rename(w.drop / "short.tif")
        w.wait(lambda: w.audit().effects("item.made"), "the finished file's item")

    assert w.problems() == []
