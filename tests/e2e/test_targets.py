"""Each session carries exactly its folder's target, and what the platform makes of it is learned before it is used."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e

TOGETHER: dict[str, dict[str, Any]] = {"batch": {"linger_seconds": 4.0, "max_wait_seconds": 120.0}}
"""Files of one moment go together, unless a busy machine takes longer than this for a dozen."""


def ask(w: World, operation: str, **body: Any) -> Any:
    """Call an operation of the sandbox as another client would."""
    request = urllib.request.Request(
        f"{w.box.base_url}/v1/op/{operation}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {w.box.api_key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def folders(w: World, **tables: dict[str, Any]) -> None:
    """Give the world these drop folders."""
    w.folders = [{"path": str(w.root / name), "project_id": "p-1", **table} for name, table in tables.items()]
    for folder in w.folders:
        (w.root / folder["path"]).mkdir(exist_ok=True)
    w.write_config()


def test_each_session_carries_its_own_target(make_world: Callable[..., World]) -> None:
    """A collection, a target item with an asset key, a categorical folder, and two projects do not mix."""
    w = make_world(options={"projects": ("p-1", "p-2")}, settings=TOGETHER)
    collection = ask(w, "collections.create", project_id="p-1", name="Harbour")["id"]
    make("dem_nodata", w.drop / "first.tif", size=64, seed=99)
    w.until_idle()
    item = ask(w, "items.list", project_id="p-1")
    item_id = (item["items"] if isinstance(item, dict) else item)[0]["id"]
    folders(
        w,
        inside={"collection_id": collection},
        onto={"item_id": item_id, "asset_key": "ndvi"},
        classes={"categorical": "yes"},
        second={"project_id": "p-2"},
    )
    for number, folder in enumerate(w.folders):
        for copy in range(2):
            make(
                "dem_nodata",
                w.root / folder["path"] / f"{number}-{copy}.tif",
                size=64,
                seed=number * 10 + copy,
            )

    w.until_idle()

    sessions = {
        (s.project_id, s.collection_id, s.item_id, s.asset_key, s.is_categorical, s.file_count)
        for s in w.audit().sessions
        if s.state == "completed"
    }
    assert sessions == {
        ("p-1", None, None, None, False, 1),
        ("p-1", collection, None, None, False, 2),
        ("p-1", None, item_id, "ndvi", False, 1),
        ("p-1", None, None, None, True, 2),
        ("p-2", None, None, None, False, 2),
    }
    assert w.problems() == []


def test_one_item_per_session_is_held_after_two_files(make_world: Callable[..., World]) -> None:
    """A platform that makes one item of a session gets two files in it, not ten; the way out is told and works."""
    patience = {"linger_seconds": 60.0, "max_wait_seconds": 60.0}  # so that no file goes alone
    w = make_world(options={"items_per": "session"}, settings={"batch": patience})
    for number in range(10):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)

    w.until_idle(check=1)

    status = w.status()
    assert status["completed"] == 2
    assert [h["scope"] for h in status["holds"]] == ["target"]
    assert "max_files = 1" in status["holds"][0]["way_out"]
    w.settings["batch"] = {"max_files": 1}
    w.write_config()
    w.until_idle()
    assert w.status()["completed"] == 10
    assert len({item.id for item in w.audit().items}) == 9


def test_the_published_transfer_method_is_learned(make_world: Callable[..., World]) -> None:
    """A platform that takes no `signed_url` is answered once with the published value, which is remembered."""
    w = make_world(options={"transfer_methods": "published"})
    make("dem_nodata", w.drop / "a.tif", size=64, seed=1)
    w.until_idle()
    make("dem_nodata", w.drop / "b.tif", size=64, seed=2)

    w.until_idle()

    assert [c.status for c in w.audit().calls("uploads.initiate")] == [422, 200, 200]
    assert w.status()["possibly_leaked_bytes"] == 0


def test_a_batch_costs_few_calls(make_world: Callable[..., World]) -> None:
    """N files in a known place: N signed URLs, an initiate, a complete, a page of items, a progress report or two."""
    w = make_world(settings=TOGETHER)
    for number in range(2):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)
    w.until_idle()
    before = len(w.audit().calls())
    for number in range(2, 12):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)

    w.until_idle()

    calls = [
        c.operation for c in w.audit().calls()[before:] if c.operation.startswith(("uploads.", "items."))
    ]
    assert calls.count("uploads.signed_url") == 10
    assert calls.count("uploads.initiate") == calls.count("uploads.complete") == 1
    assert calls.count("items.list") == 1
    told = {f"uploads.{name}" for name in ("signed_url", "initiate", "complete", "progress")}
    assert set(calls) <= told | {"items.list"}
    assert all(item["id"] for item in w.items())


def test_the_last_progress_report_is_of_everything(make_world: Callable[..., World]) -> None:
    """Also where files of a session are stored at the same time, and none knew that it was the last; there is no other.

    A short session needs none before.
    """
    w = make_world(settings=TOGETHER)
    for number in range(2):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)
    w.until_idle()

    found = w.audit()
    told = {(event.upload_id, event.bytes_in) for event in found.effects("progress.noted")}
    assert {(session.id, session.total_bytes) for session in found.sessions} == told


def test_a_refused_target_does_not_hold_up_its_neighbour(make_world: Callable[..., World]) -> None:
    """A wrong project is a hold with the way out; the other folder's files become items."""
    w = make_world()
    folders(w, good={}, bad={"project_id": "p-nowhere"})
    make("dem_nodata", w.root / "good" / "a.tif", size=64, seed=1)
    make("dem_nodata", w.root / "bad" / "b.tif", size=64, seed=2)

    w.until_idle(check=1)

    status = w.status()
    assert (status["completed"], status["pending"], status["rejected"]) == (1, 1, 0)
    (hold,) = status["holds"]
    assert (hold["scope"], hold["subject"]) == ("target", "p-nowhere")
    assert "project_id" in hold["way_out"]
    w.folders[1]["project_id"] = "p-1"
    w.write_config()
    w.until_idle()
    assert w.status()["completed"] == 2
