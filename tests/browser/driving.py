"""Debian's Chromium, driven by playwright, and pages for it to look at; who has no browser skips."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from tests.support.page import Acted, serving

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextmanager
def browser(profile: Path, **options: Any) -> Iterator[Any]:
    """A browser's context with an empty profile. Skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(profile), executable_path=found, headless=True, args=[*FLAGS], **options
        )
        try:
            yield context
        finally:
            context.close()


@contextmanager
def served(acted: Acted, port: int = 0) -> Iterator[str]:
    """The page of a daemon that is acted, from an event loop of its own; gives its address."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(acted, port)) as taken:
        yield f"http://127.0.0.1:{taken}"


def enter(page: Any, address: str, acted: Acted) -> None:
    """Open the page as `uploader dashboard` does."""
    page.goto(f"{address}/enter#{acted.access.token()}")
    page.wait_for_url(f"{address}/")
