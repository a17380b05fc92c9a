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
from uploader.journal import Reader

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


def told(w: World) -> dict[str, Any]:
    """The status as the journal tells it."""
    with Reader(w.state) as reader:
        return reader.status()


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
    printed = w.command("items", "-c", str(w.config), "--json", check=0).stdout
    receipts = [json.loads(line) for line in printed.splitlines()]
    assert {(one["scene"], one["asset_key"], one["item_id"]) for one in receipts} == {
        ("S1", asset, item["id"]) for asset in ("B1", "B2", "mask")
    }


def test_a_lost_journal_makes_no_second_item(make_world: Callable[..., World]) -> None:
    """The repair asks the items of scenes for their assets; what lies there is known again, and the rest joins.

    So it does where one of them lies there no more, and whichever is claimed first.
    """
    w = make_world(folders=[])
    w.folders = [{"path": str(w.drop), "project_id": "p-1", "scenes": [{**SCENES, "primary": ""}]}]
    w.write_config()
    drop(w, "B1", "B2")
    w.until_idle()
    shutil.rmtree(w.state)
    w.command("check", "-c", str(w.config), "--repair-journal", check=0)
    (w.drop / "S1_20240102_B1.tif").unlink()
    drop(w, "B3")

    w.until_idle()

    assert sorted(asset["key"] for asset in the_item(w)["assets"]) == ["B1", "B2", "B3"]


def test_a_scene_whose_item_was_deleted_gets_no_second_one(make_world: Callable[..., World]) -> None:
    """What comes later is held, in words; giving it up ends the hold, and so does having the scene sent anew."""
    w = make_world(folders=[])
    rules = {**SCENES, "collection": "", "create_collections": False}
    w.folders = [{"path": str(w.drop), "project_id": "p-1", "scenes": [rules]}]
    w.write_config()
    drop(w, "B1")
    w.until_idle()
    ask(w, "items.delete", item_id=the_item(w)["id"])
    drop(w, "B2", "B3")

    w.until_idle(check=1)

    (hold,) = w.status()["holds"]
    assert (hold["cause"], hold["files"]) == ("scene_item_gone", 2)
    assert "forget" in hold["way_out"]
    assert "retry" in hold["way_out"]
    assert ask(w, "items.list", project_id="p-1")["items"] == []
    (w.drop / "S1_20240102_B2.tif").unlink()
    w.command("forget", "-c", str(w.config), str(w.drop / "S1_20240102_B2.tif"), check=0)
    said = w.command("retry", "-c", str(w.config), str(w.drop / "S1_20240102_B3.tif"), check=0)
    assert "1 file will be tried again" in said.stdout
    w.until_idle(check=0)
    assert w.status()["holds"] == []
    assert sorted(asset["key"] for asset in the_item(w)["assets"]) == ["B1", "B3"]


def test_the_holds_of_scenes_are_told_and_end_as_they_say(make_world: Callable[..., World]) -> None:
    """Their primary is rejected, or does not come, or their collection is not there; and older versions are left."""
    w = make_world(folders=[], settings={"limits": {"max_bands": 16}})
    rule = {"pattern": r"(?P<scene>S\d)_(?P<version>v\d)_(?P<asset>B\d)\.tif"}
    each: dict[str, dict[str, Any]] = {
        "rejected": {"primary": "B1"},
        "missing": {"primary": "B1", "complete_wait": 0.001},
        "homeless": {"collection": "Flights"},
        "older": {"on_new_version": "ignore_older"},
    }
    w.folders = [
        {"path": str(w.root / name), "project_id": "p-1", "scenes": [{"rules": [rule], **keys}]}
        for name, keys in each.items()
    ]
    for folder in w.folders:
        (w.root / folder["path"]).mkdir(exist_ok=True)
    w.write_config()

    def lay(name: str, *, kind: str = "dem_nodata") -> None:
        path = w.root / name
        path.unlink(missing_ok=True)
        make(kind, path, size=64, seed=sum(name.encode()))

    for number, name in enumerate(each):
        lay(f"{name}/S{number}_v2_B2.tif")
    lay("rejected/S0_v2_B1.tif", kind="many_bands")
    w.until_idle(check=1)

    holds = {hold["cause"]: hold for hold in told(w)["holds"]}
    causes = {"scene_primary_rejected", "scene_primary_missing", "scene_collection"}
    assert {cause for cause, hold in holds.items() if hold["files"] == 1} == causes
    assert "S0" in holds["scene_primary_rejected"]["reason"]
    assert "B1" in holds["scene_primary_missing"]["reason"]
    assert "Flights" in holds["scene_collection"]["reason"]
    assert len(ask(w, "items.list", project_id="p-1")["items"]) == 1

    lay("rejected/S0_v2_B1.tif")
    lay("missing/S1_v2_B1.tif")
    ask(w, "collections.create", project_id="p-1", name="Flights")
    lay("older/S3_v1_B1.tif")
    w.command("retry", "-c", str(w.config), "--held", check=0)
    w.until_idle(check=0)

    items = ask(w, "items.list", project_id="p-1")["items"]
    assets = [ask(w, "items.list_assets", item_id=item["id"])["assets"] for item in items]
    assert sorted(sorted(asset["key"] for asset in found) for found in assets) == [
        ["B1", "B2"],
        ["B1", "B2"],
        ["B2"],
        ["B2"],
    ]
    assert (told(w)["files"]["duplicate"], told(w)["holds"]) == (1, [])
