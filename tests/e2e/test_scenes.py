"""Scenes through a real daemon: one item of several rasters, told as their names say, and never a second one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.test_targets import ask
from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e

SCENES: dict[str, Any] = {
    "rules": [
        {"pattern": r"(?P<scene>S\d)_(?P<date>\d{8})_(?P<asset>mask)\.tif", "categorical": "yes"},
        {"pattern": r"(?P<scene>S\d)_(?P<date>\d{8})_(?P<asset>B\d)\.tif"},
    ],
    "primary": "B1",
    "properties": {"platform": "drone"},
    "collection": "Flights",
    "create_collections": True,
}


def drop(w: World, *names: str) -> None:
    """Rasters that differ."""
    for name in names:
        make("dem_nodata", w.drop / f"S1_20240102_{name}.tif", size=64, seed=sum(name.encode()))


def the_item(w: World) -> dict[str, Any]:
    """The only item that there is, with its assets."""
    (item,) = ask(w, "items.list", project_id="p-1")["items"]
    return {**item, "assets": ask(w, "items.list_assets", item_id=item["id"])["assets"]}


def test_rasters_of_a_scene_are_assets_of_one_item(make_world: Callable[..., World]) -> None:
    """The primary makes it although it is converted last; the mask is of classes; each is told in the receipts."""
    w = make_world(folders=[])
    w.folders = [{"path": str(w.drop), "project_id": "p-1", "scenes": [SCENES]}]
    w.write_config()
    drop(w, "B2", "mask", "B1")
    w.until_idle()

    item = the_item(w)
    assert item["assets"][0]["key"] == "B1"
    assert {asset["key"]: asset["is_categorical"] for asset in item["assets"]} == {
        **dict.fromkeys(("B1", "B2"), False),
        "mask": True,
    }
    assert item["properties"]["platform"] == "drone"
    assert item["properties"]["start_datetime"] == "2024-01-02T00:00:00Z"
    (collection,) = ask(w, "collections.list", project_id="p-1")["collections"]
    assert (collection["name"], collection["id"]) == ("Flights", item["collection_id"])
    told = w.command("items", "-c", str(w.config), "--json", check=0).stdout
    receipts = [json.loads(line) for line in told.splitlines()]
    assert {(one["scene"], one["asset_key"], one["item_id"]) for one in receipts} == {
        ("S1", asset, item["id"]) for asset in ("B1", "B2", "mask")
    }


def test_a_lost_journal_makes_no_second_item(make_world: Callable[..., World]) -> None:
    """The repair asks the items of scenes for their assets; what lies there is known again, and the rest joins."""
    w = make_world(folders=[])
    w.folders = [{"path": str(w.drop), "project_id": "p-1", "scenes": [{**SCENES, "primary": ""}]}]
    w.write_config()
    drop(w, "B1", "B2")
    w.until_idle()
    shutil.rmtree(w.state)
    w.command("check", "-c", str(w.config), "--repair-journal", check=0)
    drop(w, "B3")

    w.until_idle()

    assert sorted(asset["key"] for asset in the_item(w)["assets"]) == ["B1", "B2", "B3"]


def test_a_scene_whose_item_was_deleted_gets_no_second_one(make_world: Callable[..., World]) -> None:
    """What comes later is held, in words; giving it up ends the hold."""
    w = make_world(folders=[])
    w.folders = [
        {
            "path": str(w.drop),
            "project_id": "p-1",
            "scenes": [{**SCENES, "collection": "", "create_collections": False}],
        }
    ]
    w.write_config()
    drop(w, "B1")
    w.until_idle()
    ask(w, "items.delete", item_id=the_item(w)["id"])
    drop(w, "B2")

    w.until_idle(check=1)

    (hold,) = w.status()["holds"]
    assert (hold["cause"], hold["files"]) == ("scene_item_gone", 1)
    assert "forget" in hold["way_out"]
    assert ask(w, "items.list", project_id="p-1")["items"] == []
    (w.drop / "S1_20240102_B2.tif").unlink()
    w.command("forget", "-c", str(w.config), str(w.drop / "S1_20240102_B2.tif"), check=0)
    w.until_idle(check=0)
    assert w.status()["holds"] == []
