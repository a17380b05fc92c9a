"""Pages: what many people who look cost, and that nobody is left with what is no longer true."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.support.page import Acted, browsing
from uploader.convert.engine.api import ClusterFacts, WorkerFacts
from uploader.report.dashboard import pages

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def test_what_was_found_is_shown_to_others_who_are_told_that_more_has_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look for all who ask at once; a page that is behind says so, and its script asks again."""
    monkeypatch.setattr(pages, "FRESH", 3600.0)
    monkeypatch.setattr(pages, "STALE", 3600.0)
    acted, looks = Acted(tmp_path), []

    async def status() -> dict[str, Any]:
        looks.append(1)
        return await acted.status()

    async with browsing(acted, status=status) as client:
        first, again = await client.get("/"), await client.get("/")
        acted.add("new.tif", "queued")
        behind = await client.get("/")
        monkeypatch.setattr(pages, "FRESH", 0.0)
    assert len(looks) == 1
    assert ("data-behind" in first.text, "data-behind" in again.text, "data-behind" in behind.text) == (
        False,
        False,
        True,
    )


async def test_each_worker_of_a_cluster_stands_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it converts, what it has done, and how often it was lost; without a cluster nothing is said of one."""
    for name in ("FRESH", "SHARE"):
        monkeypatch.setattr(pages, name, 0.0)
    acted = Acted(tmp_path)
    worker = WorkerFacts("tls://a:1", 1, ("x.tif", "<b>.tif"), done=1234, lost=2, avoided=True)
    async with browsing(acted) as client:
        plain = await client.get("/")
        acted.cluster = asdict(ClusterFacts("tls://c:1", 1, 1, 2, 9, 1, 2, (worker,)))
        shown = (await client.get("/")).text
    assert "Cluster" not in plain.text
    assert "cluster tls://c:1: 1 worker" in shown
    assert "x.tif, &lt;b&gt;.tif" in shown
    assert "1,234" in shown
    assert "not fit" in shown


async def test_a_search_goes_on_until_it_has_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over some pages that have nothing; where that is not enough it leads on."""
    monkeypatch.setattr("uploader.journal.searching.LOOKED_AT", 3)
    monkeypatch.setattr(pages, "ROUNDS", 3)
    acted = Acted(tmp_path)
    for number in range(20):
        acted.add(f"tile_{number:02d}.tif", "queued")
    async with browsing(acted) as client:
        near, far = await client.get("/files?search=tile_07"), await client.get("/files?search=tile_17")
        further = await client.get(
            far.text.partition('id="further" href="')[2].partition('"')[0].replace("&amp;", "&")
        )
    assert "tile_07.tif</a>" in near.text
    assert "No file was found so far." in far.text
    assert "tile_17.tif</a>" in further.text
