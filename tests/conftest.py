"""What every test shares: one event loop kind, and nobody's settings from outside."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from uploader.folders import prepare_leases

settings.register_profile("untimed", deadline=None)  # a busy machine is no counterexample
settings.load_profile("untimed")


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture
def leases() -> Iterator[None]:
    """The signal of read leases is prepared, as a daemon does it at its start."""
    before = signal.getsignal(signal.SIGIO)
    prepare_leases()
    yield
    signal.signal(signal.SIGIO, before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files come first, dealt out to the workers: what is left at the end is quick, and nobody idles."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    quickness = {path: min(map(_quickness, found)) for path, found in files.items()}
    ordered, workers = sorted(files, key=quickness.__getitem__), _workers()
    items[:] = [item for first in range(workers) for path in ordered[first::workers] for item in files[path]]


def _quickness(item: pytest.Item) -> int:
    kinds = ("storm", "e2e")
    return next((rank for rank, kind in enumerate(kinds) if item.get_closest_marker(kind)), len(kinds))


def _workers() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


@pytest.fixture(autouse=True)
def _no_contained_mistake(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the daemon would survive is a mistake all the same: a test that did not plant it fails."""
    told: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = told.append  # type: ignore[method-assign]
    logger = logging.getLogger("uploader.daemon.containment")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    assert request.node.get_closest_marker("plants") or not told, told[0].getMessage()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, configuration or proxy of the person who runs the tests reaches them."""
    for name in (
        "GEOPERA_API_KEY",
        "GEOPERA_BASE_URL",
        "UPLOADER_CONFIG",
        "CREDENTIALS_DIRECTORY",
        "NOTIFY_SOCKET",
    ):
        monkeypatch.delenv(name, raising=False)
