"""The page of a real daemon beside a real sandbox: what a person does on it becomes true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.driving import browser
from tests.support.rasters import make
from tests.support.views import free_port
from tests.support.world import World, world

pytestmark = pytest.mark.e2e


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    """A world whose daemon shows a page and gives a file up at its first failure."""
    settings = {"dashboard": {"listen": f"127.0.0.1:{free_port()}"}, "limits": {"max_attempts": 1}}
    (tmp_path / "world").mkdir()
    with world(tmp_path / "world", settings=settings) as made:
        yield made


def allowed(w: World) -> str:
    """The address that `uploader dashboard` prints."""
    told = w.command("dashboard", "-c", str(w.config), "--json", check=0).stdout
    return str(json.loads(told)["url"])


def test_a_persons_wishes_come_true(w: World, tmp_path: Path) -> None:
    """A rejected file is retried and becomes an item, a hold is tried at once, and a killed daemon's page goes on."""
    with browser(tmp_path / "profile") as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        w.fault({"operation": "store.put", "kind": "status", "status": 400})
        make("plain", w.drop / "first.tif", size=64)
        with w.daemon() as process:
            w.wait((w.state / "control.sock").exists, "the socket")
            page.goto(allowed(w))
            page.get_by_role("button", name="Retry first.tif").wait_for()
            page.evaluate("window.mark = 1")
            w.box.faults.clear()
            page.get_by_role("button", name="Retry first.tif").click()
            page.locator("#items").get_by_role("link", name="first.tif").first.wait_for()

            w.fault({"operation": "uploads.initiate", "kind": "status", "status": 403, "when": {"count": 1}})
            make("plain", w.drop / "second.tif", size=64, seed=2)
            page.get_by_role("button", name="Try now").click()
            page.locator("#items").get_by_role("link", name="second.tif").first.wait_for()
            process.kill()
            process.wait()
            page.get_by_text("The daemon does not answer.").wait_for()
        make("plain", w.drop / "third.tif", size=64, seed=3)
        with w.daemon():
            page.locator("#items").get_by_role("link", name="third.tif").first.wait_for()
            assert page.evaluate("window.mark") == 1
            assert page.get_by_role("button", name="Pause everything").count() == 0
    assert len(w.audit().items) == 3
    assert w.problems() == []
