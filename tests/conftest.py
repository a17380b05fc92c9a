"""What every test shares: one event loop kind, and nobody's settings from outside."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio, and so do its tests."""
    return "asyncio"


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
