"""The page in a browser: it moves by itself, acts, goes on after a restart, and everybody can use it."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.browser import scenes
from tests.browser.driving import browser, enter, served
from tests.support.page import SIGHTING, Acted
from tests.support.views import free_port
from uploader.core.model import Hold, HoldCause, Scope
from uploader.journal import FILE_NAME
from uploader.report.dashboard import Basemap

pytestmark = pytest.mark.unit

MANY = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
    "INSERT INTO files (folder, path, current, state, sighting, size, last_error, discovered_at, changed_at) "
    "SELECT '/srv/many', CAST(printf('d%03d/ortho_%06d.tif', i / 1000, i) AS BLOB), 1, 'gone', ?, 9, '', 1, 1 FROM n"
)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests here."""
    options = {"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce"}
    with browser(tmp_path_factory.mktemp("profile"), **options) as opened:
        opened.set_default_timeout(20_000)
        yield opened


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    """A tab. Nothing may come from elsewhere, and nothing may be said on the console."""
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.said = said
    yield tab
    tab.close()
    lost = (
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
        "ERR_EMPTY_RESPONSE",
        "ERR_CONNECTION_RESET",
    )
    assert [text for text in said if not any(word in text for word in lost)] == []
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:"))] == []


def value(page: Any, name: str) -> int:
    """How far the bar of a file is."""
    return int(page.locator(f'progress[aria-label="{name}"]').get_attribute("value"))


def test_progress_moves_and_nothing_jumps(page: Any, tmp_path: Path) -> None:
    """Without loading anew: scroll, selection, focus and what is typed stay where they are."""
    acted = scenes.busy(tmp_path)
    with served(acted) as address:
        enter(page, address, acted)
        before = value(page, "new_queued_0.tif")
        page.evaluate("window.mark = 1")
        page.locator("#search").fill("ort")
        page.evaluate("window.scrollTo(0, 400)")
        page.evaluate("getSelection().selectAllChildren(document.querySelector('#folders-title'))")
        acted.running[1] = scenes.running("convert", "/srv/drop/survey/2026-11/new_queued_0.tif", 0.9)
        page.locator(f'progress[aria-label="new_queued_0.tif"]:not([value="{before}"])').wait_for()
        after = value(page, "new_queued_0.tif")
        kept = page.evaluate(
            "[window.mark, scrollY, String(getSelection()), document.querySelector('#search').value]"
        )
        finished = acted.add("2026-11/late.tif", folder="/srv/drop/drone", ago=0)
        page.locator(f'#items a[href="/files/{finished}"]').first.wait_for()
    assert after > before
    assert kept == [1, 400, "Folders", "ort"]


def test_buttons_ask_the_daemon(page: Any, tmp_path: Path) -> None:
    """A rejected file is retried and leaves the list, a hold is tried at once; what came of it is told."""
    acted = scenes.failing(tmp_path)
    acted.holds = [
        Hold(Scope.PLATFORM, "", "It is away.", "Wait.", 1.0, 9e9, cause=HoldCause.PLATFORM_UNREACHABLE),
        Hold(Scope.TARGET, "p-1/coast", "Not found.", "Mend it.", 1.0, 9e9, cause=HoldCause.TARGET_REFUSED),
        Hold(Scope.FOLDER, "/srv/drop/drone", "Paused.", "Resume it.", 1.0, cause=HoldCause.PAUSED),
    ]
    acted.answers = {
        "retry": {"retried": 1, "tried": 1},
        "forget": {"forgotten": 0, "refused": [[1, "it lies there"]]},
    }
    with served(acted) as address:
        enter(page, address, acted)
        page.get_by_role("button", name="Retry ortho <final>.tif").click()
        page.get_by_text("1 rejected file will be tried again.").wait_for()
        acted.change("UPDATE files SET state = 'settling' WHERE last_error LIKE '%reference system%'")
        page.get_by_role("button", name="Retry ortho <final>.tif").wait_for(state="detached")
        page.get_by_role("button", name="Try now target p-1/coast").click()
        page.get_by_text("1 thing that waited will be tried now.").wait_for()
        assert page.get_by_role("button", name="Try now").count() == 2
        acted.answers["retry"]["tried"] = 2
        page.get_by_role("button", name="Try all now").click()
        page.get_by_text("2 things that waited will be tried now.").wait_for()
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("button", name="Forget all").click()
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Forget all").click()
        page.get_by_text("0 files forgotten.").wait_for()
    assert acted.asked[:2] == [
        {"command": "retry", "paths": ["/srv/drop/drone/flight 12/ortho <final>.tif"]},
        {"command": "retry", "hold": {"scope": "target", "subject": "p-1/coast"}},
    ]
    assert acted.asked[2] == {"command": "retry", "held": True}
    assert [request["command"] for request in acted.asked[3:]] == ["forget"]


def test_the_open_page_goes_on_after_a_restart(page: Any, tmp_path: Path) -> None:
    """It says that nobody answers, and goes on by itself with the next daemon."""
    acted, port = Acted(tmp_path), free_port()
    with served(acted, port) as address:
        page.goto(address)
        page.evaluate("window.mark = 1")
    page.get_by_text("The daemon does not answer.").wait_for()
    number = acted.add("after.tif", ago=0)
    with served(acted, port):
        page.locator(f'#items a[href="/files/{number}"]').first.wait_for()
        page.locator("#silent").wait_for(state="hidden")
    assert page.evaluate("window.mark") == 1


def test_search_finds_one_of_a_hundred_thousand(page: Any, tmp_path: Path) -> None:
    """By a piece of its name, by keyboard alone, and its story is one step away."""
    acted = Acted(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute(MANY, (SIGHTING,))
        db.commit()
    with served(acted) as address:
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("ORTHO_077123")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="ortho_077123.tif").click()
        page.get_by_role("heading", name="ortho_077123.tif").wait_for()


def test_footprints_lie_where_they_are(page: Any, tmp_path: Path) -> None:
    """On the screen, beside the lines of the graticule, and each leads to its file."""
    acted = scenes.finished(tmp_path)
    with served(acted) as address:
        page.goto(address)
        boxes = page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.map path')].map((path) => "
            "[path.dataset.file, (({x, y, width}) => [x, y, width])(path.getBoundingClientRect())]))"
        )
        page.locator(".map a").first.focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", level=1).wait_for()
        assert "/files/" in page.url
    newest = max(map(int, boxes))
    left, right = boxes[str(newest - 1)], boxes[str(newest)]
    assert right[0] - left[0] == pytest.approx(left[2], rel=0.05)
    assert right[1] == pytest.approx(left[1], abs=1)


class Tiles(BaseHTTPRequestHandler):
    """A server of map tiles on loopback."""

    asked: ClassVar[list[str]] = []
    referrers: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        """One tile is as good as another."""
        self.asked.append(self.path)
        self.referrers.add(self.headers.get("Referer", ""))
        body = scenes.picture()
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def tile_server() -> Iterator[str]:
    """Its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


PLACES = """() => {
  const box = (node) => (({x, y, width, height}) => [x, y, width, height])(node.getBoundingClientRect());
  return {
    tiles: [...document.querySelectorAll(".map image")].map((node) => [node.getAttribute("href"), box(node)]),
    paths: [...document.querySelectorAll(".map path")].map((node) => [node.dataset.file, box(node)]),
  };
}"""


def test_tiles_of_a_basemap_lie_under_the_footprints(page: Any, tmp_path: Path) -> None:
    """They are asked of that server and of no other, and each outline lies where its degrees are on them."""
    acted = scenes.finished(tmp_path)
    with tile_server() as tiles:
        acted.basemap = Basemap(f"{tiles}/{{z}}/{{x}}/{{y}}.png", "© somebody")
        with served(acted) as address:
            page.goto(address)
            page.get_by_text("© somebody").wait_for()
            page.wait_for_load_state("load")
            found = page.evaluate(PLACES)
            shown = {href.removeprefix(tiles) for href, _ in found["tiles"]}
            assert set(Tiles.asked) == shown
            assert Tiles.referrers == {f"{address}/"}
    (href, (left, top, side, _)) = found["tiles"][0]
    zoom, column, row = map(int, re.findall(r"\d+", href.removeprefix(tiles)))
    for number, (x, y, width, height) in found["paths"]:
        (ring,) = acted.previews[int(number)].rings
        columns = [(lon + 180) / 360 * 2**zoom for lon, _ in ring]
        rows = [(1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom for _, lat in ring]
        assert x == pytest.approx(left + (min(columns) - column) * side, abs=1)
        assert y == pytest.approx(top + (min(rows) - row) * side, abs=1)
        assert width == pytest.approx((max(columns) - min(columns)) * side, abs=1)
        assert height == pytest.approx((max(rows) - min(rows)) * side, abs=1)


def test_the_policy_lets_no_other_server_be_asked(page: Any, tmp_path: Path) -> None:
    """A picture of another origin is not loaded, with a basemap or without; without one, no tile is asked for."""
    acted = scenes.finished(tmp_path)
    Tiles.asked.clear()
    with tile_server() as tiles, tile_server() as other:
        for basemap in (None, Basemap(f"{tiles}/{{z}}/{{x}}/{{y}}.png")):
            acted.basemap = basemap
            with served(acted) as address:
                page.goto(address)
                page.wait_for_load_state("load")
                assert (page.locator(".map image").count() > 0) == (basemap is not None)
                page.evaluate(LOAD, f"{other}/1/2/3.png")
            assert ("/1/2/3.png" in Tiles.asked, bool(Tiles.asked)) == (False, basemap is not None)
    told = [text for text in page.said if "Content Security Policy" in text]
    assert len(told) >= 2
    page.said[:] = [text for text in page.said if text not in told]


LOAD = """(address) => new Promise((done) => {
  const picture = new Image();
  picture.onload = picture.onerror = done;
  picture.src = address;
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Any, tmp_path: Path, scheme: str) -> None:
    """axe-core finds nothing serious on any page, in light and dark; nothing is wider than a phone."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    acted = scenes.failing(tmp_path)
    acted.holds = scenes.held(tmp_path / "held").holds
    acted.running = [scenes.running("put", "a.tif", 0.5)]
    page.emulate_media(color_scheme=scheme)
    with served(acted) as address:
        enter(page, address, acted)
        for path in ("/", "/files?search=tile", "/files/1", "/files/61", "/sessions/1", "/enter"):
            page.goto(f"{address}{path}")
            found = axe.Axe().run(page).response["violations"]
            serious = [each for each in found if each["impact"] in {"serious", "critical"}]
            assert [(each["id"], each["nodes"][0]["html"], each["help"]) for each in serious] == []
            page.set_viewport_size({"width": 360, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            page.set_viewport_size({"width": 1200, "height": 800})
