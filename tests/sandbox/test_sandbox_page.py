"""Items on a map: the page, and what a browser makes of it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.gallery import KINDS, RGB, decoded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gallery import Gallery


pytestmark = pytest.mark.unit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAPER = (0xEE, 0xF1, 0xF4)
"""What the map is where nothing lies on it."""
WIDTH, HEIGHT, TOLD = 1200, 800, 400
"""Pixels of the window, and of the column of text at its left."""


def photographed(url: str, folder: Path) -> np.ndarray:
    """The page as a browser shows it once all its tiles are there, of shape (3, HEIGHT, WIDTH)."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    picture = folder / "page.png"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    flags += [
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={WIDTH},{HEIGHT}",
        "--virtual-time-budget=20000",
    ]
    try:
        done = subprocess.run(
            [browser, *flags, f"--screenshot={picture}", url],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the browser took longer than two minutes on this machine")
    if not picture.exists():
        pytest.skip(f"the browser does not work here: {done.stderr[-300:]}")
    return decoded(picture.read_bytes())[:3]


def test_a_browser_shows_the_raster_on_the_map(gallery: Gallery, tmp_path: Path) -> None:
    """In the middle of the map is the middle of the turned raster, many colours around it, and bare paper outside."""
    page = photographed(
        f"{gallery.wire.box.base_url}/sandbox/items/{gallery.items['turned']['id']}", tmp_path
    )
    x, y = (WIDTH + TOLD) // 2, HEIGHT // 2
    middle = page[:, y - 80 : y + 80, x - 80 : x + 80].reshape(3, -1)
    away = np.abs(page[:, y, x].astype(int) - RGB[:, RGB.shape[1] // 2, RGB.shape[2] // 2])

    assert away.max() <= 20
    assert len(np.unique(middle, axis=1).T) > 500
    assert tuple(page[:, HEIGHT - 5, WIDTH - 5]) == PAPER


def test_the_page_shows_the_map_with_nothing_from_outside(gallery: Gallery) -> None:
    """The page, its library, its tiles and its thumbnail all come from the sandbox's own origin."""
    wire, item = gallery.wire, gallery.items["rgb"]
    base = f"{wire.box.base_url}/sandbox"
    page = wire.bare.get(f"{base}/items/{item['id']}")
    tile = "/".join(str(number) for number in gallery.tile_at("rgb").values())
    overview = wire.bare.get(f"{base}/items").text

    assert "rgb.tif" in page.text
    assert gallery.uploads["rgb"] in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert b"Leaflet" in wire.bare.get(f"{base}/leaflet/leaflet.js").content
    assert wire.bare.get(f"{base}/leaflet/secret").status_code == 404
    assert decoded(wire.bare.get(f"{base}/items/{item['id']}/tiles/{tile}").content).shape == (4, 256, 256)
    assert wire.bare.get(f"{base}/items/{item['id']}/tiles/14/0/0").status_code == 200
    assert decoded(wire.bare.get(f"{base}/items/{item['id']}/thumbnail").content).shape[0] == 4
    assert all(name in overview for name in KINDS)
    assert wire.bare.get(f"{base}/items/it_none").status_code == 404
