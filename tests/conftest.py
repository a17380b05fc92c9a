"""What every test shares: one event loop kind, and nobody's settings from outside."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest

from uploader.folders import prepare_leases


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
